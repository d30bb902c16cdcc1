package blob_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"hark/storage"
	"hark/storage/blob"
)

// conform does with a store all that Hark does, and expects of every store
// the same.
func conform(t *testing.T, cfg blob.Config) *blob.Store {
	t.Helper()
	cfg.Prefix = "hark"
	s := open(t, cfg)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	sizes := map[string]int{"w/1/a/original": 1000, "w/1/b/original": 5<<20 + 1, "w/1/c/empty": 0}
	var keys []string
	for key, size := range sizes {
		keys = append(keys, key)
		if _, err := s.Put(t.Context(), key, "audio/flac", iotest.HalfReader(bytes.NewReader(noise(size))), -1); err != nil {
			t.Fatalf("put: %v", err)
		}
		if got := mustGet(t, s, key); !bytes.Equal(got, noise(size)) {
			t.Errorf("%s: other bytes came back", key)
		}
		if o, err := s.Stat(t.Context(), key); err != nil || o.Size != int64(size) || o.MediaType != "audio/flac" {
			t.Errorf("stat: %+v, %v", o, err)
		}
		if err := s.Copy(t.Context(), key, "aside/"+key); err != nil {
			t.Errorf("copy: %v", err)
		} else if got := mustGet(t, s, "aside/"+key); !bytes.Equal(got, noise(size)) {
			t.Errorf("copy of %s: other bytes came back", key)
		}
	}
	body, err := s.GetRange(t.Context(), "w/1/a/original", 10, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, noise(1000)[10:15]) {
		t.Errorf("range: %d bytes, %v", len(got), err)
	}
	_ = body.Close()
	slices.Sort(keys)
	if got := keysOf(t, s, "w/1/"); !slices.Equal(got, keys) {
		t.Errorf("listed %q", got)
	}
	if _, err := s.AbortStale(t.Context(), "", time.Now().Add(-time.Hour), anyKey); err != nil {
		t.Errorf("abort: %v", err)
	}
	for i := range 20 {
		key := fmt.Sprintf("w/1/many/%d", i)
		keys = append(keys, key)
		mustPut(t, s, key, []byte(key))
	}
	if err := s.Delete(t.Context(), append(keys, "never/was")...); err != nil {
		t.Errorf("delete: %v", err)
	}
	for _, key := range keys {
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s after its deletion: %v", key, err)
		}
	}
	if err := s.Delete(t.Context(), keysOf(t, s, "aside/")...); err != nil {
		t.Errorf("second delete: %v", err)
	}
	if got := keysOf(t, s, ""); len(got) != 0 {
		t.Errorf("still listed: %q", got)
	}
	return s
}

// Every store that Hark can be set to behaves the same through blob, however
// it behaves underneath.
func TestImitatedStores(t *testing.T) {
	for _, test := range []struct {
		name    string
		manners []manner
		batches int // batch deletes asked for, of two
	}{
		{"Google", []manner{changesAcceptEncoding, noBatchDelete, strictDelete}, 1},
		{"R2", []manner{noSums(http.StatusNotImplemented, "NotImplemented")}, 2},
		{"B2", []manner{noSums(http.StatusBadRequest, "InvalidArgument"), strictDelete}, 2},
		{"Ceph", []manner{noSums(http.StatusBadRequest, "XAmzContentSHA256Mismatch")}, 2},
		{"batches that want other sums", []manner{noBatchSums}, 1},
		{"no copies", []manner{noCopy}, 2},
		{"busy", []manner{busyAtFirst()}, 3}, // the first is refused and sent again
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFrontend(t, test.manners...)
			conform(t, f.config)
			if n := f.count("POST delete"); n != test.batches {
				t.Errorf("%d batch deletes", n)
			}
		})
	}
}
