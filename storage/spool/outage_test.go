package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hark/storage/spool"
)

func TestStoreIsAway(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	objects.away.Store(true)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	say(t, r, 0, 500)
	await(t, "kept", func() bool { return r.Kept() == 10_000 })
	if s.Held() > 64<<10 || r.Fault() != nil {
		t.Errorf("%d bytes in memory, fault %v", s.Held(), r.Fault())
	}
	objects.away.Store(false)
	await(t, "all in pieces", func() bool {
		joined, _ := objects.pieces(t, "a")
		return int64(len(joined)) == size(t, filepath.Join(dir, "a.opus"))
	})
	objects.away.Store(true)
	say(t, r, 500, 600)
	if _, _, err := r.Finish(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("the store is away: %v", err)
	}
	if ids, err := s.Left(); err != nil || !slices.Equal(ids, []string{"a"}) {
		t.Errorf("left: %v, %v", ids, err)
	}
	objects.away.Store(false)
	original, ms, err := r.Finish(t.Context())
	if err != nil || ms != 12_000 {
		t.Fatalf("%d ms, %v", ms, err)
	}
	wantWhole(t, objects, "a", original, ms)
	if again, ms, err := s.Recover(t.Context(), "a", keyOf("a")); err != nil || again != original || ms != 12_000 {
		t.Errorf("recovered: %+v, %d ms, %v", again, ms, err)
	}
}

func breakDisk(t testing.TB, r *spool.Recording) (mend func()) {
	t.Helper()
	mended, err := r.BreakDisk()
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := mended(); err != nil {
			t.Error(err)
		}
	}
}

func TestDiskFailsForAWhile(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	say(t, r, 0, 100)
	await(t, "kept", func() bool { return r.Kept() == 2000 })
	mend := breakDisk(t, r)
	say(t, r, 100, 200)
	await(t, "noticed", func() bool { return r.Fault() != nil })
	await(t, "kept in a piece", func() bool { return r.Kept() == 4000 })
	left, _ := crash(t, dir, "a")
	mend()
	await(t, "noticed", func() bool { return r.Fault() == nil })
	say(t, r, 200, 300)
	await(t, "on the disk", func() bool { return r.Kept() == 6000 && s.Held() == 0 })
	original, ms, err := r.Finish(t.Context())
	if err != nil || ms != 6000 {
		t.Fatalf("%d ms, %v", ms, err)
	}
	wantWhole(t, objects, "a", original, ms)
	if _, ms := recovered(t, left, objects, "a"); ms < 4000 {
		t.Errorf("a crash while the disk failed would have left %d ms, with the pieces", ms)
	}
}

func TestDiskFailsForGood(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	say(t, r, 0, 100)
	await(t, "kept", func() bool { return r.Kept() == 2000 })
	defer breakDisk(t, r)()
	say(t, r, 100, 200)
	objects.away.Store(true)
	if _, _, err := r.Finish(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("disk and store are away: %v", err)
	}
	objects.away.Store(false)
	for range 2 {
		original, ms, err := r.Finish(t.Context())
		if err != nil || ms != 4000 {
			t.Fatalf("%d ms, %v", ms, err)
		}
		wantWhole(t, objects, "a", original, ms)
	}
	if err := s.Forget(t.Context(), "a", keyOf("a")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "node")
	if s.Held() != 0 {
		t.Errorf("%d bytes are still held", s.Held())
	}
}

// Without a disk and with little memory a recording lives in its pieces.
func TestMemoryIsShort(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	s.SetMost(100 << 10)
	r := create(t, s, "a")
	defer breakDisk(t, r)()
	for n := 0; n < 5000; n += 500 { // 420 kB
		say(t, r, n, n+500)
		await(t, "kept in a piece", func() bool { return r.Kept() == int64(n+500)*20 })
	}
	if s.Held() > 164<<10 {
		t.Errorf("%d bytes in memory", s.Held())
	}
	left, file := crash(t, dir, "a")
	original, ms, err := r.Finish(t.Context())
	if err != nil || ms != 100_000 {
		t.Fatalf("%d ms, %v", ms, err)
	}
	wantWhole(t, objects, "a", original, ms)
	if _, ms := recovered(t, left, objects, "a"); ms != 100_000 {
		t.Errorf("a crash would have left %d ms", ms)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, ms := recovered(t, left, objects, "a"); ms != 100_000 {
		t.Errorf("a crash would have left %d ms in pieces", ms)
	}
}

// Without a disk and without a store a recording is refused before memory is
// used up, and what was taken is whole when the store is back.
func TestNothingTakesIt(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	s.SetMost(100 << 10)
	r := create(t, s, "a")
	defer breakDisk(t, r)()
	objects.away.Store(true)
	n := 0
	var err error
	for ; err == nil && n < 10_000; n++ {
		err = r.Write(packet(n))
	}
	if !errors.Is(err, spool.ErrFull) || s.Held() > 164<<10 {
		t.Fatalf("after %d packets: %v, %d bytes in memory", n, err, s.Held())
	}
	objects.away.Store(false)
	original, ms, err := r.Finish(t.Context())
	if err != nil || ms != int64(n-1)*20 {
		t.Fatalf("%d ms of %d, %v", ms, int64(n-1)*20, err)
	}
	wantWhole(t, objects, "a", original, ms)
}
