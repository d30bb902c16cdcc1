package spool_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hark/media/opus"
	"hark/storage"
	"hark/storage/spool"
)

// crash returns a folder that holds what is on the disk now, as a machine that
// stops here would leave it, and the file of the recording in it.
func crash(t testing.TB, dir, id string) (left, file string) {
	t.Helper()
	left = t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return left, filepath.Join(left, id+".opus")
}

func cut(t testing.TB, path string, to int64) {
	t.Helper()
	if err := os.Truncate(path, to); err != nil {
		t.Fatal(err)
	}
}

func size(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// recovered recovers a recording in a spool of its own, as often as one likes.
func recovered(t testing.TB, dir string, objects *shop, id string) (storage.Original, int64) {
	t.Helper()
	s := open(t, dir, objects)
	defer s.Close()
	original, ms, err := s.Recover(t.Context(), id, keyOf(id))
	if err != nil {
		t.Fatal(err)
	}
	if again, msAgain, err := s.Recover(t.Context(), id, keyOf(id)); err != nil || again != original || msAgain != ms {
		t.Fatalf("recovered again: %+v, %d ms, %v; before %+v, %d ms", again, msAgain, err, original, ms)
	}
	return original, ms
}

// spoken returns a spool in which a recording of 150 packets is on the disk
// and, if so wanted, in three pieces or more.
func spoken(t testing.TB, objects *shop, inPieces bool) (dir string, r *spool.Recording) {
	t.Helper()
	dir = t.TempDir()
	objects.away.Store(!inPieces)
	r = create(t, open(t, dir, objects), "a")
	for n := 0; n < 150; n += 50 {
		say(t, r, n, n+50)
		await(t, "kept", func() bool { return r.Kept() == int64(n+50)*20 })
		if inPieces {
			await(t, "in a piece", func() bool {
				joined, _ := objects.pieces(t, "a")
				return len(joined) > 0 && int64(len(joined)) == size(t, filepath.Join(dir, "a.opus"))
			})
		}
	}
	return dir, r
}

func TestRecoverFromTheFile(t *testing.T) {
	objects := newShop(t)
	dir, r := spoken(t, objects, false)
	left, file := crash(t, dir, "a")
	if err := r.Write(packet(150)); err != nil { // not on the disk: lost
		t.Fatal(err)
	}
	// A store of its own: that of the process which did not really crash would
	// get its pieces as soon as it is back.
	objects = newShop(t)
	s := open(t, left, objects)
	if ids, err := s.Left(); err != nil || !slices.Equal(ids, []string{"a"}) {
		t.Fatalf("left: %v, %v", ids, err)
	}
	original, ms := recovered(t, left, objects, "a")
	if ms != 3000 {
		t.Errorf("%d ms of 3000", ms)
	}
	wantWhole(t, objects, "a", original, ms)
	for to := size(t, file); to > 100; to -= 997 {
		cut(t, file, to)
		original, ms := recovered(t, left, objects, "a")
		if lost := 3000 - ms; lost < 0 || lost > 3000 {
			t.Errorf("cut to %d bytes: %d ms", to, ms)
		}
		if ms > 0 {
			wantWhole(t, objects, "a", original, ms)
		}
	}
	if err := s.Forget(t.Context(), "a", keyOf("a")); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, left, "node")
}

func TestRecoverOnAnotherNode(t *testing.T) {
	objects := newShop(t)
	spoken(t, objects, true) // all is in pieces, so the first node, which goes on here, puts no more of them
	other := t.TempDir()
	original, ms := recovered(t, other, objects, "a")
	if ms != 3000 {
		t.Errorf("%d ms", ms)
	}
	wantWhole(t, objects, "a", original, ms)
	s := open(t, other, objects)
	for _, key := range []string{"", keyOf("a")} {
		if err := s.Forget(t.Context(), "a", key); err != nil {
			t.Fatal(err)
		}
		wantFiles(t, other, "node")
		if _, n := objects.pieces(t, "a"); (n > 0) != (key == "") {
			t.Errorf("%d pieces after forgetting with the key %q", n, key)
		}
	}
	if original, ms, err := s.Recover(t.Context(), "gone", keyOf("gone")); ms != 0 || err != nil || original != (storage.Original{}) {
		t.Errorf("nothing left: %+v, %d ms, %v", original, ms, err)
	}
}

