package decode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// selfPath is the running binary, even after an upgrade replaced its file.
func selfPath() (string, error) { return "/proc/self/exe", nil }

// processAttributes puts the child into a process group that dies with us and,
// to isolate it, into a user namespace in which nobody has any power and a
// network namespace without a network.
func processAttributes(isolate bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if isolate {
		attr.Cloneflags = unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	}
	return attr
}

// namespacesDenied reports whether starting failed for want of namespaces.
func namespacesDenied(err error) bool {
	for _, denied := range []error{unix.EPERM, unix.EINVAL, unix.ENOSPC, unix.EUSERS, unix.ENOSYS, unix.EACCES} {
		if errors.Is(err, denied) {
			return true
		}
	}
	return false
}

func killGroup(p *os.Process) error {
	err := unix.Kill(-p.Pid, unix.SIGKILL)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// noteMissing logs which walls this kernel cannot build.
func (d *Decoder) noteMissing(ctx context.Context) {
	if landlockVersion() <= 0 {
		d.log.WarnContext(ctx, "this kernel has no Landlock: decoder children can read files")
	}
	if !haveSeccomp() {
		d.log.WarnContext(ctx, "this kernel has no seccomp filters: decoder children can make any system call")
	}
}

// restrict takes away what the thread will not need as the program.
func restrict(c confinement) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("set the parent's death signal: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if version := landlockVersion(); version > 0 {
		if err := landlock(version, readable(c.Program)); err != nil {
			return err
		}
	}
	if haveSeccomp() {
		return filterSystemCalls()
	}
	return nil
}

// boundAndExec bounds the address space and replaces the process, in two bare
// system calls with everything made ready before: syscall.Exec would allocate
// in between, and so die of the bound now and then. It returns only errors.
func boundAndExec(program string, argv []string, memory uint64) error {
	path, err := syscall.BytePtrFromString(program)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	environment := []*byte{nil}
	var limit, before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &before); err != nil {
		return fmt.Errorf("read limit of memory: %w", err)
	}
	limit.Max = min(memory, before.Max)
	limit.Cur = limit.Max
	_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, syscall.RLIMIT_AS, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if failed == 0 {
		_, _, failed = syscall.RawSyscall(syscall.SYS_EXECVE,
			uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&environment[0])))
	}
	return failed
}

// readable are the paths that a program is made of. Those that do not exist
// are passed over.
func readable(program string) []string {
	paths := []string{
		program, "/etc/ld.so.cache", "/etc/ld.so.preload",
		"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib",
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		paths = append(paths, real, filepath.Join(filepath.Dir(real), "..", "lib"))
	}
	return paths
}
