package conn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"hark/storage"
)

// TestSQLiteDiskFull knows a full disk by both ways in which SQLite tells it.
func TestSQLiteDiskFull(t *testing.T) {
	for name, err := range map[string]error{
		"no page":  sqlite3.Error{Code: sqlite3.ErrFull},
		"no write": sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC},
	} {
		if got := (sqlite{}).translate(fmt.Errorf("commit: %w", err)); !errors.Is(got, storage.ErrNoSpace) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := (sqlite{}).translate(sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EIO}); errors.Is(got, storage.ErrNoSpace) {
		t.Errorf("a broken disk: %v", got)
	}
}

// TestSQLiteAway knows a file that cannot be used for now, and one that is no
// database.
func TestSQLiteAway(t *testing.T) {
	for err, away := range map[error]bool{
		sqlite3.Error{Code: sqlite3.ErrBusy}:                              true,
		sqlite3.Error{Code: sqlite3.ErrReadonly}:                          true,
		sqlite3.Error{Code: sqlite3.ErrCantOpen}:                          true,
		sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EIO}:   true,
		sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EROFS}: true,
		sqlite3.Error{Code: sqlite3.ErrCorrupt}:                           false,
		sqlite3.Error{Code: sqlite3.ErrNotADB}:                            false,
		context.DeadlineExceeded:                                          false,
	} {
		if got := (sqlite{}).translate(fmt.Errorf("commit: %w", err)); errors.Is(got, storage.ErrUnreachable) != away {
			t.Errorf("%v: %v", err, got)
		}
	}
}

// TestDamagedFile opens what is no database: the error says what to do.
func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hark.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{URL: "sqlite://" + path, Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "'hark reindex'") {
		t.Errorf("got %v", err)
	}
}
