package confine

import (
	"fmt"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// allowedCalls are the system calls that a decoder makes, by the names of all
// architectures: each has some of them. They allocate memory, read what is
// open, open what Landlock and the root allow, make threads and tell the time.
// None changes a file, reaches another process or makes anything that outlives
// this one. What is needed with some arguments only is in limitedCalls.
var allowedCalls = []string{
	// Memory.
	"brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "membarrier",
	// Files.
	"read", "readv", "pread64", "preadv", "write", "writev", "lseek", "close",
	"open", "openat", "stat", "lstat", "fstat", "newfstatat", "statx",
	"access", "faccessat", "readlink", "readlinkat", "getdents64", "getcwd",
	"dup", "dup2", "dup3", "poll", "ppoll", "select", "pselect6",
	// Threads, and signals within the process.
	"futex", "set_tid_address", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "arch_prctl",
	// What time it is, who this is, how much there is.
	"clock_gettime", "clock_getres", "gettimeofday", "time", "nanosleep", "clock_nanosleep", "times", "getrusage",
	"getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrandom", "getrlimit", "sysinfo",
	// The program's beginning and end. The filter is there before the program
	// is, so it cannot refuse this; what may be executed is Landlock's business.
	"execve", "exit", "exit_group",
}

// absentCalls are calls for which a C library has an older way when the kernel
// does not know them (ENOSYS), and only then. The filter cannot see the flags
// of clone3, which lie in memory.
var absentCalls = []string{
	"clone3", "openat2", "faccessat2", "fchmodat2", "close_range", "epoll_pwait2", "futex_waitv", "futex_wake", "futex_wait", "futex_requeue",
	"map_shadow_stack", "mseal", "cachestat",
}

// newestCall is the last system call that this list was made with. What came
// later is as absent as it is on a kernel of that time.
const newestCall = 462 // mseal, Linux 6.10

// threadFlags are the flags of clone with which C libraries make threads.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM |
	unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID | unix.CLONE_CHILD_SETTID | unix.CLONE_DETACHED

// limitedCalls are the calls that are allowed with some arguments. pid is the
// process's own number, which it keeps when it becomes the program.
func limitedCalls(pid int) []seccomp.NameWithConditions {
	equal := func(argument uint32, value uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: value}
	}
	calls := []seccomp.NameWithConditions{
		{Name: "clone", Conditions: seccomp.ArgumentConditions{
			{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD},
			{Argument: 0, Operation: seccomp.BitsNotSet, Value: ^uint64(threadFlags)},
		}},
		{Name: "tgkill", Conditions: seccomp.ArgumentConditions{equal(0, uint64(pid))}},         // abort
		{Name: "prlimit64", Conditions: seccomp.ArgumentConditions{equal(0, 0), equal(2, 0)}},   // its own, to read
		{Name: "ioctl", Conditions: seccomp.ArgumentConditions{equal(1, unix.TCGETS)}},          // isatty
		{Name: "prctl", Conditions: seccomp.ArgumentConditions{equal(0, unix.PR_SET_NAME)}},     // of a thread
		{Name: "prctl", Conditions: seccomp.ArgumentConditions{equal(0, unix.PR_SET_VMA)}},      // names of memory
		{Name: "prctl", Conditions: seccomp.ArgumentConditions{equal(0, unix.PR_CAPBSET_READ)}}, // libcap
		{Name: "mlock", Conditions: seccomp.ArgumentConditions{{Argument: 1, Operation: seccomp.LessOrEqual, Value: 1 << 16}}},
	}
	for _, command := range []uint64{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_DUPFD, unix.F_DUPFD_CLOEXEC} {
		calls = append(calls, seccomp.NameWithConditions{Name: "fcntl", Conditions: seccomp.ArgumentConditions{equal(1, command)}})
	}
	return calls
}

// haveSeccomp reports whether the kernel filters system calls and the filter
// is known for this architecture.
func haveSeccomp() bool {
	_, err := arch.GetInfo("")
	return err == nil && seccomp.Supported()
}

// systemCallFilter makes the filter's program: a foreign architecture or ABI
// is killed, what is allowed passes, what a library can do without is absent,
// and everything else is not permitted.
func systemCallFilter(pid int) ([]unix.SockFilter, error) {
	here, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	policy := seccomp.Policy{
		DefaultAction: seccomp.ActionErrno, // EPERM
		Syscalls: []seccomp.SyscallGroup{
			{Names: known(here, allowedCalls), NamesWithCondtions: limitedCalls(pid), Action: seccomp.ActionAllow},
			{Names: known(here, absentCalls), Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		},
	}
	rules, err := policy.Assemble()
	if err != nil {
		return nil, fmt.Errorf("make system call filter: %w", err)
	}
	raw, err := bpf.Assemble(append(filterHead(here), rules...))
	if err != nil {
		return nil, fmt.Errorf("make system call filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return filter, nil
}

// filterHead is what the library does more gently or not at all: a call of
// another architecture or of the x32 ABI ends the process, and a call that is
// newer than the list is not there.
func filterHead(here *arch.Info) []bpf.Instruction {
	const numberOffset, archOffset, word = 0, 4, 4
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(here.ID), SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
		bpf.LoadAbsolute{Off: numberOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: uint32(arch.X32.SeccompMask), SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS},
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: newestCall, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
	}
}

// known are the names that an architecture has.
func known(here *arch.Info, names []string) []string {
	var have []string
	for _, name := range names {
		if _, ok := here.SyscallNames[name]; ok {
			have = append(have, name)
		}
	}
	return have
}
