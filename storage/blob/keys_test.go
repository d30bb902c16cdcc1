package blob_test

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"hark/storage"
	"hark/storage/blob"
)

// keysOf lists a store.
func keysOf(t *testing.T, s *blob.Store, prefix string) []string {
	t.Helper()
	var keys []string
	err := s.List(t.Context(), prefix, func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Two stores in one bucket, beside what somebody else keeps there, know
// nothing of each other.
func TestPrefixSharesABucket(t *testing.T) {
	cfg := serve(t, filepath.Join(t.TempDir(), "objects")).Config()
	everybody := open(t, cfg)
	cfg.Prefix = "/team/hark/"
	ours := open(t, cfg)
	cfg.Prefix = "team/hark-2"
	others := open(t, cfg)

	mustPut(t, everybody, "backup/db.dump", []byte("not Hark's"))
	mustPut(t, others, "w/1/original", []byte("another's"))
	mustPut(t, ours, "w/1/original", noise(1000))
	mustPut(t, ours, "w/2/original", noise(6<<20))

	want := []string{"backup/db.dump", "team/hark-2/w/1/original", "team/hark/w/1/original", "team/hark/w/2/original"}
	if got := keysOf(t, everybody, ""); !slices.Equal(got, want) {
		t.Errorf("in the bucket: %q", got)
	}
	if got := keysOf(t, ours, ""); !slices.Equal(got, []string{"w/1/original", "w/2/original"}) {
		t.Errorf("listed %q", got)
	}
	if got := keysOf(t, ours, "w/2/"); !slices.Equal(got, []string{"w/2/original"}) {
		t.Errorf("listed %q under a prefix", got)
	}
	if got := mustGet(t, ours, "w/2/original"); !bytes.Equal(got, noise(6<<20)) {
		t.Error("other bytes came back")
	}
	at := make([]byte, 10)
	if _, err := ours.ReaderAt(t.Context(), "w/1/original", 1000).ReadAt(at, 5); err != nil || !bytes.Equal(at, noise(1000)[5:15]) {
		t.Errorf("read at: %v", err)
	}
	if o, err := ours.Stat(t.Context(), "w/1/original"); err != nil || o.Key != "w/1/original" || o.Size != 1000 {
		t.Errorf("stat: %+v, %v", o, err)
	}
	if _, err := ours.Stat(t.Context(), "backup/db.dump"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("stat of a foreign object: %v", err)
	}
	if err := ours.Delete(t.Context(), keysOf(t, ours, "")...); err != nil {
		t.Error(err)
	}
	if got := keysOf(t, everybody, ""); !slices.Equal(got, want[:2]) {
		t.Errorf("in the bucket after the deletion: %q", got)
	}
}

func TestPrefixOfUnfinishedUploads(t *testing.T) {
	cfg := serve(t, filepath.Join(t.TempDir(), "objects")).Config()
	cfg.Prefix = "hark"
	s := open(t, cfg)
	bucket := s.Bucket()
	for _, key := range []string{"hark/w/1", "hark-2/w/1", "w/1"} {
		if _, err := s.Client().CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.AbortStale(t.Context(), "", time.Now().Add(time.Hour), anyKey); n != 1 || err != nil {
		t.Errorf("aborted %d, %v", n, err)
	}
	if n := unfinished(t, s); n != 2 {
		t.Errorf("%d unfinished uploads of others remain", n)
	}
}

// No key leads out of the prefix, whatever is done with it.
func TestKeysStayUnderThePrefix(t *testing.T) {
	cfg := serve(t, filepath.Join(t.TempDir(), "objects")).Config()
	mustPut(t, open(t, cfg), "secret", noise(10))
	cfg.Prefix = "hark"
	s := open(t, cfg)
	for _, key := range []string{"../secret", "/secret", "", "a/../../secret", strings.Repeat("a/", 511) + "a"} {
		if _, _, err := s.Get(t.Context(), key); err == nil {
			t.Errorf("got %q", key)
		}
		if _, err := s.Stat(t.Context(), key); err == nil {
			t.Errorf("stat of %q", key)
		}
		if err := s.Delete(t.Context(), key); err == nil {
			t.Errorf("deleted %q", key)
		}
		if err := s.Copy(t.Context(), key, "x"); err == nil {
			t.Errorf("copied %q", key)
		}
	}
}

func TestCleanPrefix(t *testing.T) {
	for in, want := range map[string]string{"": "", "/": "", "hark": "hark", "/a/b/": "a/b", "a.b/c d": "a.b/c d"} {
		if got, err := blob.CleanPrefix(in); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"a//b", "../a", "a/../b", ".a", "a/.b", "\xff", strings.Repeat("a", 256), strings.Repeat("a/", 130) + "a"} {
		if got, err := blob.CleanPrefix(in); err == nil {
			t.Errorf("%q was taken as %q", in, got)
		}
		if _, err := blob.Open(t.Context(), blob.Config{Endpoint: "http://127.0.0.1:1", Bucket: "hark", Prefix: in}); err == nil || !strings.Contains(err.Error(), "prefix") {
			t.Errorf("open with %q: %v", in, err)
		}
	}
}

func TestCopy(t *testing.T) {
	cfg := serve(t, filepath.Join(t.TempDir(), "objects")).Config()
	cfg.Prefix = "a+b c"
	s := open(t, cfg)
	for key, size := range map[string]int{"w/1/original": 1000, "w/2/with spaces + äöü": 6 << 20, "w/3/empty": 0} {
		mustPut(t, s, key, noise(size))
		if err := s.Copy(t.Context(), key, "aside/"+key); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{key, "aside/" + key} {
			if got := mustGet(t, s, k); !bytes.Equal(got, noise(size)) {
				t.Errorf("%s: other bytes came back", k)
			}
		}
		if o, err := s.Stat(t.Context(), "aside/"+key); err != nil || o.MediaType != "audio/wav" || o.ETag == "" {
			t.Errorf("stat: %+v, %v", o, err)
		}
	}
	if err := s.Copy(t.Context(), "no/such", "x"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("copy of nothing: %v", err)
	}
	if err := s.Copy(t.Context(), "w/1/original", "../x"); err == nil {
		t.Error("copied out of the store")
	}
	// A copy carries the sum by which rot is noticed.
	out, err := s.Client().GetObject(t.Context(), &s3.GetObjectInput{Bucket: ptr(s.Bucket()), Key: ptr("a+b c/aside/w/1/original"), ChecksumMode: "ENABLED"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, out.Body); err != nil || out.ChecksumCRC64NVME == nil {
		t.Errorf("sum: %v, %v", out.ChecksumCRC64NVME, err)
	}
	_ = out.Body.Close()
}

func ptr[T any](v T) *T { return &v }
