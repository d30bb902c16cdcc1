package confine

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attempts is what a confined child tries at the start, to learn whether its
// isolation hold. Each works for any process without isolation.
var attempts = []struct {
	what string // follows "a child can"
	try  func() error
}{
	{"read files", func() error { return open("/etc/passwd", unix.O_RDONLY) }},
	{"read of other processes", func() error { return open("/proc/1/stat", unix.O_RDONLY) }},
	{"write files", func() error { return open("/tmp", unix.O_TMPFILE|unix.O_WRONLY) }},
	{"list folders", func() error { return open("/", unix.O_RDONLY|unix.O_DIRECTORY) }},
	{"use devices", func() error { return open("/dev/null", unix.O_RDWR) }},
	{"open network connections", func() error { return socket(unix.AF_INET) }},
	{"talk to local services", func() error { return socket(unix.AF_UNIX) }},
	{"signal processes", func() error { return unix.Kill(os.Getpid(), 0) }},
	{"change limits", func() error {
		var now unix.Rlimit
		if err := unix.Prlimit(0, unix.RLIMIT_CPU, nil, &now); err != nil {
			return err
		}
		return unix.Prlimit(0, unix.RLIMIT_CPU, &now, nil)
	}},
	{"change files' modes", func() error { return unix.Fchmod(1, 0o600) }},
	{"change priorities", func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, 19) }},
	{"watch files", func() error { return keep(unix.InotifyInit1(unix.IN_CLOEXEC)) }},
	{"make files in memory", func() error { return keep(unix.MemfdCreate("check", unix.MFD_CLOEXEC)) }},
	{"make namespaces", func() error { return unix.Unshare(0) }},
}

func open(path string, flags int) error { return keep(unix.Open(path, flags|unix.O_CLOEXEC, 0o600)) }

func socket(family int) error {
	return keep(unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0))
}

// keep closes what was opened against expectation.
func keep(fd int, err error) error {
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// check filters the thread's system calls, makes the attempts, prints what
// came of them and ends the process. It returns only errors.
func check(landlock int, filter []unix.SockFilter) error {
	if len(filter) > 0 {
		program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&program)))
		runtime.KeepAlive(filter)
		if errno != 0 {
			return fmt.Errorf("filter system calls: %w", errno)
		}
	}
	report := checkReport{OwnProcesses: os.Getpid() == 1, SystemCalls: len(filter) > 0, Landlock: landlock}
	for _, attempt := range attempts {
		if attempt.try() == nil {
			report.Allowed = append(report.Allowed, attempt.what)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	os.Exit(0)
	return nil
}
