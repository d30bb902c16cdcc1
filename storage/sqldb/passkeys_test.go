package sqldb_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// challenge is a new one.
func challenge() storage.Challenge {
	return storage.Challenge{Value: storage.NewID(), Expires: storage.Now().Add(5 * time.Minute)}
}

// passkey gives somebody a passkey, whose authenticator counts.
func (h *harness) passkey(who storage.Principal) storage.Passkey {
	h.tb.Helper()
	p := storage.Passkey{Name: "Laptop", CredentialID: []byte(storage.NewID()), PublicKey: []byte("key"), SignCount: 5, BackupEligible: true, Transports: []string{"internal", "hybrid"}}
	return must(h.AddPasskey(h.tb.Context(), who, p, challenge(), nil))(h.tb)
}

// byPasskey signs in by a passkey.
func (h *harness) byPasskey(p storage.Passkey, use storage.PasskeyUse) error {
	_, _, err := h.SignIn(h.tb.Context(), storage.SignIn{UserID: p.UserID, Passkey: &use, Life: time.Hour})
	return err
}

func TestPasskeys(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, bob := h.browser(h.ada), h.browser(h.bob)
		p := h.passkey(ada)
		found := must(db.PasskeyOf(ctx, p.CredentialID))(t)
		if found.ID != p.ID || found.UserID != ada.UserID || string(found.PublicKey) != "key" || !found.BackupEligible || found.BackedUp || !slices.Equal(found.Transports, p.Transports) || found.SignCount != 5 {
			t.Errorf("%+v", found)
		}
		_, err := db.PasskeyOf(ctx, []byte("none"))
		wantErr(t, err, storage.ErrNotFound)
		_, err = db.AddPasskey(ctx, bob, p, challenge(), nil)
		wantErr(t, err, storage.ErrConflict)
		if a := must(db.Account(ctx, ada))(t); a.Passkeys != 1 || a.RecoveryCodes != 0 {
			t.Errorf("%+v", a)
		}

		use := storage.PasskeyUse{PasskeyID: p.ID, SignCount: 6, BackedUp: true, Challenge: challenge()}
		h.check(h.byPasskey(p, use))
		wantErr(t, h.byPasskey(p, use), storage.ErrExpired) // answered before
		use.Challenge = challenge()
		wantErr(t, h.byPasskey(p, use), storage.ErrNotFound) // it was used further meanwhile
		use.SignCount, use.Challenge.Expires = 7, storage.Now().Add(-time.Second)
		wantErr(t, h.byPasskey(p, use), storage.ErrExpired)
		use.Challenge = challenge()
		wantErr(t, h.byPasskey(storage.Passkey{UserID: bob.UserID}, use), storage.ErrNotFound) // another's
		use.Challenge = challenge()
		h.check(h.byPasskey(p, use))
		list := must(db.Passkeys(ctx, ada))(t)
		if len(list) != 1 || list[0].SignCount != 7 || !list[0].BackedUp || list[0].LastUsedAt.IsZero() {
			t.Errorf("%+v", list)
		}

		// Who has a passkey is asked for it, without a password.
		h.later(ada)
		wantErr(t, db.RevokeOthers(ctx, ada), storage.ErrStepUp)
		wantErr(t, db.RemovePasskey(ctx, ada, p.ID, false), storage.ErrStepUp)
		_, err = db.AddPasskey(ctx, ada, storage.Passkey{Name: "x", CredentialID: []byte("x")}, challenge(), nil)
		wantErr(t, err, storage.ErrStepUp)
		_, err = db.NewRecoveryCodes(ctx, ada, nil)
		wantErr(t, err, storage.ErrStepUp)
		must(db.RenamePasskey(ctx, ada, p.ID, " Old  laptop "))(t) // needs none
		h.check(db.ProveByPasskey(ctx, ada, storage.PasskeyUse{PasskeyID: p.ID, SignCount: 8, Challenge: challenge()}))
		wantErr(t, db.ProveByPasskey(ctx, bob, storage.PasskeyUse{PasskeyID: p.ID, SignCount: 9, Challenge: challenge()}), storage.ErrNotFound)
		wantErr(t, db.RemovePasskey(ctx, bob, p.ID, false), storage.ErrNotFound)
		_, err = db.RenamePasskey(ctx, bob, p.ID, "mine")
		wantErr(t, err, storage.ErrNotFound)
		_, token := h.grant(h.ada, storage.NewToken{})
		wantErr(t, db.RemovePasskey(ctx, token, p.ID, false), storage.ErrForbidden)
		_, err = db.RenamePasskey(ctx, token, p.ID, "x")
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, db.RemovePasskey(ctx, ada, p.ID, true), storage.ErrLastWayIn)
		second := h.passkey(ada)
		h.check(db.RemovePasskey(ctx, ada, p.ID, false))
		wantErr(t, h.byPasskey(p, storage.PasskeyUse{PasskeyID: p.ID, SignCount: 10, Challenge: challenge()}), storage.ErrNotFound)
		wantErr(t, db.RemovePasskey(ctx, ada, second.ID, false), storage.ErrLastWayIn)
		for range storage.MaxPasskeys - 1 {
			h.passkey(ada)
		}
		_, err = db.AddPasskey(ctx, ada, storage.Passkey{Name: "x", CredentialID: []byte("x")}, challenge(), nil)
		wantErr(t, err, storage.ErrConflict)
		var actions []string
		for _, e := range h.log() {
			if e.Details["passkey_id"] == p.ID {
				actions = append(actions, string(e.Action)+" "+e.Details["name"]+e.Details["to"])
			}
		}
		if want := []string{"passkey_added Laptop", "passkey_renamed Old laptop", "passkey_removed Old laptop"}; !slices.Equal(actions, want) {
			t.Errorf("recorded are %q", actions)
		}
	})
}

