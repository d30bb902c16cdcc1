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
		principals, made := map[storage.Principal]bool{}, 0
		for range 8 {
			wg.Go(func() {
				principal, created, err := db.Bootstrap(t.Context(), "home", "Ada")
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if principals[principal] = true; created {
					made++
				}
			})
		}
		wg.Wait()
		if workspaces := must(db.Workspaces(t.Context()))(t); len(principals) != 1 || made != 1 || len(workspaces) != 1 || workspaces[0].Name != "home" {
			t.Errorf("%d principals, %d created, %v", len(principals), made, workspaces)
		}
	})
}

func TestTokens(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		token, secret, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.APIToken, Name: "laptop"})
		h.check(err)
		if !regexp.MustCompile(`^hark_[0-9A-Za-z]{43}$`).MatchString(secret) {
			t.Errorf("secret %q", secret)
		}
		principal := must(h.Authenticate(t.Context(), secret, storage.APIToken))(t)
		want := h.bob
		want.CredentialID, want.Rules = token.ID, storage.DefaultRules
		if principal != want {
			t.Errorf("principal %+v, want %+v", principal, want)
		}
		list := must(h.Tokens(t.Context(), h.bob))(t)
		if len(list) != 1 || list[0].ID != token.ID || list[0].LastUsedAt.IsZero() || list[0].LastUsedAt.Second() != 0 {
			t.Errorf("tokens %+v", list)
		}
		_, err = h.Authenticate(t.Context(), secret, storage.SessionToken)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.Authenticate(t.Context(), secret+"x", storage.APIToken)
		wantErr(t, err, storage.ErrNotFound)

		for _, stranger := range []storage.Principal{h.eve, h.mal} {
			wantErr(t, h.RevokeToken(t.Context(), stranger, token.ID), storage.ErrNotFound)
		}
		if ended := must(h.TokenEnded(t.Context(), token.ID))(t); ended {
			t.Error("ended before it was revoked")
		}
		h.check(h.RevokeToken(t.Context(), h.ada, token.ID)) // an owner may
		if ended := must(h.TokenEnded(t.Context(), token.ID))(t); !ended {
			t.Error("revoked and not ended")
		}
		wantErr(t, h.RevokeToken(t.Context(), h.bob, token.ID), storage.ErrNotFound)
		_, err = h.Authenticate(t.Context(), secret, storage.APIToken)
		wantErr(t, err, storage.ErrNotFound)

		brief, short, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.SessionToken, Name: "", Life: time.Millisecond})
		h.check(err)
		for err == nil { // until it has run out
			_, err = h.Authenticate(t.Context(), short, storage.SessionToken)
		}
		wantErr(t, err, storage.ErrExpired)
		if ended := must(h.TokenEnded(t.Context(), brief.ID))(t); ended {
			t.Error("running out counts as being revoked")
		}
		_, _, err = h.CreateToken(t.Context(), "nobody", storage.NewToken{Kind: storage.APIToken, Name: ""})
		wantErr(t, err, storage.ErrNotFound)
	})
}

func TestImportToken(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 2 {
			h.check(h.ImportToken(t.Context(), h.ada.UserID, "env", "chosen elsewhere"))
		}
		principal := must(h.Authenticate(t.Context(), "chosen elsewhere", storage.APIToken))(t)
		if principal.UserID != h.ada.UserID {
			t.Errorf("principal %+v", principal)
		}
		wantErr(t, h.ImportToken(t.Context(), h.bob.UserID, "env", "chosen elsewhere"), storage.ErrConflict)
		h.check(h.RevokeToken(t.Context(), h.ada, principal.CredentialID))
		wantErr(t, h.ImportToken(t.Context(), h.ada.UserID, "env", "chosen elsewhere"), storage.ErrConflict)
	})
}

func TestCodeSignsInOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		_, link, err := h.CreateToken(t.Context(), h.ada.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "first", Life: time.Hour})
		h.check(err)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var sessions []string
		for range 8 {
			wg.Go(func() {
				_, secret, err := h.SignIn(t.Context(), storage.SignIn{Code: link, Life: time.Hour})
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
		if principal := must(h.Authenticate(t.Context(), sessions[0], storage.SessionToken))(t); principal.UserID != h.ada.UserID {
			t.Errorf("principal %+v", principal)
		}
		_, _, err = h.SignIn(t.Context(), storage.SignIn{Code: "never was", Life: time.Hour})
		wantErr(t, err, storage.ErrNotFound)
		_, _, err = h.SignIn(t.Context(), storage.SignIn{Code: sessions[0], Life: time.Hour})
		wantErr(t, err, storage.ErrNotFound)
	})
}
