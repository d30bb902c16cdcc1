package sqldb_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// twoWorkspaces makes ada, who has an address and a password, the owner of a second
// workspace, and returns who she is in a browser of the first, and in the second.
func (h *harness) twoWorkspaces() (here, there storage.Principal) {
	h.tb.Helper()
	here = h.browser(h.ada)
	h.account(here, "ada@example.org", "hash 1")
	w, u := must2(h.CreateWorkspaceFor(h.tb.Context(), "choir", storage.NewOwner{Email: "ADA@example.org"}))(h.tb)
	return here, storage.Principal{WorkspaceID: w.ID, UserID: u.ID, UserName: u.Name, Role: u.Role}
}

// switched is who asks after a switch.
func (h *harness) switched(who storage.Principal, workspaceID string) storage.Principal {
	h.tb.Helper()
	_, secret := must2(h.Switch(h.tb.Context(), who, workspaceID))(h.tb)
	return must(h.Authenticate(h.tb.Context(), secret, storage.SessionToken))(h.tb)
}

func (h *harness) byPassword(userID, wanted string) (storage.Principal, error) {
	h.tb.Helper()
	_, secret, err := h.SignIn(h.tb.Context(), storage.SignIn{UserID: userID, PasswordHash: "hash 1", Life: time.Hour, Wanted: wanted})
	if err != nil {
		return storage.Principal{}, err
	}
	return must(h.Authenticate(h.tb.Context(), secret, storage.SessionToken))(h.tb), nil
}

func TestSwitch(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, choir := h.twoWorkspaces()
		list := must(db.JoinedWorkspaces(ctx, ada))(t)
		if len(list) != 2 || list[0].UserID != ada.UserID || list[1].Workspace.Name != "choir" || list[1].UserID != choir.UserID || list[1].Role != storage.Owner {
			t.Fatalf("%+v", list)
		}
		if choir.UserName != "Ada" {
			t.Errorf("she is %s there", choir.UserName)
		}
		before := slices.IndexFunc(must(db.Tokens(ctx, ada))(t), func(t storage.Token) bool { return t.ID == ada.CredentialID })
		until := must(db.Tokens(ctx, ada))(t)[before].ExpiresAt
		in := h.switched(ada, choir.WorkspaceID)
		if in.UserID != choir.UserID || in.WorkspaceID != choir.WorkspaceID || in.Role != storage.Owner {
			t.Errorf("%+v", in)
		}
		if !must(db.TokenEnded(ctx, ada.CredentialID))(t) {
			t.Error("the session that was left goes on")
		}
		for _, token := range must(db.Tokens(ctx, in))(t) {
			if token.ID == in.CredentialID && (token.Method != storage.ByLink || !token.ExpiresAt.Equal(until)) {
				t.Errorf("%+v, which ended at %s before", token, until)
			}
		}
		if a := must(db.Account(ctx, in))(t); a.ProvedUntil.IsZero() || a.Email != "ada@example.org" {
			t.Errorf("%+v", a)
		}
		_, _, err := db.Switch(ctx, ada, choir.WorkspaceID)
		wantErr(t, err, storage.ErrSignedOut)
		if left := h.lastAudited(h.ada); left.Action != storage.AuditSignOut || left.Target.ID != ada.CredentialID || len(left.Details) > 0 {
			t.Errorf("%+v", left)
		}
		if came := h.lastAudited(choir); came.Action != storage.AuditSignIn || came.Actor.ID != choir.UserID || came.Details["method"] != "link" {
			t.Errorf("%+v", came)
		}

		// Whoever is not in a workspace does not learn whether it is there.
		_, _, err = db.Switch(ctx, in, h.mal.WorkspaceID)
		wantErr(t, err, storage.ErrNotFound)
		_, _, err = db.Switch(ctx, in, storage.NewID())
		wantErr(t, err, storage.ErrNotFound)
		_, token := h.grant(choir, storage.NewToken{})
		_, _, err = db.Switch(ctx, token, ada.WorkspaceID)
		wantErr(t, err, storage.ErrForbidden)
		_, _, err = db.Switch(ctx, h.browser(h.bob), choir.WorkspaceID)
		wantErr(t, err, storage.ErrNotFound)

		// Nor does somebody who was deactivated there get back in so.
		h.user("Second owner", storage.Owner)
		h.check(db.DisableUser(ctx, ada.WorkspaceID, ada.UserID))
		_, _, err = db.Switch(ctx, in, ada.WorkspaceID)
		wantErr(t, err, storage.ErrNotFound)
		if list := must(db.JoinedWorkspaces(ctx, in))(t); !list[0].Disabled || list[1].Disabled {
			t.Errorf("%+v", list)
		}
		if must(db.TokenEnded(ctx, in.CredentialID))(t) {
			t.Error("being deactivated in one workspace ends a session in another")
		}
	})
}