// What was signed once lets one in once, however many nodes take it at the same time;
// and so does a recovery code.
func TestOnceOnly(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ada := h.browser(h.ada)
		p := h.passkey(ada)
		code := must(db.NewRecoveryCodes(t.Context(), ada, nil))(t)[3]
		use := storage.PasskeyUse{PasskeyID: p.ID, SignCount: 9, Challenge: challenge()}
		once := func(what string, signIn storage.SignIn) {
			errs := make([]error, 6)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { _, _, errs[i] = db.SignIn(t.Context(), signIn) })
			}
			all.Wait()
			in := 0
			for _, err := range errs {
				if err == nil {
					in++
				} else if !errors.Is(err, storage.ErrExpired) && !errors.Is(err, storage.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if in != 1 {
				t.Errorf("%s let %d in", what, in)
			}
		}
		once("passkey", storage.SignIn{UserID: ada.UserID, Passkey: &use, Life: time.Hour})
		once("recovery code", storage.SignIn{RecoveryCode: code, Life: time.Hour})
	})
}

func TestRecoveryCodes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ada, bob := h.browser(h.ada), h.browser(h.bob)
		first := must(db.NewRecoveryCodes(ctx, ada, nil))(t)
		others := must(db.NewRecoveryCodes(ctx, bob, nil))(t)
		for _, code := range append(first, others...) {
			if read, ok := storage.ReadRecoveryCode(storage.PrintRecoveryCode(code)); !ok || read != code {
				t.Errorf("%q is read as %q", code, read)
			}
		}
		recover := func(code string) error {
			_, _, err := db.SignIn(ctx, storage.SignIn{RecoveryCode: code, Life: time.Hour})
			return err
		}
		h.check(recover(first[0]))
		wantErr(t, recover(first[0]), storage.ErrNotFound)
		if a := must(db.Account(ctx, ada))(t); a.RecoveryCodes != 9 {
			t.Errorf("%d left", a.RecoveryCodes)
		}
		second := must(db.NewRecoveryCodes(ctx, ada, nil))(t)
		wantErr(t, recover(first[1]), storage.ErrNotFound)
		h.check(recover(second[0]))
		h.check(recover(others[0]))
		var told []string
		_, err := db.NewRecoveryCodes(ctx, ada, func(to storage.Addressee) (storage.NewJob, error) {
			told = append(told, to.Email)
			return storage.NewJob{}, nil
		})
		if err != nil || len(told) != 0 { // there is no address
			t.Errorf("%v, told %q", err, told)
		}
		_, token := h.grant(h.ada, storage.NewToken{})
		_, err = db.NewRecoveryCodes(ctx, token, nil)
		wantErr(t, err, storage.ErrForbidden)

		// Who is disabled gets in by nothing; what they had is good again afterwards.
		p := h.passkey(bob)
		use := storage.PasskeyUse{PasskeyID: p.ID, SignCount: 6, Challenge: challenge()}
		h.check(db.DisableUser(ctx, h.ada.WorkspaceID, h.bob.UserID))
		wantErr(t, recover(others[1]), storage.ErrNotFound)
		wantErr(t, h.byPasskey(p, use), storage.ErrNotFound)
		wantErr(t, db.ProveByPasskey(ctx, bob, use), storage.ErrSignedOut)
		h.check(db.EnableUser(ctx, h.ada.WorkspaceID, h.bob.UserID))
		h.check(recover(others[1]))
		h.check(h.byPasskey(p, use))
	})
}
