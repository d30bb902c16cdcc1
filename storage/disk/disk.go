// Package disk makes files and folders last through a power cut (what was
// written, and the names in the folders above it), and keeps other processes
// and other users out of them.
package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Sync makes what was written to a file, or the names in a folder, last.
func Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// SyncChain syncs path, which lies in root, and each folder above it up to
// and including root. A folder with nothing new costs next to nothing, and
// which of them are new cannot be known while others come and go.
func SyncChain(root, path string) error {
	for {
		if err := Sync(path); err != nil {
			return err
		}
		if path == root {
			return nil
		}
		path = filepath.Dir(path)
	}
}

// SyncNearest is [SyncChain] for a path of which the lower part may have been
// removed: it begins at the first folder that is there.
func SyncNearest(root, path string) error {
	for path != root {
		if _, err := os.Lstat(path); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return err
		}
		path = filepath.Dir(path)
	}
	return SyncChain(root, path)
}

// MakeDir makes a folder that only its owner may enter, and those above it,
// and syncs them.
func MakeDir(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
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
	return SyncChain(present, dir)
}

// WriteFile writes a file that only its owner may read, whole or not at all.
func WriteFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return Sync(filepath.Dir(path))
}
