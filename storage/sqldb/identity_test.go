package sqldb_test

import (
	"regexp"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestBootstrapOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		actors, made := map[storage.Actor]bool{}, 0
		for range 8 {
			wg.Go(func() {
				actor, created, err := db.Bootstrap(t.Context(), "home", "Ada")
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if actors[actor] = true; created {
					made++
				}
			})
		}
		wg.Wait()
		if workspaces := must(db.Workspaces(t.Context()))(t); len(actors) != 1 || made != 1 || len(workspaces) != 1 || workspaces[0].Name != "home" {
			t.Errorf("%d actors, %d created, %v", len(actors), made, workspaces)
		}
	})
}

func TestTokens(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		token, secret, err := w.CreateToken(t.Context(), w.bob.UserID, storage.APIToken, "laptop", 0)
		w.check(err)
		if !regexp.MustCompile(`^hark_[0-9A-Za-z]{43}$`).MatchString(secret) {
			t.Errorf("secret %q", secret)
		}
		actor := must(w.Authenticate(t.Context(), secret, storage.APIToken))(t)
		want := w.bob
		want.TokenID = token.ID
		if actor != want {
			t.Errorf("actor %+v, want %+v", actor, want)
		}
		list := must(w.Tokens(t.Context(), w.bob))(t)
		if len(list) != 1 || list[0].ID != token.ID || list[0].LastUsedAt.IsZero() || list[0].LastUsedAt.Second() != 0 {
			t.Errorf("tokens %+v", list)
		}
		_, err = w.Authenticate(t.Context(), secret, storage.SessionToken)
		wantErr(t, err, storage.ErrNotFound)
		_, err = w.Authenticate(t.Context(), secret+"x", storage.APIToken)
		wantErr(t, err, storage.ErrNotFound)

		for _, stranger := range []storage.Actor{w.eve, w.mal} {
			wantErr(t, w.RevokeToken(t.Context(), stranger, token.ID), storage.ErrNotFound)
		}
		if ended := must(w.TokenEnded(t.Context(), token.ID))(t); ended {
			t.Error("ended before it was revoked")
		}
		w.check(w.RevokeToken(t.Context(), w.ada, token.ID)) // an owner may
		if ended := must(w.TokenEnded(t.Context(), token.ID))(t); !ended {
			t.Error("revoked and not ended")
		}
		wantErr(t, w.RevokeToken(t.Context(), w.bob, token.ID), storage.ErrNotFound)
		_, err = w.Authenticate(t.Context(), secret, storage.APIToken)
		wantErr(t, err, storage.ErrNotFound)

		brief, short, err := w.CreateToken(t.Context(), w.bob.UserID, storage.SessionToken, "", time.Millisecond)
		w.check(err)
		for err == nil { // until it has run out
			_, err = w.Authenticate(t.Context(), short, storage.SessionToken)
		}
		wantErr(t, err, storage.ErrExpired)
		if ended := must(w.TokenEnded(t.Context(), brief.ID))(t); ended {
			t.Error("running out counts as being revoked")
		}
		_, _, err = w.CreateToken(t.Context(), "nobody", storage.APIToken, "", 0)
		wantErr(t, err, storage.ErrNotFound)
	})
}

func TestImportToken(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		for range 2 {
			w.check(w.ImportToken(t.Context(), w.ada.UserID, "env", "chosen elsewhere"))
		}
		actor := must(w.Authenticate(t.Context(), "chosen elsewhere", storage.APIToken))(t)
		if actor.UserID != w.ada.UserID {
			t.Errorf("actor %+v", actor)
		}
		wantErr(t, w.ImportToken(t.Context(), w.bob.UserID, "env", "chosen elsewhere"), storage.ErrConflict)
		w.check(w.RevokeToken(t.Context(), w.ada, actor.TokenID))
		wantErr(t, w.ImportToken(t.Context(), w.ada.UserID, "env", "chosen elsewhere"), storage.ErrConflict)
	})
}

func TestRedeemOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		_, link, err := w.CreateToken(t.Context(), w.ada.UserID, storage.SignInToken, "first", time.Hour)
		w.check(err)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var sessions []string
		for range 8 {
			wg.Go(func() {
				_, secret, err := w.Redeem(t.Context(), link, time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					sessions = append(sessions, secret)
				} else {
					wantErr(t, err, storage.ErrExpired)
				}
			})
		}
		wg.Wait()
		if len(sessions) != 1 {
			t.Fatalf("%d sessions", len(sessions))
		}
		if actor := must(w.Authenticate(t.Context(), sessions[0], storage.SessionToken))(t); actor.UserID != w.ada.UserID {
			t.Errorf("actor %+v", actor)
		}
		_, _, err = w.Redeem(t.Context(), "never was", time.Hour)
		wantErr(t, err, storage.ErrNotFound)
		_, _, err = w.Redeem(t.Context(), sessions[0], time.Hour)
		wantErr(t, err, storage.ErrNotFound)
	})
}
