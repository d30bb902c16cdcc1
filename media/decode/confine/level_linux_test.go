package confine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

const (
	machineMarker = "__machine" // NAME: print the level on a machine that denies something
	parentMarker  = "__parent"  // PROGRAM: start a child that never ends
)

// machines are what systems and containers deny to programs, as a filter of
// their calls imitates it.
var machines = map[string]*seccomp.Policy{
	"all": nil,
	"no Landlock": denying(unix.ENOSYS, seccomp.SyscallGroup{
		Names: []string{"landlock_create_ruleset"},
	}),
	"no mounts": denying(unix.EACCES, seccomp.SyscallGroup{ // as AppArmor for containers
		Names: []string{"mount"},
	}),
	"no user namespaces": denying(unix.EPERM, seccomp.SyscallGroup{ // as a container's filter
		NamesWithCondtions: []seccomp.NameWithConditions{{Name: "clone", Conditions: seccomp.ArgumentConditions{
			{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_NEWUSER},
		}}},
	}),
	"no filters": denying(unix.ENOSYS, seccomp.SyscallGroup{
		NamesWithCondtions: []seccomp.NameWithConditions{{Name: "seccomp", Conditions: seccomp.ArgumentConditions{
			{Argument: 0, Operation: seccomp.Equal, Value: 0},
		}}},
	}),
}

func denying(errno syscall.Errno, calls seccomp.SyscallGroup) *seccomp.Policy {
	calls.Action = seccomp.ActionErrno | seccomp.Action(errno)
	return &seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{calls}}
}

// helperMain makes the test binary one of the helpers.
func helperMain() {
	if len(os.Args) != 3 {
		return
	}
	var err error
	switch os.Args[1] {
	case machineMarker:
		err = printLevel(machines[os.Args[2]])
	case parentMarker:
		err = startForever(os.Args[2])
	default:
		return
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func printLevel(denied *seccomp.Policy) error {
	if denied != nil {
		if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: *denied}); err != nil {
			return err
		}
	}
	what, err := runner(Config{}).Level(context.Background())
	if err != nil {
		return err
	}
	_, refused := runner(Config{RequireFull: true}).Level(context.Background())
	if what.Full() == errors.Is(refused, ErrNotConfined) {
		return fmt.Errorf("confined %v, and required: %w", what, refused)
	}
	if err := json.NewEncoder(os.Stdout).Encode(what); err != nil {
		return err
	}
	os.Exit(0)
	return nil
}

// TestConfinementOfMachines finds out what is reached where a part is missing:
// everything else.
func TestConfinementOfMachines(t *testing.T) {
	best := Level{EmptyRoot: true, OwnProcesses: true, OwnNetwork: true, OwnUsers: true, SystemCalls: true, Landlock: landlockVersion()}
	with := func(change func(*Level)) Level {
		c := best
		change(&c)
		return c
	}
	for _, c := range []struct {
		machine string
		uid     uint32
		want    Level
		level   string
	}{
		{"all", 0, best, "full (empty root, "},
		{"all", userInside, best, "full (empty root, "},
		{"no Landlock", userInside, with(func(c *Level) { c.Landlock, c.Allowed = 0, []string{"list folders"} }), "partial: without Landlock; a child can list folders"},
		{"no mounts", userInside, with(func(c *Level) { c.EmptyRoot = false }), "partial: without empty root"},
		{"no user namespaces", 0, with(func(c *Level) { c.OwnUsers = false }), "full (empty root, "},
		{"no user namespaces", userInside, with(func(c *Level) {
			c.EmptyRoot, c.OwnProcesses, c.OwnNetwork, c.OwnUsers = false, false, false, false
		}), "partial: without empty root, own processes, own network"},
		{"no filters", userInside, with(func(c *Level) {
			c.SystemCalls = false
		}), "partial: without system call filter; a child can open network connections, talk to local services, "},
	} {
		t.Run(fmt.Sprintf("%s as %d", c.machine, c.uid), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", machineMarker, c.machine)
			if os.Geteuid() != 0 && c.uid == 0 {
				t.Skip("only as root")
			}
			if os.Geteuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.uid, Gid: c.uid}}
			}
			cmd.Stderr = t.Output()
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got Level
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got.String(), c.level) || got.FFmpeg == "" {
				t.Errorf("%s, ffmpeg %q; want %s", got, got.FFmpeg, c.level)
			}
			got.FFmpeg = ""
			if c.machine == "no filters" {
				got.Allowed = nil // a kernel's own rules, which differ
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) || got.OwnUsers != c.want.OwnUsers {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func startForever(program string) error {
	return plain.Run(context.Background(), Child{Program: program, Args: []string{"hang"}, Stderr: os.Stderr}, func(r io.Reader) error {
		if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
			return err
		}
		fmt.Println("started")
		select {}
	})
}

// TestChildDiesWithItsParent kills the process that started a child.
func TestChildDiesWithItsParent(t *testing.T) {
	parent := exec.CommandContext(t.Context(), "/proc/self/exe", parentMarker, probe(t))
	parent.Stderr = t.Output()
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	pid := onlyChild(t, parent.Process.Pid)
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pidfd)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int((20 * time.Second).Milliseconds())); n != 1 || err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		t.Errorf("the child outlived its parent (%v)", err)
	}
}

// onlyChild is the one child of a process, whichever of its threads started it.
func onlyChild(t *testing.T, pid int) int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if found, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return found
		}
	}
	t.Fatal("there is no child")
	return 0
}

// TestSystemCallNames keeps a call with a typing error from being one that no
// architecture has.
func TestSystemCallNames(t *testing.T) {
	names := append(append([]string{}, allowedCalls...), absentCalls...)
	for _, c := range limitedCalls(1) {
		names = append(names, c.Name)
	}
	for _, name := range names {
		if len(known(arch.X86_64, []string{name})) == 0 {
			t.Errorf("there is no call %s", name)
		}
	}
	if n := len(known(arch.AARCH64, names)); n < 70 {
		t.Errorf("arm64 has only %d of the calls", n)
	}
}
