package sqldb_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
)

// TestDeletedTextLeavesTheFile deletes one message of many: neither the database
// file nor its log holds a word of it after the sweep, and the others are found.
func TestDeletedTextLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hark.db")
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite://" + path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, db)
	for i := range 20 {
		h.say(h.ada, h.room.ID, fmt.Sprintf("the harbour wall number %d stays", i))
	}
	gone := []string{h.say(h.ada, h.room.ID, "zyzzyvaquux and xylophonekin").ID}
	h.say(h.ada, h.room.ID, "the harbour wall is last")
	gone = append(gone, h.say(h.bob, h.room.ID, "wolframitejug").ID)

	secret := []string{"zyzzyvaquux", "xylophonekin", "wolframitejug"}
	if held := filesWith(t, path, secret); len(held) == 0 {
		t.Fatal("the words were never in the files")
	}
	for i, author := range []storage.Principal{h.ada, h.bob} {
		h.check(db.DeleteMessage(t.Context(), author, gone[i]))
	}
	h.check(db.EraseDeleted(t.Context()))
	for _, found := range filesWith(t, path, secret) {
		t.Error("after the deletion: " + found)
	}
	hits := must(db.Search(t.Context(), h.ada, storage.Query{Text: "harbour", Page: storage.Page{Limit: 50}}))(t)
	if len(hits.Hits) != 21 {
		t.Errorf("%d messages are found, want 21", len(hits.Hits))
	}
}

// filesWith lists which of the database's files hold which of the words.
func filesWith(t *testing.T, path string, words []string) (held []string) {
	t.Helper()
	for _, name := range []string{path, path + "-wal"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if at := bytes.Index(b, []byte(word)); at >= 0 {
				held = append(held, fmt.Sprintf("%s holds %q at %d", filepath.Base(name), word, at))
			}
		}
	}
	return held
}