func (h *harness) lastAudited(who storage.Principal) storage.AuditEntry {
	h.tb.Helper()
	list, _ := must2(h.Audit(h.tb.Context(), storage.Principal{WorkspaceID: who.WorkspaceID, UserID: who.UserID, Role: storage.Owner}, storage.AuditFilter{}, storage.Page{Limit: 1}))(h.tb)
	return list[0]
}

// Of two switches at once one is made, and no workspace's log loses an entry.
func TestSwitchesAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, choir := h.twoWorkspaces()
		w, _ := must2(db.CreateWorkspaceFor(ctx, "club", storage.NewOwner{UserID: choir.UserID}))(t)
		var made atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			to := []string{choir.WorkspaceID, w.ID}[i%2]
			all.Go(func() {
				switch _, _, err := db.Switch(ctx, ada, to); {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, storage.ErrSignedOut):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 {
			t.Errorf("%d switches were made of one session", made.Load())
		}

		// Back and forth by several browsers, in both directions.
		for i := range 4 {
			here, there := h.browser(h.ada), choir.WorkspaceID
			if i%2 == 1 {
				here, there = h.browser(choir), h.ada.WorkspaceID
			}
			all.Go(func() {
				if _, _, err := db.Switch(ctx, here, there); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

// What is the person's own gets them into each of their workspaces, and into none where
// they were deactivated.
func TestWaysOfPerson(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, choir := h.twoWorkspaces()
		p := h.passkey(ada)
		in := h.switched(ada, choir.WorkspaceID)
		if list := must(db.Passkeys(ctx, in))(t); len(list) != 1 || list[0].ID != p.ID {
			t.Errorf("%+v", list)
		}
		if a := must(db.Account(ctx, in))(t); a.Ways != 2 || a.Passkeys != 1 {
			t.Errorf("%+v", a)
		}
		must(db.RenamePasskey(ctx, in, p.ID, "Phone"))(t)
		h.later(in)
		wantErr(t, db.RemovePasskey(ctx, in, p.ID, false), storage.ErrStepUp)
		h.check(db.ProveByPasskey(ctx, in, storage.PasskeyUse{PasskeyID: p.ID, SignCount: 6, Challenge: challenge()}))
		codes := must(db.NewRecoveryCodes(ctx, in, nil))(t)

		// Signing in leads to where they were last, or to what they want to see.
		session, _ := must2(db.SignIn(ctx, storage.SignIn{UserID: p.UserID, Life: time.Hour, Passkey: &storage.PasskeyUse{PasskeyID: p.ID, SignCount: 7, Challenge: challenge()}}))(t)
		if session.UserID != choir.UserID {
			t.Errorf("signed in as %s, and was %s last", session.UserID, choir.UserID)
		}
		if found := must(db.AccountByEmail(ctx, "ada@example.org", ""))(t); found.UserID != choir.UserID {
			t.Errorf("%+v", found)
		}
		m, _ := h.send(h.ada, h.room.ID)
		for _, wanted := range []string{h.room.ID, m.ID} {
			if who := must(h.byPassword(choir.UserID, wanted))(t); who.UserID != ada.UserID {
				t.Errorf("%+v", who)
			}
			h.browser(choir)
		}
		private := h.make(h.bob, storage.Channel, "without her")
		if who := must(h.byPassword(choir.UserID, private.ID))(t); who.UserID != choir.UserID {
			t.Errorf("a link into a conversation that she is not in leads to its workspace")
		}

		// A recovery code made there lets her in here, where she is not deactivated.
		h.user("Second owner", storage.Owner)
		h.check(db.DisableUser(ctx, choir.WorkspaceID, h.second(choir).UserID))
		h.check(db.DisableUser(ctx, ada.WorkspaceID, ada.UserID))
		other, _ := must2(db.SignIn(ctx, storage.SignIn{RecoveryCode: codes[0], Life: time.Hour}))(t)
		if other.UserID != choir.UserID {
			t.Errorf("%+v", other)
		}
		session, _ = must2(db.SignIn(ctx, storage.SignIn{UserID: p.UserID, Life: time.Hour, Passkey: &storage.PasskeyUse{PasskeyID: p.ID, SignCount: 8, Challenge: challenge()}}))(t)
		if session.UserID != choir.UserID { // the passkey was made where she is deactivated
			t.Errorf("signed in as %s", session.UserID)
		}
		if who := must(h.byPassword(ada.UserID, h.room.ID))(t); who.UserID != choir.UserID {
			t.Errorf("%+v", who)
		}
		h.check(db.RefusePasskey(ctx, p, challenge()))
		if refused := h.lastAudited(choir); refused.Action != storage.AuditPasskeyRefused || refused.Target.ID != choir.UserID {
			t.Errorf("%+v", refused)
		}
	})
}

// second adds an owner, so that the first can be deactivated, and returns a member.
func (h *harness) second(owner storage.Principal) storage.Principal {
	h.tb.Helper()
	u := must(h.CreateUser(h.tb.Context(), owner.WorkspaceID, "Somebody", storage.RoleMember))(h.tb)
	return storage.Principal{WorkspaceID: owner.WorkspaceID, UserID: u.ID}
}

// What a workspace's provider says is no proof for another workspace, nor one by which what
// opens other workspaces is changed: who runs that provider could come in there.
func TestProviderStaysInWorkspace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, choir := h.twoWorkspaces()
		v := storage.Vouched{Provider: "sso", Issuer: "https://sso.example.org", Subject: "1", WorkspaceID: ada.WorkspaceID, ProvedAt: storage.Now()}
		h.check(db.LinkIdentity(ctx, ada, v))
		_, secret := must2(db.SignIn(ctx, storage.SignIn{Vouched: &v, Life: time.Hour}))(t)
		by := must(db.Authenticate(ctx, secret, storage.SessionToken))(t)
		_, _, err := db.Switch(ctx, by, choir.WorkspaceID)
		wantErr(t, err, storage.ErrOwnProof)
		for _, disabled := range []bool{false, true} { // there, where they may be let in again
			if disabled {
				must(db.CreateUser(ctx, choir.WorkspaceID, "Second owner", storage.Owner))(t)
				h.check(db.DisableUser(ctx, choir.WorkspaceID, choir.UserID))
			}
			_, err = db.ChangeAccount(ctx, by, storage.AccountChange{PasswordHash: new("hash 2")})
			wantErr(t, err, storage.ErrOwnProof)
		}
		h.check(db.EnableUser(ctx, choir.WorkspaceID, choir.UserID))
		h.check(db.ProveByIdentity(ctx, by, v))
		_, _, err = db.Switch(ctx, by, choir.WorkspaceID)
		wantErr(t, err, storage.ErrStepUp)
		if a := must(db.Account(ctx, by))(t); !a.ProvedUntil.IsZero() {
			t.Errorf("%+v", a)
		}
		h.check(db.Prove(ctx, by, "hash 1"))
		in := h.switched(by, choir.WorkspaceID)
		if a := must(db.Account(ctx, in))(t); a.Ways != 1 { // the identity is no way in here
			t.Errorf("%+v", a)
		}
		if p := must(db.ProviderSession(ctx, in))(t); p.Provider != "sso" {
			t.Errorf("%+v", p)
		}
		// Here there would be none without the passkey, though there is the identity elsewhere.
		p := h.passkey(in)
		h.check(db.ResetPassword(ctx, ada.UserID))
		back := h.browser(h.ada)
		wantErr(t, db.RemovePasskey(ctx, back, p.ID, false), storage.ErrLastWayIn)
	})
}

