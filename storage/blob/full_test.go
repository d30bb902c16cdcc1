//go:build linux

package blob_test

import (
	"bytes"
	"errors"
	"testing"

	"hark/storage"
	"hark/storage/storagetest"
)

// A full disk is an error to the sender, and harms nothing that is kept.
func TestFullDisk(t *testing.T) {
	dir := storagetest.SmallDisk(t, "8m")
	s := open(t, serve(t, dir).Config())
	kept := noise(4 << 20)
	mustPut(t, s, "kept", kept)
	for _, size := range []int{4<<20 + 900_000, 11 << 20} { // in one request, and in parts
		if _, err := s.Put(t.Context(), "too/much", "audio/wav", bytes.NewReader(noise(size)), -1); !errors.Is(err, storage.ErrNoSpace) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if _, err := s.Stat(t.Context(), "too/much"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("stat: %v", err)
		}
	}
	if !bytes.Equal(mustGet(t, s, "kept"), kept) {
		t.Error("what was kept has changed")
	}
	if n := unfinished(t, s); n != 0 {
		t.Errorf("%d unfinished uploads take room", n)
	}
	if err := s.Delete(t.Context(), "kept"); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, "room/again", kept)
}
