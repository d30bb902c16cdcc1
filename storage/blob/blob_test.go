package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"hark/storage"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.Cleanup(func(code int) {
			if builtIn != "" {
				_ = os.RemoveAll(builtIn)
			}
			os.Exit(code)
		}),
		// fasthttp, beneath the embedded server, keeps a clock for good, and
		// its idle-worker sweep only looks up every ten seconds.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

func serve(t *testing.T, dir string) *embedded.Server {
	t.Helper()
	e, err := embedded.Serve(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return e
}

func open(t *testing.T, cfg blob.Config) *blob.Store {
	t.Helper()
	s, err := blob.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Client().Options().HTTPClient.(interface{ CloseIdleConnections() }).CloseIdleConnections)
	return s
}

func newStore(t *testing.T) *blob.Store {
	t.Helper()
	return open(t, serve(t, filepath.Join(t.TempDir(), "objects")).Config())
}

func noise(n int) []byte {
	var seed [32]byte
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b)
	return b
}

func mustPut(t *testing.T, s *blob.Store, key string, data []byte) {
	t.Helper()
	n, err := s.Put(t.Context(), key, "audio/wav", bytes.NewReader(data), int64(len(data)))
	if err != nil || n != int64(len(data)) {
		t.Fatalf("put %s: %d bytes, %v", key, n, err)
	}
}

func mustGet(t *testing.T, s *blob.Store, key string) []byte {
	t.Helper()
	body, size, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != size {
		t.Fatalf("get %s: %d bytes, %d announced", key, len(data), size)
	}
	return data
}

// unfinished counts the uploads that have begun and not ended.
func unfinished(t *testing.T, s *blob.Store) int {
	t.Helper()
	bucket := s.Bucket()
	out, err := s.Client().ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

func TestPutThenGet(t *testing.T) {
	s := newStore(t)
	for _, size := range []int{0, 1, 64 << 10, 5<<20 - 1, 5 << 20, 5<<20 + 1, 12 << 20} {
		for _, known := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d bytes, known %v", size, known), func(t *testing.T) {
				data, key := noise(size), fmt.Sprintf("w/1/m/2/%d-%v/original", size, known)
				promised := int64(-1)
				if known {
					promised = int64(size)
				}
				n, err := s.Put(t.Context(), key, "audio/flac", iotest.HalfReader(bytes.NewReader(data)), promised)
				if err != nil || n != int64(size) {
					t.Fatalf("put: %d, %v", n, err)
				}
				if got := mustGet(t, s, key); !bytes.Equal(got, data) {
					t.Error("other bytes came back")
				}
				o, err := s.Stat(t.Context(), key)
				if err != nil || o.Size != int64(size) || o.MediaType != "audio/flac" || o.ETag == "" || o.ModTime.IsZero() {
					t.Errorf("stat: %+v, %v", o, err)
				}
			})
		}
	}
	if n := unfinished(t, s); n != 0 {
		t.Errorf("%d unfinished uploads", n)
	}
}

func TestPutThatFailsKeepsNothing(t *testing.T) {
	s := newStore(t)
	broken := errors.New("the sender hung up")
	for _, test := range []struct {
		name string
		from io.Reader
		size int64
		want error
	}{
		{"broken at once", iotest.ErrReader(broken), -1, broken},
		{"broken in the first part", io.MultiReader(bytes.NewReader(noise(1000)), iotest.ErrReader(broken)), -1, broken},
		{"broken in the third part", io.MultiReader(bytes.NewReader(noise(11<<20)), iotest.ErrReader(broken)), -1, broken},
		{"short of its promise", bytes.NewReader(noise(1000)), 1001, io.ErrUnexpectedEOF},
		{"short of its promise in parts", bytes.NewReader(noise(11 << 20)), 11<<20 + 1, io.ErrUnexpectedEOF},
		{"longer than its promise", bytes.NewReader(noise(1000)), 999, nil},
		{"longer than its promise in parts", bytes.NewReader(noise(11 << 20)), 11<<20 - 1, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.Put(t.Context(), "a/b", "audio/wav", test.from, test.size)
			if err == nil || (test.want != nil && !errors.Is(err, test.want)) {
				t.Errorf("put: %v", err)
			}
			if _, err := s.Stat(t.Context(), "a/b"); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("stat: %v", err)
			}
			if n := unfinished(t, s); n != 0 {
				t.Errorf("%d unfinished uploads", n)
			}
		})
	}
}

