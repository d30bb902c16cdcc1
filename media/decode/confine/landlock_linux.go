package confine

import (
	"errors"
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// ownInput is the child's standard input by a path under which it can be
// opened again.
const ownInput = "/proc/self/fd/0"

// landlockVersion returns the version of the kernel's Landlock, or 0 when it
// has none or has it switched off.
func landlockVersion() int {
	version, err := ll.LandlockGetABIVersion()
	if err != nil || version < 0 {
		return 0
	}
	return version
}

// restrictByLandlock lets the thread execute the program and its loader, read
// them, its libraries and its standard input, and nothing else: no other file,
// no change to any, no network, no signals or abstract sockets to the outside,
// as far as the kernel's version goes. The thread must have given up new
// privileges.
func restrictByLandlock(b build) error {
	rules := []landlock.Rule{
		landlock.PathAccess(ll.AccessFSExecute|ll.AccessFSReadFile, b.executables()...),
	}
	for _, path := range b.Paths {
		access := landlock.AccessFSSet(ll.AccessFSReadFile)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			return fmt.Errorf("stat %s: %w", path, err)
		case info.IsDir():
			access |= ll.AccessFSReadDir
		}
		rules = append(rules, landlock.PathAccess(access, path))
	}
	// A pipe needs no rule, and cannot have one.
	if input, err := os.Stdin.Stat(); err == nil && input.Mode()&os.ModeNamedPipe == 0 {
		rules = append(rules, landlock.PathAccess(ll.AccessFSReadFile, ownInput))
	}
	ruleset, flags, err := landlock.V11.BestEffort().NewRulesetFD(rules...)
	if err != nil {
		return fmt.Errorf("make Landlock rules: %w", err)
	}
	if ruleset < 0 {
		return errors.New("make Landlock rules: the kernel accepted none")
	}
	defer unix.Close(ruleset)
	if err := ll.LandlockRestrictSelf(ruleset, flags); err != nil {
		return fmt.Errorf("apply Landlock rules: %w", err)
	}
	return nil
}