// Who is signed in joins another workspace as the same person, once.
func TestJoinAs(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		mal := h.browser(h.mal)
		i, code := h.invite(storage.NewInvitation{Role: storage.RoleMember, Uses: 2})
		_, err := db.JoinAs(ctx, mal, code, "Mal")
		wantErr(t, err, storage.ErrForbidden) // has no account
		h.account(mal, "mal@example.org", "hash 1")
		joined := must(db.JoinAs(ctx, mal, code, "Mallory"))(t)
		in := must(db.Authenticate(ctx, joined.Secret, storage.SessionToken))(t)
		if in.WorkspaceID != h.ada.WorkspaceID || in.UserName != "Mallory" || in.Role != storage.RoleMember {
			t.Errorf("%+v", in)
		}
		if a := must(db.Account(ctx, in))(t); a.Email != "mal@example.org" || a.ProvedUntil.IsZero() {
			t.Errorf("%+v", a)
		}
		if !must(db.TokenEnded(ctx, mal.CredentialID))(t) {
			t.Error("the session that was left goes on")
		}
		again := h.browser(h.mal)
		_, err = db.JoinAs(ctx, again, code, "Mallory")
		wantErr(t, err, storage.ErrConflict)
		h.check(db.DisableUser(ctx, in.WorkspaceID, in.UserID))
		_, err = db.JoinAs(ctx, again, code, "Mallory")
		wantErr(t, err, storage.ErrDeactivated)
		if list, _ := must2(db.Invitations(ctx, h.ada, storage.Page{}))(t); list[0].ID != i.ID || list[0].Used != 1 {
			t.Errorf("%+v", list[0])
		}
		_, token := h.grant(h.mal, storage.NewToken{})
		_, err = db.JoinAs(ctx, token, code, "Mallory")
		wantErr(t, err, storage.ErrForbidden)
	})
}