func TestPutIsCancelled(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("client gone")
	from := io.MultiReader(bytes.NewReader(noise(6<<20)), readerFunc(func([]byte) (int, error) {
		cancel(gone)
		return 0, gone
	}))
	if _, err := s.Put(ctx, "a", "audio/wav", from, -1); !errors.Is(err, gone) {
		t.Errorf("put: %v", err)
	}
	if n := unfinished(t, s); n != 0 {
		t.Errorf("%d unfinished uploads", n)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestUnfitKeys(t *testing.T) {
	s := newStore(t)
	for _, key := range []string{
		"", ".", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".sgwtmp/x", "a/.b",
		strings.Repeat("a", 256), strings.Repeat("a/", 512) + "a",
	} {
		if _, err := s.Put(t.Context(), key, "audio/wav", strings.NewReader("x"), 1); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

func TestMissing(t *testing.T) {
	s := newStore(t)
	if _, _, err := s.Get(t.Context(), "no/such"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.GetRange(t.Context(), "no/such", 1, 2); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("get range: %v", err)
	}
	if _, err := s.Stat(t.Context(), "no/such"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("stat: %v", err)
	}
	if err := s.Delete(t.Context(), "no/such"); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestGetRange(t *testing.T) {
	s := newStore(t)
	data := noise(100_000)
	mustPut(t, s, "a", data)
	for _, test := range []struct {
		off, n int64
		want   []byte
	}{
		{0, 10, data[:10]},
		{99_990, 10, data[99_990:]},
		{99_990, 1000, data[99_990:]},
		{50_000, -1, data[50_000:]},
		{0, -1, data},
		{10, 0, nil},
		{100_000, 5, nil},
		{200_000, -1, nil},
	} {
		body, err := s.GetRange(t.Context(), "a", test.off, test.n)
		if err != nil {
			t.Errorf("range %d+%d: %v", test.off, test.n, err)
			continue
		}
		got, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil || !bytes.Equal(got, test.want) {
			t.Errorf("range %d+%d: %d bytes, %v", test.off, test.n, len(got), err)
		}
	}
	if _, err := s.GetRange(t.Context(), "a", -1, 5); err == nil {
		t.Error("a negative offset was taken")
	}
}

func TestReaderAt(t *testing.T) {
	s := newStore(t)
	data := noise(3<<20 + 17)
	mustPut(t, s, "a", data)
	r := s.ReaderAt(t.Context(), "a", int64(len(data)))
	if err := iotest.TestReader(io.NewSectionReader(r, 1<<20, 200), data[1<<20:1<<20+200]); err != nil {
		t.Error(err)
	}
	for _, at := range []struct{ off, n int }{
		{0, 12}, {128<<10 - 1, 2}, {len(data) - 5, 5}, {0, len(data)}, {5, 0}, {1 << 20, 2<<20 + 1},
	} {
		got := make([]byte, at.n)
		n, err := r.ReadAt(got, int64(at.off))
		if err != nil || n != at.n || !bytes.Equal(got, data[at.off:at.off+at.n]) {
			t.Errorf("%d at %d: %d, %v", at.n, at.off, n, err)
		}
	}
	got := make([]byte, 10)
	if n, err := r.ReadAt(got, int64(len(data)-5)); n != 5 || err != io.EOF {
		t.Errorf("past the end: %d, %v", n, err)
	}
	if n, err := r.ReadAt(got, int64(len(data))); n != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
}

func TestListAndDelete(t *testing.T) {
	dir := t.TempDir()
	s := open(t, serve(t, dir).Config())
	var keys []string
	for i := range 25 {
		keys = append(keys, fmt.Sprintf("w/1/m/%02d/r/original", i))
	}
	for _, key := range append([]string{"other/x"}, keys...) {
		mustPut(t, s, key, []byte(key))
	}
	var got []string
	err := s.List(t.Context(), "w/1/", func(o blob.Object) error {
		if o.Size != int64(len(o.Key)) || o.ETag == "" || o.ModTime.IsZero() {
			t.Errorf("listed %+v", o)
		}
		got = append(got, o.Key)
		return nil
	})
	if err != nil || !slices.Equal(got, keys) {
		t.Errorf("list: %v, %v", got, err)
	}
	stop := errors.New("enough")
	if err := s.List(t.Context(), "", func(blob.Object) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped list: %v", err)
	}
	if err := s.Delete(t.Context(), append(keys, "never/was")...); err != nil {
		t.Fatal(err)
	}
	err = s.List(t.Context(), "", func(o blob.Object) error {
		if o.Key != "other/x" {
			t.Errorf("still there: %s", o.Key)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	// Message by message, the folders would pile up.
	if _, err := os.Stat(filepath.Join(dir, "objects", s.Bucket(), "w")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("empty folders remain: %v", err)
	}
}

func TestPutsAtOnce(t *testing.T) {
	s := newStore(t)
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			key, size := fmt.Sprintf("w/1/m/%d/original", i%8+i/8*100), 10_000+i
			if i%8 == 0 {
				size = 6 << 20
			}
			mustPut(t, s, key, noise(size))
			if i%2 == 1 { // removing empty folders while others make them
				if err := s.Delete(t.Context(), key); err != nil {
					t.Error(err)
				}
				mustPut(t, s, key, noise(size))
			}
			if got := mustGet(t, s, key); !bytes.Equal(got, noise(size)) {
				t.Errorf("%s: other bytes came back", key)
			}
		})
	}
	group.Wait()
}

// anyKey takes every upload for the caller's.
func anyKey(string) bool { return true }

func TestAbortStale(t *testing.T) {
	s := newStore(t)
	bucket := s.Bucket()
	for _, key := range []string{"uploads/1", "uploads/2", "other/3"} {
		_, err := s.Client().CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.AbortStale(t.Context(), "uploads/", time.Now().Add(-time.Hour), anyKey); n != 0 || err != nil {
		t.Errorf("young uploads: %d, %v", n, err)
	}
	if n, err := s.AbortStale(t.Context(), "uploads/", time.Now().Add(time.Hour), anyKey); n != 2 || err != nil {
		t.Errorf("old uploads: %d, %v", n, err)
	}
	if n := unfinished(t, s); n != 1 {
		t.Errorf("%d unfinished uploads", n)
	}
}
