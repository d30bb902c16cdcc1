package confine

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// userInside is the child's user and group in a user namespace: nobody, as
// only user 0 would gain capabilities by becoming the program.
const userInside = 65534

// isolations are all kinds of isolation, the best first. Those without a user
// namespace are for a Hark that runs as root where there are none.
var isolations = []isolation{
	{namespaces: true, user: true, root: true},
	{namespaces: true, root: true},
	{namespaces: true, user: true},
	{namespaces: true},
	{},
}

// selfPath is the running binary, even after an upgrade replaced its file.
func selfPath() (string, error) { return "/proc/self/exe", nil }

// openReadOnly opens the file again, so that the child can neither write to it
// nor change how it is open here, even if it has no name any more.
func openReadOnly(f *os.File) (*os.File, error) {
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
}

// processAttributes puts the child into a process group of its own that dies
// with us, and into its namespaces. In a user namespace it keeps one capability,
// which it needs to change its root and then drops.
func processAttributes(w isolation) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if w.namespaces {
		attr.Cloneflags |= unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	}
	if w.root {
		attr.Cloneflags |= unix.CLONE_NEWNS
	}
	if w.user {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: userInside, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: userInside, HostID: os.Getegid(), Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN}
	}
	return attr
}

// maxThreads is the bound on a child's threads. Without a user namespace of
// its own they are counted together with all of its user's, this process's
// included, and so they are before Linux 5.14.
func maxThreads(w isolation) uint64 {
	const own, shared = 64, 4096
	if w.user && landlockVersion() >= 2 { // which came with Linux 5.19
		return own
	}
	return shared
}

func moreLimits(c confinement) []resourceLimit {
	return []resourceLimit{{"threads", unix.RLIMIT_NPROC, c.MaxThreads, c.MaxThreads}}
}

func killGroup(p *os.Process) error {
	err := unix.Kill(-p.Pid, unix.SIGKILL)
	if errors.Is(err, unix.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// become confines the thread and replaces the process. It returns only errors.
func become(c confinement) error {
	if err := unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("close inherited files: %w", err)
	}
	if c.EmptyRoot {
		if err := enterEmptyRoot(c.Build); err != nil {
			return err
		}
	}
	if err := dropPrivileges(); err != nil {
		return err
	}
	version := landlockVersion()
	if version > 0 {
		if err := restrictByLandlock(c.Build); err != nil {
			return err
		}
	}
	if err := limitResources(c); err != nil {
		return err
	}
	var filter []unix.SockFilter
	if haveSeccomp() {
		var err error
		if filter, err = systemCallFilter(os.Getpid()); err != nil {
			return err
		}
	}
	if c.Check {
		return check(version, filter)
	}
	return fmt.Errorf("execute %s: %w", c.Build.Program, filterAndExec(c, filter))
}

// dropPrivileges drops the thread's capabilities, and its means to gain any, and
// ties its life to its parent's.
func dropPrivileges() error {
	if err := dropCapabilities(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("set parent death signal: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	return nil
}

// filterAndExec bounds the address space, filters system calls and replaces
// the process, in bare system calls with everything made ready before: between
// the bound and the program nothing may be allocated, or the process dies of
// the bound now and then, and after the filter no limit can be set. It returns
// only errors.
func filterAndExec(c confinement, filter []unix.SockFilter) error {
	path, err := syscall.BytePtrFromString(c.Build.Program)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(append([]string{c.Build.Program}, c.Args...))
	if err != nil {
		return err
	}
	environment := []*byte{nil}
	var limit, before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &before); err != nil {
		return fmt.Errorf("read memory limit: %w", err)
	}
	limit.Max = min(c.MemoryBytes, before.Max)
	limit.Cur = limit.Max
	program := unix.SockFprog{Len: uint16(len(filter))}
	if len(filter) > 0 {
		program.Filter = &filter[0]
	}
	_, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, syscall.RLIMIT_AS, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if failed == 0 && len(filter) > 0 {
		_, _, failed = syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
	}
	if failed == 0 {
		_, _, failed = syscall.RawSyscall(syscall.SYS_EXECVE,
			uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&environment[0])))
	}
	runtime.KeepAlive(filter)
	return failed
}
