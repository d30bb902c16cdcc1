package sqldb

import (
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
