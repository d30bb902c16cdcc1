// Package disktest shows tests what a process does to the disk: which of its
// writes were synced before it went on.
package disktest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Synced is the name of a call that is the end of a sync, which has succeeded.
const Synced = "synced"

// Call is a system call on a file that begins or, when its name is Synced, a
// sync that has ended.
type Call struct {
	Thread string
	Name   string // as the kernel has it: write, fsync, syncfs
	Path   string // of the file that it is on
	Text   string // the first 256 bytes of what is written, escaped as in C
}

// Trace runs the test's own binary again, with more in its environment, and
// returns those of its system calls that are named, comma-separated, in the
// order in which they began and ended. Without strace the test is skipped, or
// fails in CI.
func Trace(t *testing.T, calls string, environment ...string) []Call {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
	out := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-y", "-qq", "-s", "256", "-o", out, "-e", "trace="+calls, "-e", "signal=none", os.Args[0])
	cmd.Env = append(os.Environ(), environment...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s", err, text)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var (
	begun   = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(?:, (?:\[\{iov_base=)?"((?:[^"\\]|\\.)*)")?`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. (?:fsync|fdatasync|syncfs) resumed>.* = 0$`)
)

// parse reads what strace writes.
func parse(r io.Reader) (list []Call, err error) {
	pending := map[string]string{} // path being synced, by thread
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := resumed.FindStringSubmatch(line); m != nil {
			list = append(list, Call{Thread: m[1], Name: Synced, Path: pending[m[1]]})
			continue
		}
		m := begun.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		list = append(list, Call{Thread: m[1], Name: m[2], Path: m[3], Text: m[4]})
		switch {
		case !strings.Contains(m[2], "sync"):
		case strings.HasSuffix(line, "<unfinished ...>"):
			pending[m[1]] = m[3]
		case strings.HasSuffix(line, " = 0"):
			list = append(list, Call{Thread: m[1], Name: Synced, Path: m[3]})
		}
	}
	return list, lines.Err()
}
