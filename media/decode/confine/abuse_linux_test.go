package confine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"hark/media/internal/mediatest"
)

// probe is the program of testdata, which is put in ffmpeg's place.
func probe(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "probe")
	mediatest.Run(t, mediatest.Tool(t, "cc"), "-O1", "-o", program, "testdata/probe/probe.c", "-lpthread")
	return program
}

// names says what a rung of the isolations gives.
func (w isolation) String() string {
	if w == (isolation{}) {
		return "no namespaces"
	}
	return fmt.Sprintf("root=%v,user=%v", w.root, w.user)
}

// eachIsolation runs f with each isolation that this machine offers this user.
func eachIsolation(t *testing.T, f func(t *testing.T, r *Runner, w isolation)) {
	for _, w := range isolations {
		t.Run(w.String(), func(t *testing.T) {
			r := runner(Config{MemoryBytes: 512 << 20})
			r.isolations = []isolation{w}
			if _, err := r.Level(t.Context()); err != nil {
				if os.Getenv("CI") != "" && (w.user || !w.namespaces || os.Geteuid() == 0) {
					t.Fatalf("not isolated: %v", err)
				}
				t.Skipf("not on this machine: %v", err)
			}
			f(t, r, w)
		})
	}
}

// inProbe runs the probe confined, with a clip as its input, and returns what
// it printed.
func inProbe(t *testing.T, r *Runner, program string, args ...string) (string, error) {
	t.Helper()
	input, err := os.OpenFile(filepath.Join(t.TempDir(), "clip"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if _, err := input.WriteString("the clip"); err != nil {
		t.Fatal(err)
	}
	var printed []byte
	var stderr strings.Builder
	err = r.Run(t.Context(), Child{Program: program, Args: args, Stdin: input, Stderr: &stderr}, func(r io.Reader) (err error) {
		printed, err = io.ReadAll(r)
		return err
	})
	if b, readErr := os.ReadFile(input.Name()); readErr != nil || string(b) != "the clip" {
		t.Errorf("the clip became %q (%v)", b, readErr)
	}
	if info, statErr := input.Stat(); statErr != nil || info.Mode() != 0o600 {
		t.Errorf("the clip's mode became %v (%v)", info.Mode(), statErr)
	}
	if stderr.Len() > 0 {
		t.Logf("stderr: %s", stderr.String())
	}
	return string(printed), err
}

// refusals are the answers to a call that was not let in. An empty root
// hides files (ENOENT), and all other answers come from further within.
var refusals = []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSYS, syscall.ENOENT, syscall.EROFS}

// attempted is what the probe's attempts came to, by their names.
func attempted(t *testing.T, printed string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for line := range strings.Lines(printed) {
		name, answer, _ := strings.Cut(strings.TrimSpace(line), "\t")
		got[name] = answer
	}
	if got["end"] != "done" || len(got) < 120 {
		t.Fatalf("the probe did not come to its end: %q", printed)
	}
	delete(got, "end")
	return got
}

func refused(answer string) bool {
	return slices.ContainsFunc(refusals, func(e syscall.Errno) bool { return strings.EqualFold(e.Error(), answer) })
}

// TestAbuse puts a program in ffmpeg's place that tries what somebody would
// who has taken ffmpeg over. With the best isolation nothing of it works;
// without namespaces it can tell that other processes and files exist.
func TestAbuse(t *testing.T) {
	program := probe(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	socket, abstract := filepath.Join(dir, "socket"), "hark-test-"+strconv.Itoa(os.Getpid())
	for _, name := range []string{socket, "@" + abstract} {
		l, err := net.Listen("unix", name)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	leaked, err := unix.Open(secret, unix.O_RDONLY, 0) // stays open in children
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leaked)
	t.Setenv("HARK_SECRET", "secret")

	eachIsolation(t, func(t *testing.T, r *Runner, w isolation) {
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		printed, err := inProbe(t, r, program, "abuse", strconv.Itoa(os.Getpid()), dir, port, socket, abstract)
		if err != nil {
			t.Error(err)
		}
		for name, answer := range attempted(t, printed) {
			visible := !w.root && (name == "see the parent" || name == "see the data folder")
			notOpen := name == "write to the input" && answer == "Bad file descriptor" // it is open to read
			if !notOpen && refused(answer) == visible {
				t.Errorf("%s: %s", name, answer)
			}
		}
		if b, err := os.ReadFile(secret); err != nil || string(b) != "secret" {
			t.Errorf("the secret became %q (%v)", b, err)
		}
	})
}

// TestDecodersNeeds keeps the list of system calls from growing too short.
func TestDecodersNeeds(t *testing.T) {
	program := probe(t)
	eachIsolation(t, func(t *testing.T, r *Runner, _ isolation) {
		if got, err := inProbe(t, r, program, "needed"); err != nil || got != "the clip, thread 0, seek 4, signal 0, tty 0" {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := inProbe(t, r, program, "abort"); err == nil {
			t.Error("abort did not end the program")
		}
	})
}

func TestBombs(t *testing.T) {
	program := probe(t)
	eachIsolation(t, func(t *testing.T, r *Runner, w isolation) {
		const most = 6000
		got, err := inProbe(t, r, program, "threads", strconv.Itoa(most))
		n, _ := strconv.Atoi(got)
		bound := int(maxThreads(w))
		if os.Geteuid() == 0 {
			bound = most // the kernel counts no threads of user 0
		}
		if err != nil || n == 0 || n > bound {
			t.Errorf("%d threads, want at most %d (%v)", n, bound, err)
		}
		got, err = inProbe(t, r, program, "memory", "1000")
		if n, _ := strconv.Atoi(got); err != nil || n < 100 || n > 512 {
			t.Errorf("%d MB of memory, want at most 512 (%v)", n, err)
		}
	})
}

// TestForeignABI calls the kernel by its other doors, whose calls have other
// numbers.
func TestForeignABI(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("this architecture has no other ABI")
	}
	program := probe(t)
	r := plain
	for _, abi := range []string{"i386", "x32"} {
		_, err := inProbe(t, r, program, abi)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
			t.Errorf("%s: %v, want the process killed by SIGSYS", abi, err)
		}
	}
}

// TestAbuseAsNobody repeats these tests as a user without privileges, where they
// run as root.
func TestAbuseAsNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the other tests run as such a user already")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.v", "-test.run", "^(TestAbuse|TestDecodersNeeds|TestBombs|TestForeignABI)$")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: userInside, Gid: userInside}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestAbuse/"+isolations[0].String()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestConfinedChildThatCannotRun(t *testing.T) {
	r := plain
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	err := r.Run(t.Context(), Child{Program: script, Stderr: &stderr}, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != confineExit || !strings.HasPrefix(stderr.String(), confineFailed) {
		t.Errorf("got %v and %q", err, stderr.String())
	}
	if !DidNotStart(stderr.String()) {
		t.Error("a machine that cannot confine would be taken for a damaged clip")
	}
}

// TestConfinedChildComesUp starts many: between the bound on memory and the
// program Go's runtime has nothing to allocate, for now and then (with so many
// arguments, one child in forty) it would die of that.
func TestConfinedChildComesUp(t *testing.T) {
	r := plain
	arguments := make([]string, 1500)
	for i := range arguments {
		arguments[i] = strings.Repeat("x", 50)
	}
	program := mediatest.Tool(t, "true")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 30 {
				var stderr strings.Builder
				err := r.Run(t.Context(), Child{Program: program, Args: arguments, Stderr: &stderr}, func(r io.Reader) error {
					_, err := io.Copy(io.Discard, r)
					return err
				})
				if err != nil || stderr.String() != "" {
					t.Errorf("%v: %.200s", err, stderr.String())
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkStart(b *testing.B) {
	runner, program := plain, mediatest.Tool(b, "true")
	for b.Loop() {
		err := runner.Run(b.Context(), Child{Program: program}, func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
