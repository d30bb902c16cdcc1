package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"hark/storage/blob"
	"hark/storage/blob/embedded"
	"hark/storage/disk/disktest"
)

// helperDir names the folder that the test binary serves and fills when it is
// run again, under strace, instead of running tests.
const helperDir = "HARK_TEST_BLOB_DIR"

const (
	smallKey = "w/1/m/2/r/original"
	largeKey = "w/1/m/3/r/original"
	copyKey  = "w/1/m/4/r/original"
)

func TestMain(m *testing.M) {
	if os.Getenv(helperDir) != "" {
		os.Exit(putForTracer())
	}
	os.Exit(m.Run())
}

// putForTracer puts an object in one request and one in parts, copies the
// first, deletes it with its copy, and returns the process's exit code.
func putForTracer() int {
	ctx := context.Background()
	err := func() (err error) {
		e, err := embedded.Serve(ctx, os.Getenv(helperDir), slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.Close()) }()
		s, err := blob.Open(ctx, e.Config())
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, smallKey, "audio/wav", bytes.NewReader(make([]byte, 1000)), 1000)
		if err != nil {
			return err
		}
		_, err = s.Put(ctx, largeKey, "audio/wav", bytes.NewReader(make([]byte, 6<<20)), -1)
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
			calls := disktest.Trace(t, "fsync,fdatasync,write,sendto,sendmsg,writev", helperDir+"="+dir)
			checkTrace(t, calls, dir, test.inFiles)
		})
	}
}

func checkTrace(t *testing.T, calls []disktest.Call, dir string, inFiles bool) {
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
		if strings.HasPrefix(c.Text, "POST /hark/"+largeKey+"?uploadId=") {
			break
		}
		if c.Name == disktest.Synced && strings.HasPrefix(c.Path, bucket) && regexp.MustCompile(`/\.sgwtmp/multipart/[0-9a-f]+/[^/]+/[12]$`).MatchString(c.Path) {
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
func wantSynced(t *testing.T, calls []disktest.Call, request string, paths []string) {
	t.Helper()
	synced := map[string]bool{}
	var asked bool
	for _, c := range calls {
		switch {
		case strings.HasPrefix(c.Text, request):
			asked = true
		case asked && c.Name == disktest.Synced:
			synced[c.Path] = true
		case asked && strings.HasPrefix(c.Text, "HTTP/1.1 20"):
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
