package spool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hark/storage/blob"
	"hark/storage/spool"
)

// helperDir names the folder in which the test binary records when it is run
// again, under strace, instead of running tests; helperMany says how many
// recordings at once.
const (
	helperDir  = "HARK_TEST_SPOOL_DIR"
	helperMany = "HARK_TEST_SPOOL_MANY"
)

// nowhere is a store that takes nothing.
type nowhere struct{}

func (nowhere) Put(context.Context, string, string, io.Reader, int64) (int64, error) {
	return 0, errAway
}

func (nowhere) Get(context.Context, string) (io.ReadCloser, int64, error) { return nil, 0, errAway }

func (nowhere) List(context.Context, string, func(blob.Object) error) error { return errAway }

func (nowhere) Delete(context.Context, ...string) error { return errAway }

// recordForTracer says "NAME created" when a recording is created, and "NAME
// kept" each time that all is kept which was said, and returns the process's
// exit code.
func recordForTracer() int {
	err := func() (err error) {
		var many int
		if _, err := fmt.Sscan(os.Getenv(helperMany), &many); err != nil {
			return err
		}
		s, err := spool.Open(spool.Config{Dir: os.Getenv(helperDir), Objects: nowhere{}, Logger: slog.New(slog.DiscardHandler), SyncEvery: 20 * time.Millisecond})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		all := make([]*spool.Recording, many)
		for i := range all {
			if all[i], err = s.Create(context.Background(), fmt.Sprint("r", i), fmt.Sprint("r", i), 1); err != nil {
				return err
			}
			fmt.Printf("r%d created\n", i)
		}
		for n := 0; n < 150; n += 30 {
			for _, r := range all {
				for k := range 30 {
					if err := r.Write(packet(n + k)); err != nil {
						return err
					}
				}
			}
			for i, r := range all {
				for r.Kept() < int64(n+30)*20 {
					time.Sleep(time.Millisecond)
				}
				fmt.Printf("r%d kept\n", i)
			}
		}
		return nil
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// What counts as kept would outlive a power cut: the calls of a whole process
// are traced, and a sync must have begun after the last write and ended before
// the word goes out.
func TestSyncsBeforeItCountsAsKept(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
	for _, many := range []int{1, 20} {
		t.Run(fmt.Sprint(many), func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			checkTrace(t, trace(t, strace, dir, many), dir, many)
		})
	}
}

func checkTrace(t *testing.T, calls []call, dir string, many int) {
	words := 0
	for at, c := range calls {
		name, word, ok := strings.Cut(c.text, " ")
		if !ok || c.name != "write" {
			continue
		}
		words++
		file := filepath.Join(dir, name+".opus")
		wrote := -1
		for i, w := range calls[:at] {
			if w.name == "pwrite64" && w.path == file {
				wrote = i
			}
		}
		if wrote < 0 {
			t.Fatalf("%s: nothing was written", c.text)
		}
		if !synced(calls[wrote:at], file) {
			t.Errorf("%s: before it was synced", c.text)
		}
		if word == "created" && !synced(calls[wrote:at], dir) {
			t.Errorf("%s: before the folder was synced", c.text)
		}
	}
	if words != 6*many {
		t.Errorf("%d words, want %d", words, 6*many)
	}
}

// synced reports whether a sync of path, or of the whole file system, begins
// and ends in the calls.
func synced(calls []call, path string) bool {
	for i, c := range calls {
		if c.name == "syncfs" || strings.HasSuffix(c.name, "sync") && c.path == path {
			for _, end := range calls[i:] {
				if end.name == "done" && end.thread == c.thread {
					return true
				}
			}
		}
	}
	return false
}

// call is a system call that begins, or, when its name is "done", a sync that
// has succeeded.
type call struct{ thread, name, path, text string }

var (
	traceLine    = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(?:, "((?:[^"\\]|\\.)*)")?`)
	traceResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (?:fsync|fdatasync|syncfs) resumed>.* = 0$`)
	traceWord    = regexp.MustCompile(`^r\d+ \w+`)
)

func trace(t *testing.T, strace, dir string, many int) []call {
	t.Helper()
	out := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-y", "-qq", "-s", "32", "-o", out,
		"-e", "trace=pwrite64,fsync,fdatasync,syncfs,write", "-e", "signal=none", os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir, helperMany+"="+fmt.Sprint(many))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s", err, text)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var calls []call
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if m := traceResumed.FindStringSubmatch(line); m != nil {
			calls = append(calls, call{thread: m[1], name: "done"})
			continue
		}
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		calls = append(calls, call{m[1], m[2], m[3], traceWord.FindString(m[4])})
		if strings.Contains(m[2], "sync") && strings.HasSuffix(line, " = 0") {
			calls = append(calls, call{thread: m[1], name: "done"})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return calls
}
