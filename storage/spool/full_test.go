//go:build linux

package spool_test

import (
	"os"
	"path/filepath"
	"testing"

	"hark/storage/storagetest"
)

// A disk that fills while somebody speaks costs nothing of what is said.
func TestFullDisk(t *testing.T) {
	dir := storagetest.SmallDisk(t, "256k")
	objects := newShop(t)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	rubbish := filepath.Join(dir, "rubbish")
	if err := os.WriteFile(rubbish, make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	for r.Fault() == nil && n < 10_000 {
		say(t, r, n, n+100)
		n += 100
		await(t, "kept", func() bool { return r.Kept() == int64(n)*20 })
	}
	if _, err := s.Create(t.Context(), "b", keyOf("b"), 1); err == nil {
		t.Error("a recording was begun on a full disk")
	}
	if err := os.Remove(rubbish); err != nil {
		t.Fatal(err)
	}
	await(t, "on the disk", func() bool { return r.Fault() == nil && s.Held() == 0 })
	original, ms, err := r.Finish(t.Context())
	if err != nil || ms != int64(n)*20 {
		t.Fatalf("%d ms of %d, %v", ms, n*20, err)
	}
	wantWhole(t, objects, "a", original, ms)
}
