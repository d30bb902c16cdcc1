package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked means that another process has a lock.
var ErrLocked = errors.New("another process uses the folder")

// Lock takes a folder for this process by a file in it, until that is closed
// or the process ends. Each folder that two processes would spoil for each
// other has one, since several of Hark's engines can lie in one data folder or
// be served alone.
func Lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// Claim makes a folder that only its owner may enter, unless it is there, and
// takes it for this process by a file of the name lock in it; see [Lock].
func Claim(dir string) (*os.File, error) {
	if err := MakeDir(dir); err != nil {
		return nil, err
	}
	return Lock(filepath.Join(dir, "lock"))
}
