package sqldb_test

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"hark/storage"
	"hark/storage/keys"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// TestSecretsOfNodes has nodes share the signing key through the database.
func TestSecretsOfNodes(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		first, err := db.SigningKey(t.Context())
		if err != nil || len(first) != 32 {
			t.Fatalf("%x, %v", first, err)
		}
		if second, err := db.SigningKey(t.Context()); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%x, then %x, %v", first, second, err)
		}
	})
}

// TestSecretsLeaveTheDatabase moves the secrets of a database to a key file, as
// an upgrade does: what is sealed stays open, and no byte of them stays behind.
func TestSecretsLeaveTheDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hark.db")
	open := func(cfg sqldb.Config) *sqldb.DB {
		t.Helper()
		cfg.URL, cfg.Logger = "sqlite://"+path, slog.New(slog.DiscardHandler)
		db, err := sqldb.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return db
	}
	before := open(sqldb.Config{})
	signing, err := before.SigningKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, before)
	h.conversation(h.ada)
	_, next, err := before.Conversations(t.Context(), h.ada, storage.Page{Limit: 1})
	if err != nil || next == "" {
		t.Fatalf("cursor %q, %v", next, err)
	}
	before.Close()

	file, err := keys.Open(filepath.Join(dir, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	after := open(sqldb.Config{Secrets: file})
	defer after.Close()
	stored, err := after.StoredSecrets(t.Context())
	if err != nil || len(stored) != 2 {
		t.Fatalf("%d secrets, %v", len(stored), err)
	}
	if err := file.Keep(stored); err != nil {
		t.Fatal(err)
	}
	if err := after.EraseSecrets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again, err := after.SigningKey(t.Context()); err != nil || !bytes.Equal(signing, again) {
		t.Errorf("the signing key is %x, %v; want %x", again, err, signing)
	}
	if _, _, err := after.Conversations(t.Context(), h.ada, storage.Page{Limit: 1, Cursor: next}); err != nil {
		t.Errorf("a cursor made before: %v", err)
	}
	if left, err := after.StoredSecrets(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("%d secrets are left, %v", len(left), err)
	}
	if _, _, err := after.CreateWorkspace(t.Context(), "another", "Owner"); err != nil {
		t.Errorf("make a workspace: %v", err)
	}
	for name, secret := range stored {
		raw, _ := hex.DecodeString(secret)
		for _, entry := range []string{path, path + "-wal"} {
			b, err := os.ReadFile(entry)
			if err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, raw) {
				t.Errorf("%s still holds the %s", filepath.Base(entry), name)
			}
		}
	}
	bare := open(sqldb.Config{})
	defer bare.Close()
	if _, err := bare.SigningKey(t.Context()); err == nil {
		t.Error("without the key file there is a key")
	}
}

// TestDatabaseIsItsOwners opens databases that others may read: one that is
// made, and one that was made with wider bits.
func TestDatabaseIsItsOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hark.db")
	for range 2 {
		db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite://" + path, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
		db.Close()
		if err := os.Chmod(path, fs.FileMode(0o644)); err != nil {
			t.Fatal(err)
		}
	}
}