// What is behind a piece that is missing is no part of the recording.
func TestPieceIsMissing(t *testing.T) {
	objects := newShop(t)
	_, r := spoken(t, objects, true)
	if _, _, err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := objects.bytes(t, keyOf("a")+".pieces/000000")
	if err := objects.Delete(t.Context(), keyOf("a")+".pieces/000001", keyOf("a")); err != nil {
		t.Fatal(err)
	}
	info, err := opus.Scan(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	if _, ms := recovered(t, t.TempDir(), objects, "a"); ms != info.Samples/48 {
		t.Errorf("%d ms, want %d", ms, info.Samples/48)
	}
}

// A file that ends before the pieces do goes on with them, wherever it ends,
// and wherever an earlier attempt at that was cut short.
func TestRecoverFromBoth(t *testing.T) {
	objects := newShop(t)
	dir, _ := spoken(t, objects, true)
	left, file := crash(t, dir, "a")
	original, ms := recovered(t, left, objects, "a")
	whole := wantWhole(t, objects, "a", original, ms)
	if ms != 3000 {
		t.Errorf("%d ms", ms)
	}
	joined, _ := objects.pieces(t, "a")
	for to := int64(len(joined)); to >= 0; to -= 1499 {
		for _, after := range [][]byte{nil, bytes.Repeat([]byte{0xA5}, 333)} {
			if err := os.WriteFile(file, append(whole[:to:to], after...), 0o600); err != nil {
				t.Fatal(err)
			}
			again, ms := recovered(t, left, objects, "a")
			if ms != 3000 || again != original {
				t.Errorf("cut to %d bytes: %+v, %d ms; want %+v", to, again, ms, original)
			}
		}
	}
}

// The store is away when the recording is to be recovered.
func TestRecoverLater(t *testing.T) {
	objects := newShop(t)
	dir, _ := spoken(t, objects, true)
	left, _ := crash(t, dir, "a")
	objects.away.Store(true)
	s := open(t, left, objects)
	if _, _, err := s.Recover(t.Context(), "a", keyOf("a")); !errors.Is(err, errAway) {
		t.Errorf("the store is away: %v", err)
	}
	if err := s.Forget(t.Context(), "a", keyOf("a")); !errors.Is(err, errAway) {
		t.Errorf("forget while the store is away: %v", err)
	}
	if ids, err := s.Left(); err != nil || !slices.Equal(ids, []string{"a"}) {
		t.Errorf("left: %v, %v", ids, err)
	}
	objects.away.Store(false)
	if _, ms, err := s.Recover(t.Context(), "a", keyOf("a")); err != nil || ms != 3000 {
		t.Errorf("%d ms, %v", ms, err)
	}
}

// A spool that is closed leaves what is spoken to the next one, to the last packet.
func TestCloseKeepsWhatWasSaid(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	say(t, r, 0, 77)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Write(packet(77)); !errors.Is(err, opus.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
	if _, ms := recovered(t, dir, objects, "a"); ms != 77*20 {
		t.Errorf("%d ms", ms)
	}
}

// A database from a backup may hold a recording as it was before it ended. Its
// pieces and its file are gone, and the whole is under its key.
func TestRecoverWhatIsWhole(t *testing.T) {
	objects := newShop(t)
	dir, r := spoken(t, objects, true)
	original, ms, err := r.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole := objects.bytes(t, keyOf("a"))
	s := open(t, dir, objects)
	if err := s.Forget(t.Context(), "a", keyOf("a")); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{dir, t.TempDir()} {
		again, msAgain := recovered(t, folder, objects, "a")
		if again != original || msAgain != ms {
			t.Errorf("%+v, %d ms; before %+v, %d ms", again, msAgain, original, ms)
		}
		if !bytes.Equal(objects.bytes(t, keyOf("a")), whole) {
			t.Error("the recording is another")
		}
	}
}
