package sqldb

import (
	"context"
	"errors"
	"fmt"
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
