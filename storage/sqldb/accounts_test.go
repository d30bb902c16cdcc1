package sqldb_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// browser signs somebody in by a link, and returns who asks from there.
func (h *harness) browser(who storage.Principal) storage.Principal {
	h.tb.Helper()
	_, code, err := h.CreateToken(h.tb.Context(), who.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "link", Life: time.Hour})
	h.check(err)
	_, secret, err := h.SignIn(h.tb.Context(), storage.SignIn{Code: code, Life: time.Hour})
	h.check(err)
	return must(h.Authenticate(h.tb.Context(), secret, storage.SessionToken))(h.tb)
}

// account gives somebody an address and a password, whose hash is given.
func (h *harness) account(who storage.Principal, email, hash string) storage.Account {
	h.tb.Helper()
	return must(h.ChangeAccount(h.tb.Context(), who, storage.AccountChange{Email: &email, PasswordHash: &hash}))(h.tb)
}

// later is as if a credential had proved who it is too long ago.
func (h *harness) later(who storage.Principal) {
	h.tb.Helper()
	past := (storage.ProofLife + time.Second).Milliseconds()
	h.check(h.Exec(h.tb.Context(), `UPDATE tokens SET proved_at = proved_at - ?, own_proved_at = own_proved_at - ? WHERE id = ?`, past, past, who.CredentialID))
}

func TestAccount(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, bob, mal := h.browser(h.ada), h.browser(h.bob), h.browser(h.mal)
		if none := must(db.Account(ctx, ada))(t); none.Email != "" || none.PasswordHash != "" || none.ID != "" || none.ProvedUntil.IsZero() {
			t.Errorf("before: %+v", none)
		}
		_, err := db.ChangeAccount(ctx, ada, storage.AccountChange{PasswordHash: new("hash 1")})
		wantErr(t, err, storage.ErrInvalid) // there is nothing to sign in by
		h.account(ada, "Ada@Example.org", "hash 1")
		found := must(db.AccountByEmail(ctx, " ada@eXample.ORG", ""))(t)
		if found.UserID != ada.UserID || found.PasswordHash != "hash 1" || found.Email != "Ada@Example.org" {
			t.Errorf("found %+v", found)
		}
		if users := must(db.Users(ctx, ada.WorkspaceID))(t); users[0].Email != "Ada@Example.org" || users[1].Email != "" {
			t.Errorf("users %+v", users)
		}
		_, err = db.AccountByEmail(ctx, "nobody@example.org", "")
		wantErr(t, err, storage.ErrNotFound)
		for _, other := range []storage.Principal{bob, mal} { // of another workspace too
			_, err = db.ChangeAccount(ctx, other, storage.AccountChange{Email: new("ADA@example.org")})
			wantErr(t, err, storage.ErrConflict)
		}
		for _, bad := range []string{"", "ada", "@example.org", "ada@", "a\n@example.org"} {
			_, err = db.ChangeAccount(ctx, bob, storage.AccountChange{Email: &bad})
			wantErr(t, err, storage.ErrInvalid)
		}
		_, token := h.grant(h.ada, storage.NewToken{})
		_, err = db.ChangeAccount(ctx, token, storage.AccountChange{Email: new("eve@example.org")})
		wantErr(t, err, storage.ErrForbidden)
		h.check(db.DisableUser(ctx, h.ada.WorkspaceID, h.bob.UserID))
		_, err = db.ChangeAccount(ctx, bob, storage.AccountChange{Email: new("bob@example.org")})
		wantErr(t, err, storage.ErrSignedOut)
	})
}

// What is dangerous needs a proof that is not too old; who has no password needs none.
func TestStepUp(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada := h.browser(h.ada)
		h.later(ada)
		h.account(ada, "ada@example.org", "hash 1")
		h.check(db.RevokeOthers(ctx, ada)) // the password was just set
		h.later(ada)
		if a := must(db.Account(ctx, ada))(t); !a.ProvedUntil.IsZero() {
			t.Errorf("proved until %s", a.ProvedUntil)
		}
		change := storage.AccountChange{Email: new("ada@example.net")}
		_, err := db.ChangeAccount(ctx, ada, change)
		wantErr(t, err, storage.ErrStepUp)
		wantErr(t, db.RevokeOthers(ctx, ada), storage.ErrStepUp)
		wantErr(t, db.Prove(ctx, ada, "hash 0"), storage.ErrConflict)
		wantErr(t, db.Prove(ctx, h.browser(h.bob), ""), storage.ErrConflict) // who has none gives none
		_, err = db.ChangeAccount(ctx, ada, change)
		wantErr(t, err, storage.ErrStepUp)
		other := h.browser(h.ada)
		h.later(other)
		h.check(db.Prove(ctx, ada, "hash 1"))
		wantErr(t, db.RevokeOthers(ctx, other), storage.ErrStepUp) // it was not this browser
		must(db.ChangeAccount(ctx, ada, change))(t)
		_, token := h.grant(h.ada, storage.NewToken{})
		wantErr(t, db.RevokeOthers(ctx, token), storage.ErrForbidden)
	})
}

