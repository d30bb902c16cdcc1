package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hark/storage/blob"
)

// helperDir names the folder that the test binary serves and fills when it is
// run again, under strace, instead of running tests.
const helperDir = "HARK_TEST_BLOB_DIR"

const (
	smallKey = "w/1/m/2/r/original"
	largeKey = "w/1/m/3/r/original"
	copyKey  = "w/1/m/4/r/original"
)

// putForTracer puts an object in one request and one in parts, copies the
// first, deletes it with its copy, and returns the process's exit code.
func putForTracer() int {
	ctx := context.Background()
	err := func() (err error) {
		e, err := blob.Serve(ctx, os.Getenv(helperDir), slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.Close()) }()
		s, err := blob.Open(ctx, e.Config())
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, smallKey, "audio/wav", bytes.NewReader(noise(1000)), 1000)
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, largeKey, "audio/wav", bytes.NewReader(noise(6<<20)), -1)
		if err != nil {
			return err
		}
		if err := s.Copy(ctx, smallKey, copyKey); err != nil {
			return err
		}
		return s.Delete(ctx, smallKey, copyKey)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// What the embedded server acknowledges would outlive a power cut: the calls
// of a whole process are traced, and the syncs must be done before the answer
// goes out.
func TestSyncsBeforeItAnswers(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
	for _, test := range []struct {
		name    string
		inFiles bool
	}{
		{"attributes on the files", false},
		{"attributes in files of their own", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if test.inFiles {
				if err := os.Mkdir(filepath.Join(dir, "attributes"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			checkTrace(t, traceHelper(t, strace, dir), dir, test.inFiles)
		})
	}
}

func checkTrace(t *testing.T, calls []call, dir string, inFiles bool) {
	bucket := filepath.Join(dir, "objects", "hark")
	object := func(key string) []string { return chain(bucket, key) }
	attributes := func(path string) []string {
		if !inFiles {
			return nil
		}
		meta := path + "/meta"
		return append(chain(filepath.Join(dir, "attributes"), "hark/"+meta), filepath.Join(dir, "attributes", "hark", meta, "etag"))
	}

	wantSynced(t, calls, "PUT /hark/"+smallKey, append(object(smallKey), attributes(smallKey)...))
	wantSynced(t, calls, "POST /hark/"+largeKey+"?uploadId=", append(object(largeKey), attributes(largeKey)...))
	wantSynced(t, calls, "PUT /hark/"+copyKey, append(object(copyKey), attributes(copyKey)...))
	wantSynced(t, calls, "POST /hark?delete", []string{filepath.Join(bucket, "w/1/m")})
	wantSynced(t, calls, "DELETE /hark/probe/", []string{bucket})

	// The parts, which may be sent side by side, are safe before the upload is completed.
	var parts int
	for _, c := range calls {
		if strings.HasPrefix(c.text, "POST /hark/"+largeKey+"?uploadId=") {
			break
		}
		if c.name == "fsync" && strings.HasPrefix(c.text, bucket) && regexp.MustCompile(`/\.sgwtmp/multipart/[0-9a-f]+/[^/]+/[12]$`).MatchString(c.text) {
			parts++
		}
	}
	if parts != 2 {
		t.Errorf("%d parts synced, want 2", parts)
	}
}

// chain is the path of a key with the folders above it up to the root.
func chain(root, key string) []string {
	paths := []string{root}
	for i, c := range key + "/" {
		if c == '/' {
			paths = append(paths, filepath.Join(root, key[:i]))
		}
	}
	return paths
}

// wantSynced checks that between the request and the next answer all paths
// are synced.
func wantSynced(t *testing.T, calls []call, request string, paths []string) {
	t.Helper()
	synced := map[string]bool{}
	var asked bool
	for _, c := range calls {
		switch {
		case strings.HasPrefix(c.text, request):
			asked = true
		case asked && c.name == "fsync":
			synced[c.text] = true
		case asked && strings.HasPrefix(c.text, "HTTP/1.1 20"):
			for _, path := range paths {
				if !synced[path] {
					t.Errorf("%s: answered before %s was synced", request, path)
				}
			}
			return
		}
	}
	t.Errorf("%s: asked %v, never answered", request, asked)
}

// call is a traced system call: a sync that has succeeded, with the path, or
// a write that begins, with the first of what is written.
type call struct{ name, text string }

func traceHelper(t *testing.T, strace, dir string) []call {
	t.Helper()
	out := filepath.Join(t.TempDir(), "trace")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-y", "-qq", "-s", "256", "-o", out,
		"-e", "trace=fsync,fdatasync,write,sendto,sendmsg,writev", "-e", "signal=none", os.Args[0])
	cmd.Env = append(os.Environ(), helperDir+"="+dir)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("strace: %v\n%s", err, text)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	return parseTrace(t, f)
}

var (
	traceLine    = regexp.MustCompile(`^(\d+) +(\w+)\(\d+<([^>]*)>(?:, (?:\[\{iov_base=)?"((?:[^"\\]|\\.)*)")?`)
	traceResumed = regexp.MustCompile(`^(\d+) +<\.\.\. (fsync|fdatasync) resumed>.* = 0$`)
)

func parseTrace(t *testing.T, f *os.File) []call {
	t.Helper()
	var calls []call
	pending := map[string]string{} // path being synced, by thread
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := traceResumed.FindStringSubmatch(line); m != nil {
			calls = append(calls, call{"fsync", pending[m[1]]})
			continue
		}
		m := traceLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		switch thread, name, path, text := m[1], m[2], m[3], m[4]; {
		case name != "fsync" && name != "fdatasync":
			calls = append(calls, call{name, text})
		case strings.HasSuffix(line, "<unfinished ...>"):
			pending[thread] = path
		case strings.HasSuffix(line, " = 0"):
			calls = append(calls, call{"fsync", path})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return calls
}
