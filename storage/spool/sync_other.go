//go:build !linux

package spool

import (
	"errors"
	"os"
)

// syncSystem is not known on all systems: each file is synced.
func syncSystem(*os.File) error { return errors.ErrUnsupported }

func syncFile(f *os.File) error { return f.Sync() }