// Another password ends all other sessions and the links that wait; a first one no
// session.
func TestChangeEndsSessions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, phone, bob := h.browser(h.ada), h.browser(h.ada), h.browser(h.bob)
		ended := func(who storage.Principal) bool { return must(db.TokenEnded(ctx, who.CredentialID))(t) }
		link := func() string {
			_, code, err := db.CreateToken(ctx, h.ada.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "link"})
			h.check(err)
			return code
		}
		first := link()
		h.account(ada, "ada@example.org", "hash 1")
		_, _, err := db.SignIn(ctx, storage.SignIn{Code: first})
		wantErr(t, err, storage.ErrExpired)
		if ended(phone) || ended(ada) {
			t.Error("a first password ends sessions")
		}
		second := link()
		_, program := h.grant(h.ada, storage.NewToken{})
		h.account(ada, "ada@example.org", "hash 2")
		_, _, err = db.SignIn(ctx, storage.SignIn{Code: second})
		wantErr(t, err, storage.ErrExpired)
		if !ended(phone) || ended(ada) || ended(program) || ended(bob) {
			t.Error("another password does not end the other sessions alone")
		}
		again := h.browser(h.ada)
		h.check(db.RevokeOthers(ctx, ada))
		if !ended(again) || !ended(program) || ended(ada) || ended(bob) {
			t.Error("not all others ended, or more")
		}
		h.check(db.ResetPassword(ctx, h.ada.UserID))
		h.check(db.ResetPassword(ctx, h.ada.UserID)) // there is none any more
		h.check(db.ResetPassword(ctx, h.eve.UserID))
		if a := must(db.AccountByEmail(ctx, "ada@example.org", ""))(t); !ended(ada) || a.PasswordHash != "" {
			t.Errorf("after a reset: %+v", a)
		}
		h.check(db.SetEmail(ctx, h.eve.UserID, "eve@example.org"))
		wantErr(t, db.SetEmail(ctx, h.bob.UserID, "EVE@example.org"), storage.ErrConflict)
		var actions []string
		for _, e := range h.log() {
			if e.Action == storage.AuditEmailChanged || e.Action == storage.AuditPasswordChanged || e.Action == storage.AuditCredentialsEnded {
				actions = append(actions, string(e.Action)+" "+e.Details["change"]+e.Details["ended"])
			}
		}
		want := []string{"email_changed set", "password_changed set", "password_changed changed1", "credentials_ended 2", "password_changed removed1", "email_changed set"}
		if !slices.Equal(actions, want) {
			t.Errorf("recorded are %q", actions)
		}
	})
}

