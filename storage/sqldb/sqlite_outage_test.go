//go:build linux

package sqldb_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/storagetest"
)

// TestSQLiteDiskFills fills the disk: readiness sees what uploads see, and sees
// that it is over.
func TestSQLiteDiskFills(t *testing.T) {
	dir := storagetest.SmallDisk(t, "8m")
	db := storagetest.Open(t, "sqlite://"+filepath.Join(dir, "hark.db"))
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, db)
	h.check(h.Ping(t.Context()))
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, make([]byte, 8<<20), 0o600) // as much as goes in
	for {
		if _, _, err := h.Accept(t.Context(), h.ada, newMessage(h.room)); err != nil { // the log has some room left
			wantErr(t, err, storage.ErrNoSpace)
			break
		}
	}
	wantErr(t, h.Ping(t.Context()), storage.ErrNoSpace)
	h.check(os.Remove(filler))
	h.check(h.Ping(t.Context()))
	h.send(h.ada, h.room.ID)
}

// TestSQLiteHeld has another program hold the file.
func TestSQLiteHeld(t *testing.T) {
	url := storagetest.SQLite(t)
	db := storagetest.Open(t, url)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, db)
	other := storagetest.Open(t, url)
	err := other.HoldWorkspace(t.Context(), h.ada.WorkspaceID, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, _, err := h.Accept(ctx, h.ada, newMessage(h.room))
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, storage.ErrUnreachable) {
			t.Errorf("accepted, or failed with %v", err)
		}
	})
	h.check(err)
	h.send(h.ada, h.room.ID)
}
