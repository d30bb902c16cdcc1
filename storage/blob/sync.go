package blob

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// syncPath makes what was written to a file, or the names in a folder, last
// through a power cut.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncChain syncs path, which lies in root, and each folder above it up to
// and including root. A folder with nothing new costs next to nothing, and
// which of them are new cannot be known while others come and go.
func syncChain(root, path string) error {
	for {
		if err := syncPath(path); err != nil {
			return err
		}
		if path == root {
			return nil
		}
		path = filepath.Dir(path)
	}
}

// syncNearest is syncChain for a path of which the lower part may have been
// removed: it begins at the first folder that is there.
func syncNearest(root, path string) error {
	for path != root {
		if _, err := os.Lstat(path); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return err
		}
		path = filepath.Dir(path)
	}
	return syncChain(root, path)
}

// makeDir makes a folder that only its owner may enter, and those above it,
// and syncs them.
func makeDir(dir string) error {
	present := dir
	for {
		if _, err := os.Stat(present); err == nil {
			break
		}
		present = filepath.Dir(present)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncChain(present, dir)
}

// lockDir keeps other processes from serving the folder until the file is
// closed or the process ends.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another process serves this folder")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