func TestSignInByPassword(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := storage.WithOrigin(t.Context(), storage.Origin{Address: "203.0.113.7", Agent: "Firefox"})
		ada := h.browser(h.ada)
		h.account(ada, "ada@example.org", "hash 1")
		in := storage.SignIn{UserID: h.ada.UserID, PasswordHash: "hash 1", Name: "Firefox on Linux", Life: time.Hour, Device: "mark"}
		session, secret, err := db.SignIn(ctx, in)
		h.check(err)
		if who := must(db.Authenticate(ctx, secret, storage.SessionToken))(t); who.UserID != h.ada.UserID || who.CredentialID != session.ID {
			t.Errorf("signed in is %+v", who)
		}
		tokens := must(db.Tokens(ctx, h.ada))(t)
		if last := tokens[len(tokens)-1]; last.Method != storage.ByPassword || last.Address != "203.0.113.7" || last.Agent != "Firefox" || last.Name != "Firefox on Linux" {
			t.Errorf("session %+v", last)
		}
		for device, known := range map[string]bool{"mark": true, "other": false, "": false} {
			if a := must(db.AccountByEmail(ctx, "ada@example.org", device))(t); a.KnownDevice != known {
				t.Errorf("device %q: %+v", device, a)
			}
		}
		for name, bad := range map[string]storage.SignIn{
			"a hash from before": {UserID: h.ada.UserID, PasswordHash: "hash 0"},
			"no hash":            {UserID: h.ada.UserID},
			"no account":         {UserID: h.bob.UserID, PasswordHash: "hash 1"},
			"no password":        {UserID: h.bob.UserID},
			"nobody":             {UserID: storage.NewID(), PasswordHash: "hash 1"},
		} {
			if _, _, err := db.SignIn(ctx, bad); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		h.check(db.SetEmail(ctx, h.eve.UserID, "eve@example.org"))
		must(db.ChangeAccount(ctx, h.browser(h.eve), storage.AccountChange{PasswordHash: new("hash 3")}))(t)
		h.check(db.DisableUser(ctx, h.ada.WorkspaceID, h.eve.UserID))
		if a := must(db.AccountByEmail(ctx, "eve@example.org", ""))(t); a.UserID != "" {
			t.Errorf("who is disabled: %+v", a)
		}
		_, _, err = db.SignIn(ctx, storage.SignIn{UserID: h.eve.UserID, PasswordHash: "hash 3"})
		wantErr(t, err, storage.ErrNotFound)
		wantErr(t, db.MailSignIn(ctx, "eve@example.org", "", time.Hour, nil), storage.ErrNotFound)
		h.check(db.AuditFailedSignIn(ctx, storage.FailedSignIn{Method: "password", Email: "ADA@example.org", Reason: "wrong password"}))
		log := h.log()
		if e := log[len(log)-1]; e.Action != storage.AuditSignInFailed || e.Target.ID != h.ada.UserID || e.Actor.Kind != storage.ActorNobody {
			t.Errorf("recorded is %+v", e)
		}
	})
}

// A link is mailed to who has the address, and a sign-in from a browser that was not
// seen before is told.
func TestMailedSignIn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		h.check(db.SetEmail(ctx, h.ada.UserID, "ada@example.org"))
		var to, code string
		h.check(db.MailSignIn(ctx, "Ada@example.org", "", 15*time.Minute, func(address string, token storage.Token, secret string) (storage.NewJob, error) {
			to, code = address, secret
			if left := token.ExpiresAt.Sub(token.CreatedAt); left != 15*time.Minute {
				t.Errorf("it can be used for %s", left)
			}
			return storage.NewJob{Kind: storage.Mail, Subject: token.ID}, nil
		}))
		if due := must(db.DueJobs(ctx, 10))(t); to != "ada@example.org" || len(due) != 1 {
			t.Errorf("mailed to %q: %v", to, due)
		}
		var told []string
		in := func(device, code string) storage.SignIn {
			return storage.SignIn{Code: code, UserID: h.ada.UserID, PasswordHash: "hash 1", Life: time.Hour, Device: device, Notice: func(email string, session storage.Token) (storage.NewJob, error) {
				told = append(told, email)
				return storage.NewJob{Kind: storage.Mail, Subject: "new device " + session.ID}, nil
			}}
		}
		session, secret, err := db.SignIn(ctx, in("laptop", code))
		h.check(err)
		if session.Method != storage.ByMail || len(told) != 1 || told[0] != "ada@example.org" {
			t.Errorf("session %+v; told are %q", session, told)
		}
		_, _, err = db.SignIn(ctx, in("laptop", code))
		wantErr(t, err, storage.ErrExpired)
		ada := must(db.Authenticate(ctx, secret, storage.SessionToken))(t)
		must(db.ChangeAccount(ctx, ada, storage.AccountChange{PasswordHash: new("hash 1")}))(t)
		for _, device := range []string{"laptop", "phone", "laptop", "phone"} {
			_, _, err = db.SignIn(ctx, in(device, ""))
			h.check(err)
		}
		if len(told) != 2 {
			t.Errorf("told %d times", len(told))
		}
		failing := in("tablet", "")
		failing.Notice = func(string, storage.Token) (storage.NewJob, error) { return storage.NewJob{}, errors.New("no words") }
		if _, _, err := db.SignIn(ctx, failing); err == nil {
			t.Error("signed in, and nobody is told")
		}
	})
}

func TestOnlyWorkspace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		_, err := db.OnlyWorkspace(t.Context())
		wantErr(t, err, storage.ErrNotFound)
		_, _, err = db.CreateWorkspace(t.Context(), "Harbour office", "Ada")
		if err != nil {
			t.Fatal(err)
		}
		if only := must(db.OnlyWorkspace(t.Context()))(t); only.Name != "Harbour office" {
			t.Errorf("%+v", only)
		}
		_, _, err = db.CreateWorkspace(t.Context(), "other", "Mal")
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.OnlyWorkspace(t.Context())
		wantErr(t, err, storage.ErrNotFound)
	})
}
