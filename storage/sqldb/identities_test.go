package sqldb_test

import (
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

const anIssuer = "https://sso.example.org"

// vouched is somebody of ada's workspace whom a provider knows.
func (h *harness) vouched(subject string, more func(*storage.Vouched)) storage.SignIn {
	v := storage.Vouched{
		Provider: "op", WorkspaceID: h.ada.WorkspaceID, Issuer: anIssuer, Subject: subject, Name: "Grace", IDToken: "ey." + subject,
		Roles: storage.RoleRule{Otherwise: storage.RoleMember},
	}
	if more != nil {
		more(&v)
	}
	return storage.SignIn{Vouched: &v, Life: time.Hour}
}

func joins(v *storage.Vouched) { v.MayJoin = true }

// Several first sign-ins of one person at once make one user of them.
func TestVouchedAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		before := len(must(h.Users(t.Context(), h.ada.WorkspaceID))(t))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, _, err := h.SignIn(t.Context(), h.vouched("grace-1", joins)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		users := must(h.Users(t.Context(), h.ada.WorkspaceID))(t)
		if len(users) != before+1 || users[before].Name != "Grace" || users[before].Role != storage.RoleMember {
			t.Errorf("%+v", users)
		}
		if check := h.wholeAudit(); !check.OK() {
			t.Errorf("%+v", check)
		}
	})
}

// An identity is one workspace's: in another it is somebody else, and no invitation of
// another is joined by it.
func TestVouchedWorkspaces(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		_, _, err := h.SignIn(t.Context(), h.vouched("grace-1", nil))
		wantErr(t, err, storage.ErrNoUser)
		session, secret := must2(h.SignIn(t.Context(), h.vouched("grace-1", joins)))(t)
		grace := must(h.Authenticate(t.Context(), secret, storage.SessionToken))(t)
		if p := must(h.ProviderSession(t.Context(), grace))(t); p != (storage.ProviderSession{Provider: "op", IDToken: "ey.grace-1"}) || session.Method != storage.ByProvider {
			t.Errorf("%+v, %+v", p, session)
		}
		there := func(v *storage.Vouched) { v.WorkspaceID = h.mal.WorkspaceID }
		_, _, err = h.SignIn(t.Context(), h.vouched("grace-1", there))
		wantErr(t, err, storage.ErrNoUser)
		_, code := h.invite(storage.NewInvitation{Role: storage.RoleMember, Uses: 2})
		_, _, err = h.SignIn(t.Context(), h.vouched("grace-1", func(v *storage.Vouched) { there(v); v.Invitation = code }))
		wantErr(t, err, storage.ErrNotFound)
		must2(h.SignIn(t.Context(), h.vouched("grace-2", func(v *storage.Vouched) { v.Invitation = code })))(t)
		must2(h.SignIn(t.Context(), h.vouched("grace-2", nil)))(t) // who came once comes again
		_, other := must2(h.SignIn(t.Context(), h.vouched("grace-1", func(v *storage.Vouched) { there(v); joins(v) })))(t)
		if double := must(h.Authenticate(t.Context(), other, storage.SessionToken))(t); double.UserID == grace.UserID || double.WorkspaceID != h.mal.WorkspaceID {
			t.Errorf("%+v", double)
		}
		_, err = h.ProviderSession(t.Context(), h.browser(h.ada))
		wantErr(t, err, storage.ErrNotFound)
	})
}

// A verified address becomes that of who joins, unless somebody has it elsewhere; and
// what a clock that is ahead says of a proof is no longer a proof than one of now.
func TestVouchedEmail(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.account(h.browser(h.mal), "mal@example.org", "hash")
		enter := func(subject, email string, verified bool) storage.Account {
			_, secret := must2(h.SignIn(t.Context(), h.vouched(subject, func(v *storage.Vouched) {
				v.MayJoin, v.Email, v.EmailVerified, v.ProvedAt = true, email, verified, time.Now().Add(time.Hour)
			})))(t)
			return must(h.Account(t.Context(), must(h.Authenticate(t.Context(), secret, storage.SessionToken))(t)))(t)
		}
		for subject, c := range map[string]struct {
			email    string
			verified bool
			want     string
		}{
			"verified": {"grace@example.org", true, "grace@example.org"}, "unverified": {"hedy@example.org", false, ""},
			"had elsewhere": {"MAL@example.org", true, ""}, "none": {"", true, ""},
		} {
			a := enter(subject, c.email, c.verified)
			if a.Email != c.want || a.Ways != 1 || a.ProvedUntil.After(time.Now().Add(storage.ProofLife+time.Minute)) || a.ProvedUntil.IsZero() {
				t.Errorf("%s: %+v", subject, a)
			}
		}
	})
}

