//go:build !linux

package confine

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

// isolations has no isolation here.
var isolations = []isolation{{}}

func selfPath() (string, error) { return os.Executable() }

func openReadOnly(f *os.File) (*os.File, error) { return os.Open(fmt.Sprintf("/dev/fd/%d", f.Fd())) }

func processAttributes(isolation) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func maxThreads(isolation) uint64 { return 0 }

func moreLimits(confinement) []resourceLimit { return nil }

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

// become bounds memory, time and files, and nothing else: such a system is not
// for clips from strangers, which [Runner.Level] tells.
func become(c confinement) error {
	if c.EmptyRoot {
		return fmt.Errorf("an empty root: %w", syscall.ENOTSUP)
	}
	if err := limitResources(c); err != nil {
		return err
	}
	if c.Check {
		if err := json.NewEncoder(os.Stdout).Encode(checkReport{Allowed: []string{"read files", "open network connections"}}); err != nil {
			return err
		}
		os.Exit(0)
	}
	limit := syscall.Rlimit{Cur: c.MemoryBytes, Max: c.MemoryBytes}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	return syscall.Exec(c.Build.Program, append([]string{c.Build.Program}, c.Args...), []string{})
}
