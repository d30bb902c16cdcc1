package spool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hark/storage/blob"
	"hark/storage/disk/disktest"
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
	for _, many := range []int{1, 20} {
		t.Run(fmt.Sprint(many), func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			calls := disktest.Trace(t, "pwrite64,fsync,fdatasync,syncfs,write", helperDir+"="+dir, helperMany+"="+fmt.Sprint(many))
			checkTrace(t, calls, dir, many)
		})
	}
}

// printed is what recordForTracer says.
var printed = regexp.MustCompile(`^r\d+ \w+`)

func checkTrace(t *testing.T, calls []disktest.Call, dir string, many int) {
	words := 0
	for at, c := range calls {
		said := printed.FindString(c.Text)
		name, word, ok := strings.Cut(said, " ")
		if !ok || c.Name != "write" {
			continue
		}
		words++
		file := filepath.Join(dir, name+".opus")
		wrote := -1
		for i, w := range calls[:at] {
			if w.Name == "pwrite64" && w.Path == file {
				wrote = i
			}
		}
		if wrote < 0 {
			t.Fatalf("%s: nothing was written", said)
		}
		if !synced(calls[wrote:at], file) {
			t.Errorf("%s: before it was synced", said)
		}
		if word == "created" && !synced(calls[wrote:at], dir) {
			t.Errorf("%s: before the folder was synced", said)
		}
	}
	if words != 6*many {
		t.Errorf("%d words, want %d", words, 6*many)
	}
}

// synced reports whether a sync of path, or of the whole file system, begins
// and ends in the calls.
func synced(calls []disktest.Call, path string) bool {
	for i, c := range calls {
		if c.Name == "syncfs" || strings.HasSuffix(c.Name, "sync") && c.Path == path {
			for _, end := range calls[i:] {
				if end.Name == disktest.Synced && end.Thread == c.Thread {
					return true
				}
			}
		}
	}
	return false
}
