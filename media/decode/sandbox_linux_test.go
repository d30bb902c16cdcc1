package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"hark/media"
	"hark/media/internal/mediatest"
)

// probeMarker as the first argument makes the test binary try what a confined
// program must not be able to do.
const probeMarker = "__probe"

func probeMain() {
	if len(os.Args) > 3 && os.Args[1] == probeMarker {
		probe(os.Args[2:])
	}
}

// probe tries what it is asked and says "allowed" or the reason why not.
func probe(args []string) {
	err := map[string]func(string) error{
		"read":   func(path string) error { _, err := os.ReadFile(path); return err },
		"list":   func(path string) error { _, err := os.ReadDir(path); return err },
		"create": func(path string) error { _, err := os.Create(path); return err },
		"remove": os.Remove,
		"dial": func(address string) error {
			_, err := (&net.Dialer{}).Dial("tcp", address)
			return err
		},
		"run":    func(path string) error { return exec.CommandContext(context.Background(), path).Run() },
		"become": func(path string) error { return syscall.Exec(path, []string{path}, nil) },
		"kill": func(pid string) error {
			n, err := strconv.Atoi(pid)
			return errors.Join(err, syscall.Kill(n, 0))
		},
		"trace": func(pid string) error {
			n, err := strconv.Atoi(pid)
			return errors.Join(err, syscall.PtraceAttach(n))
		},
		"input": func(string) error { // what it may do
			f, err := os.Open("/proc/self/fd/0")
			if err != nil {
				return err
			}
			b, err := io.ReadAll(f)
			fmt.Print(string(b), " ")
			return err
		},
		"environment": func(string) error {
			fmt.Print(os.Environ(), " ")
			return nil
		},
	}[args[0]](args[1])
	if err != nil {
		fmt.Print("denied: ", err)
		os.Exit(1)
	}
	fmt.Print("allowed")
	os.Exit(0)
}

// runProbe runs the probe confined and returns what it printed.
func runProbe(t *testing.T, isolate bool, what, arg string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	input, err := os.CreateTemp(t.TempDir(), "clip")
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if _, err := input.WriteString("the clip"); err != nil {
		t.Fatal(err)
	}
	d := New(Config{MemoryBytes: 8 << 30}) // Go reserves far more than it uses
	d.isolated.denied = !isolate
	var printed []byte
	var stderr strings.Builder
	err = d.runConfined(t.Context(), child{
		program: self, args: []string{probeMarker, what, arg}, stdin: input, stderr: &stderr,
	}, func(r io.Reader) (err error) {
		printed, err = io.ReadAll(r)
		return err
	})
	if len(printed) == 0 {
		t.Fatalf("the probe said nothing: %v: %s", err, stderr.String())
	}
	return string(printed)
}

func TestConfinedChild(t *testing.T) {
	if landlockVersion() == 0 || !haveSeccomp() {
		t.Skip("this kernel has no Landlock or no seccomp")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(os.Getpid())
	for _, isolate := range []bool{true, false} {
		for _, c := range [][3]string{
			{"read", "/etc/passwd", "denied"},
			{"read", "/proc/self/environ", "denied"},
			{"read", "/proc/" + pid + "/environ", "denied"},
			{"read", secret, "denied"},
			{"list", "/", "denied"},
			{"create", filepath.Join(filepath.Dir(secret), "new"), "denied"},
			{"create", secret, "denied"},
			{"remove", secret, "denied"},
			{"dial", listener.Addr().String(), "denied"},
			{"run", mediatest.Tool(t, "true"), "denied"},
			{"become", mediatest.Tool(t, "true"), "denied"},
			{"kill", pid, "denied"},
			{"trace", pid, "denied"},
			{"input", "", "the clip allowed"},
			{"environment", "", "[] allowed"},
		} {
			t.Run(fmt.Sprintf("isolate=%v/%s %s", isolate, c[0], filepath.Base(c[1])), func(t *testing.T) {
				if got := runProbe(t, isolate, c[0], c[1]); !strings.HasPrefix(got, c[2]) {
					t.Errorf("got %q, want %q", got, c[2])
				}
			})
		}
	}
}

func TestConfinedChildThatCannotRun(t *testing.T) {
	d := New(Config{})
	var stderr strings.Builder
	err := d.runConfined(t.Context(), child{program: "/nonexistent/ffmpeg", stderr: &stderr}, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != confineExit || !strings.HasPrefix(stderr.String(), confineFailed) {
		t.Errorf("got %v and %q", err, stderr.String())
	}
	if _, err := judge(err, stderr.String(), 0); err == nil || strings.Contains(err.Error(), "damaged") {
		t.Errorf("a machine that cannot confine was taken for a damaged clip: %v", err)
	}
}

// TestConfinedChildComesUp starts many: between the bound on memory and the
// program Go's runtime has nothing to allocate, for now and then (with so many
// arguments, one child in forty) it would die of that.
func TestConfinedChildComesUp(t *testing.T) {
	d := New(Config{})
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
				err := d.runConfined(t.Context(), child{program: program, args: arguments, stderr: &stderr}, func(r io.Reader) error {
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

// TestRuntimeThatDied keeps a machine short of memory from being taken for a
// damaged clip.
func TestRuntimeThatDied(t *testing.T) {
	died := exec.CommandContext(t.Context(), "sh", "-c", "exit 2").Run()
	_, err := judge(died, "runtime: failed to create new OS thread\nfatal error: newosproc", 0)
	if _, refused := media.AsRefusal(err); err == nil || refused {
		t.Errorf("got %v", err)
	}
}