// A person sees and ends their sessions in all workspaces; a token, and everybody else, none
// of another.
func TestSessionsOfPerson(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, choir := h.twoWorkspaces()
		phone, tablet := h.browser(choir), h.browser(choir)
		_, there := h.grant(choir, storage.NewToken{})
		has := func(who storage.Principal, id string) bool {
			return slices.ContainsFunc(must(db.Tokens(ctx, who))(t), func(t storage.Token) bool { return t.ID == id })
		}
		_, token := h.grant(h.ada, storage.NewToken{})
		if !has(ada, phone.CredentialID) || has(ada, there.CredentialID) || has(token, phone.CredentialID) {
			t.Error("the wrong sessions are listed")
		}
		wantErr(t, db.RevokeToken(ctx, token, phone.CredentialID), storage.ErrNotFound)
		wantErr(t, db.RevokeToken(ctx, h.browser(h.bob), phone.CredentialID), storage.ErrNotFound)
		wantErr(t, db.RevokeToken(ctx, ada, there.CredentialID), storage.ErrNotFound)
		before := h.lastAudited(h.ada)
		h.check(db.RevokeToken(ctx, ada, phone.CredentialID))
		if h.lastAudited(h.ada).Seq != before.Seq {
			t.Error("a workspace is told of a session in another")
		}
		if e := h.lastAudited(choir); e.Action != storage.AuditTokenRevoked || e.Actor.ID != choir.UserID || e.CredentialID != "" {
			t.Errorf("%+v", e)
		}
		other := h.browser(h.ada)
		h.check(db.RevokeOthers(ctx, ada))
		for id, ended := range map[string]bool{tablet.CredentialID: true, other.CredentialID: true, there.CredentialID: false, ada.CredentialID: false} {
			if must(db.TokenEnded(ctx, id))(t) != ended {
				t.Errorf("%s: ended %v", id, !ended)
			}
		}
		if e := h.lastAudited(h.ada); e.Details["ended"] != "2" { // the token and the other browser
			t.Errorf("%+v", e)
		}
	})
}

