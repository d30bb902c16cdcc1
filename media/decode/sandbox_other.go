//go:build !linux

package decode

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

func selfPath() (string, error) { return os.Executable() }

func processAttributes(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func namespacesDenied(error) bool { return false }

func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }

func (d *Decoder) noteMissing(ctx context.Context) {
	d.log.WarnContext(ctx, "this system bounds the memory and time of decoder children, and nothing else: not for clips from strangers")
}

func restrict(confinement) error { return nil }

func boundAndExec(program string, argv []string, memory uint64) error {
	limit := syscall.Rlimit{Cur: memory, Max: memory}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return fmt.Errorf("limit memory: %w", err)
	}
	return syscall.Exec(program, argv, []string{})
}