// Whichever way in is the last stays, and all that there are count alike: for being asked
// how one signs in, for being asked who one is, and for what may go.
func TestWaysIn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada := h.browser(h.ada)
		ways := func(want int) {
			t.Helper()
			if a, p := must(db.Account(ctx, ada))(t), must(db.Profile(ctx, ada))(t); a.Ways != want || p.SignsIn != (want > 0) {
				t.Errorf("%d ways, not %d; signs in: %t", a.Ways, want, p.SignsIn)
			}
		}
		must(db.NewRecoveryCodes(ctx, ada, nil))(t)
		ways(0)
		v := *h.vouched("ada-1", nil).Vouched
		h.check(db.LinkIdentity(ctx, ada, v))
		ways(1)
		identity := must(db.Identities(ctx, ada))(t)[0]
		wantErr(t, db.UnlinkIdentity(ctx, ada, identity.ID, true), storage.ErrLastWayIn) // without an address
		p := h.passkey(ada)
		ways(2)
		h.later(ada)
		wantErr(t, db.UnlinkIdentity(ctx, ada, identity.ID, false), storage.ErrStepUp)
		v.ProvedAt = storage.Now()
		h.check(db.ProveByIdentity(ctx, ada, v))
		h.check(db.UnlinkIdentity(ctx, ada, identity.ID, false))
		ways(1)
		wantErr(t, db.RemovePasskey(ctx, ada, p.ID, false), storage.ErrLastWayIn)
		h.check(db.LinkIdentity(ctx, ada, v))
		h.check(db.RemovePasskey(ctx, ada, p.ID, false))
		identity = must(db.Identities(ctx, ada))(t)[0]
		wantErr(t, db.UnlinkIdentity(ctx, ada, identity.ID, false), storage.ErrLastWayIn)
		h.account(ada, "ada@example.org", "hash")
		ways(2)
		h.check(db.UnlinkIdentity(ctx, ada, identity.ID, false))
		p = h.passkey(ada)
		h.check(db.ResetPassword(ctx, ada.UserID))
		ada = h.browser(h.ada)
		ways(1)
		wantErr(t, db.RemovePasskey(ctx, ada, p.ID, false), storage.ErrLastWayIn)
		h.check(db.RemovePasskey(ctx, ada, p.ID, true)) // links are mailed
		ways(0)
	})
}

// Who has no password is signed out by its reset too, wherever they signed in.
func TestResetWithoutPassword(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		_, secret := must2(h.SignIn(ctx, h.vouched("grace-1", joins)))(t)
		grace := must(h.Authenticate(ctx, secret, storage.SessionToken))(t)
		bob := h.browser(h.bob)
		_, link, err := db.CreateToken(ctx, grace.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "link", Life: time.Hour})
		h.check(err)
		h.check(db.ResetPassword(ctx, grace.UserID))
		_, err = h.Authenticate(ctx, secret, storage.SessionToken)
		wantErr(t, err, storage.ErrNotFound)
		_, _, err = h.SignIn(ctx, storage.SignIn{Code: link})
		wantErr(t, err, storage.ErrExpired)
		if len(must(db.Identities(ctx, grace))(t)) != 1 {
			t.Error("the identity is gone")
		}
		h.check(db.RevokeOthers(ctx, bob)) // goes on
		var ended []string
		for _, e := range h.log() {
			if e.Action == storage.AuditCredentialsEnded && e.Target.ID == grace.UserID {
				ended = append(ended, e.Details["ended"])
			}
		}
		if len(ended) != 1 || ended[0] != "1" {
			t.Errorf("recorded are %q", ended)
		}
	})
}