// A link that an admin makes lets somebody in who lost their ways in, into that workspace
// alone: it is no way to be them elsewhere.
func TestMemberLink(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, choir := h.twoWorkspaces()
		ann := h.browser(h.user("Ann", storage.Admin))
		_, token := h.grant(h.ada, storage.NewToken{})
		link := func(by storage.Principal, userID string) (storage.Principal, error) {
			_, code, err := db.CreateMemberLink(ctx, by, userID, time.Hour)
			if err != nil {
				return storage.Principal{}, err
			}
			_, secret, err := db.SignIn(ctx, storage.SignIn{Code: code, Life: time.Hour})
			h.check(err)
			return must(db.Authenticate(ctx, secret, storage.SessionToken))(t), nil
		}
		for name, c := range map[string]struct {
			by   storage.Principal
			of   string
			want error
		}{
			"an owner's by an admin": {ann, ada.UserID, storage.ErrForbidden},
			"one's own":              {ada, ada.UserID, storage.ErrForbidden},
			"by a member":            {h.browser(h.bob), h.eve.UserID, storage.ErrForbidden},
			"by a guest":             {h.browser(h.user("Gus", storage.Guest)), h.eve.UserID, storage.ErrNotFound},
			"elsewhere":              {h.browser(h.mal), h.eve.UserID, storage.ErrNotFound},
			"of nobody":              {ann, storage.NewID(), storage.ErrNotFound},
			"with a token":           {token, h.eve.UserID, storage.ErrForbidden},
		} {
			if _, err := link(c.by, c.of); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		eve := must(link(ann, h.eve.UserID))(t)
		if eve.UserID != h.eve.UserID || eve.Role != storage.RoleMember {
			t.Fatalf("%+v", eve)
		}
		h.account(eve, "eve@example.org", "hash 2") // she has a way in of her own again
		h.account(ann, "ann@example.org", "hash 3")
		h.later(ann)
		_, err := link(ann, h.eve.UserID)
		wantErr(t, err, storage.ErrStepUp)
		h.check(db.DisableUser(ctx, h.ada.WorkspaceID, h.eve.UserID))
		_, err = link(ada, h.eve.UserID)
		wantErr(t, err, storage.ErrForbidden)

		// Ada is in another workspace too. Its owner makes a link for her there.
		boss := h.browser(storage.Principal{UserID: must(db.CreateUser(ctx, choir.WorkspaceID, "Boss", storage.Owner))(t).ID})
		as := must(link(boss, choir.UserID))(t)
		_, _, err = db.Switch(ctx, as, h.ada.WorkspaceID)
		wantErr(t, err, storage.ErrStepUp)
		_, err = db.ChangeAccount(ctx, as, storage.AccountChange{PasswordHash: new("hash of the boss")})
		wantErr(t, err, storage.ErrOwnProof)
		h.exec(`UPDATE accounts SET password = ''`) // who signs in by mail alone has no proof to give
		_, err = db.ChangeAccount(ctx, as, storage.AccountChange{PasswordHash: new("hash of the boss")})
		wantErr(t, err, storage.ErrOwnProof)
	})
}

// However many workspaces a person is in, one address waits for them: whatever ends it ends it
// wherever they asked, and what their workspace does to them there is for that one alone.
func TestEmailWaitsForThePerson(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx, box := newHarness(t, db), t.Context(), &postbox{}
		here, owner := h.twoWorkspaces()
		there := h.browser(owner)
		h.user("Second owner", storage.Owner)
		ask := func(who storage.Principal, email string) string {
			t.Helper()
			must(db.ChangeAccount(ctx, who, storage.AccountChange{Email: &email, Confirm: box.mails()}))(t)
			return box.last()
		}
		good := func(code string) bool { _, err := db.EmailChange(ctx, code); return err == nil }

		for what, one := range map[string]struct {
			end  func() error
			ends bool
		}{
			"another is asked for there": {func() error { ask(there, "ada@example.com"); return nil }, true},
			"cancelled there":            {func() error { return db.CancelEmail(ctx, there) }, true},
			"their session there is revoked by them": {func() error {
				other := h.browser(owner)
				return db.RevokeToken(ctx, there, other.CredentialID)
			}, true},
			"and by an admin of there": {func() error {
				other := h.browser(owner)
				admin := must(db.CreateUser(ctx, owner.WorkspaceID, "Admin", storage.Owner))(t)
				return db.RevokeToken(ctx, storage.Principal{WorkspaceID: owner.WorkspaceID, UserID: admin.ID, Role: storage.Owner}, other.CredentialID)
			}, false},
			"signed out there": {func() error {
				other := h.browser(owner)
				return db.RevokeToken(ctx, other, other.CredentialID)
			}, false},
			"the other sessions are ended there": {func() error {
				h.later(there)
				there = h.browser(owner)
				err := db.RevokeOthers(ctx, there)
				here = h.browser(h.ada)
				return err
			}, true},
		} {
			code := ask(here, "ada@example.net")
			if w := must(db.Account(ctx, there))(t).Waiting; w.Email != "ada@example.net" {
				t.Errorf("%s: there waits %+v", what, w)
			}
			h.check(one.end())
			if good(code) == one.ends {
				t.Errorf("%s: the link is good: %v", what, good(code))
			}
		}
		code := ask(here, "ada@example.net")
		h.check(db.DisableUser(ctx, owner.WorkspaceID, owner.UserID))
		if !good(code) {
			t.Error("being deactivated in a workspace ends what was asked for in another")
		}
		must(db.ConfirmEmail(ctx, code, box.told))(t)
	})
}
