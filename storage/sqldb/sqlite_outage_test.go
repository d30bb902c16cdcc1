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
	w := newWorld(t, db)
	w.check(w.Ping(t.Context()))
	filler := filepath.Join(dir, "filler")
	_ = os.WriteFile(filler, make([]byte, 8<<20), 0o600) // as much as goes in
	for {
		if _, _, _, err := w.Accept(t.Context(), w.ada, newMessage(w.room)); err != nil { // the log has some room left
			wantErr(t, err, storage.ErrNoSpace)
			break
		}
	}
	wantErr(t, w.Ping(t.Context()), storage.ErrNoSpace)
	w.check(os.Remove(filler))
	w.check(w.Ping(t.Context()))
	w.send(w.ada, w.room.ID)
}

// TestSQLiteHeld has another program hold the file.
func TestSQLiteHeld(t *testing.T) {
	url := storagetest.SQLite(t)
	db := storagetest.Open(t, url)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, db)
	other := storagetest.Open(t, url)
	err := other.HoldWorkspace(t.Context(), w.ada.WorkspaceID, func() {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, _, _, err := w.Accept(ctx, w.ada, newMessage(w.room))
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, storage.ErrUnreachable) {
			t.Errorf("accepted, or failed with %v", err)
		}
	})
	w.check(err)
	w.send(w.ada, w.room.ID)
}
