package sqldb_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// postbox notes what is mailed about addresses.
type postbox struct {
	mu    sync.Mutex
	sent  []string // what, and to whom
	codes []string
}

func (b *postbox) note(what string, to storage.Addressee, code string) (storage.NewJob, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, what+" "+to.Email+" "+to.Language)
	if code != "" {
		b.codes = append(b.codes, code)
	}
	return storage.NewJob{Kind: storage.Mail, Subject: storage.NewID()}, nil
}

func (b *postbox) mails() *storage.EmailMails {
	return &storage.EmailMails{
		Confirm: func(to storage.Addressee, secret string) (storage.NewJob, error) {
			return b.note("confirm", to, secret)
		},
		Taken: func(to storage.Addressee) (storage.NewJob, error) { return b.note("taken", to, "") },
	}
}

func (b *postbox) told(to storage.Addressee) (storage.NewJob, error) { return b.note("told", to, "") }

func (b *postbox) last() string { return b.codes[len(b.codes)-1] }

// TestConfirmEmail: an address holds from when its link is used, once, and what came
// meanwhile ends it.
func TestConfirmEmail(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx, box := newHarness(t, db), t.Context(), &postbox{}
		ask := func(who storage.Principal, email, password string) storage.Account {
			t.Helper()
			change := storage.AccountChange{Email: &email, Confirm: box.mails()}
			if password != "" {
				change.PasswordHash = &password
			}
			return must(db.ChangeAccount(ctx, who, change))(t)
		}
		account := func(who storage.Principal) storage.Account { return must(db.Account(ctx, who))(t) }
		confirm := func(code string) error { _, err := db.ConfirmEmail(ctx, code, box.told); return err }

		// Who has no account gets one with the password that they set, not before.
		bob := h.browser(h.bob)
		h.check(db.SetEmail(ctx, h.eve.UserID, "eve@example.org"))
		if a := ask(bob, "bob@example.org", "hash 1"); a.Email != "" || a.PasswordHash != "" || account(bob).Waiting.Email != "bob@example.org" {
			t.Errorf("%+v", a)
		}
		if c := must(db.EmailChange(ctx, box.last()))(t); c.UserID != h.bob.UserID || c.Email != "bob@example.org" {
			t.Errorf("%+v", c)
		}
		h.check(confirm(box.last()))
		if a := account(bob); a.Email != "bob@example.org" || a.PasswordHash != "hash 1" || a.Waiting.Email != "" {
			t.Errorf("%+v", a)
		}
		wantErr(t, confirm(box.last()), storage.ErrNotFound) // again
		wantErr(t, confirm("hark_nothing"), storage.ErrNotFound)
		h.check(db.Prove(ctx, bob, "hash 1"))

		// Asked for again, the first link is no good; the old address holds, and is told.
		must(db.ChangeProfile(ctx, h.bob, storage.ProfilePatch{Language: new("de")}))(t)
		ask(bob, "bob@example.net", "")
		first := box.last()
		ask(bob, "bob@example.com", "")
		wantErr(t, confirm(first), storage.ErrNotFound)
		if a := account(bob); a.Email != "bob@example.org" {
			t.Errorf("%+v", a)
		}
		h.check(confirm(box.last()))
		if !slices.Equal(box.sent[1:], []string{"confirm bob@example.net de", "confirm bob@example.com de", "told bob@example.org de"}) {
			t.Errorf("%q", box.sent)
		}

		// An address that is taken is answered like one that is free; its owner is told.
		sent, codes := len(box.sent), len(box.codes)
		if a := ask(bob, "EVE@example.org", ""); a.Email != "bob@example.com" || account(bob).Waiting.Email != "EVE@example.org" {
			t.Errorf("%+v", a)
		}
		if len(box.codes) != codes || box.sent[sent] != "taken eve@example.org " {
			t.Errorf("%q", box.sent[sent:])
		}

		for what, end := range map[string]func() error{
			"cancelled":          func() error { return db.CancelEmail(ctx, bob) },
			"other sessions":     func() error { return db.RevokeOthers(ctx, bob) },
			"set by an operator": func() error { return db.SetEmail(ctx, h.bob.UserID, "bob"+storage.NewID()+"@example.org") },
			"a session revoked": func() error {
				other := h.browser(h.bob)
				return db.RevokeToken(ctx, bob, other.CredentialID)
			},
			"password changed": func() error {
				_, err := db.ChangeAccount(ctx, bob, storage.AccountChange{PasswordHash: new("hash " + storage.NewID())})
				return err
			},
		} {
			ask(bob, "robert@example.org", "")
			h.check(end())
			if account(bob).Waiting.Email != "" || !errors.Is(confirm(box.last()), storage.ErrNotFound) {
				t.Errorf("%s: the link still works", what)
			}
		}
		ask(bob, "robert@example.org", "")
		h.check(db.DisableUser(ctx, h.bob.WorkspaceID, h.bob.UserID))
		wantErr(t, confirm(box.last()), storage.ErrNotFound)
		h.check(db.EnableUser(ctx, h.bob.WorkspaceID, h.bob.UserID))
		wantErr(t, confirm(box.last()), storage.ErrNotFound)
	})
}

// TestConfirmEmailRace: of two who want one address, the first to confirm has it.
func TestConfirmEmailRace(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx, box := newHarness(t, db), t.Context(), &postbox{}
		for _, who := range []storage.Principal{h.ada, h.bob, h.eve, h.mal} {
			_, err := db.ChangeAccount(ctx, h.browser(who), storage.AccountChange{Email: new("one@example.org"), Confirm: box.mails()})
			h.check(err)
		}
		errs := make([]error, len(box.codes))
		var all sync.WaitGroup
		for i, code := range box.codes {
			all.Go(func() { _, errs[i] = db.ConfirmEmail(ctx, code, box.told) })
		}
		all.Wait()
		had := 0
		for _, err := range errs {
			if err == nil {
				had++
			} else {
				wantErr(t, err, storage.ErrConflict)
			}
		}
		if len(errs) != 4 || had != 1 {
			t.Errorf("%d of %d have it", had, len(errs))
		}
	})
}
