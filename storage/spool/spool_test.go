package spool_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hark/media"
	"hark/media/opus"
	"hark/storage"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
	"hark/storage/spool"
)

func TestMain(m *testing.M) {
	if os.Getenv(helperDir) != "" {
		os.Exit(recordForTracer())
	}
	goleak.VerifyTestMain(m,
		// fasthttp, beneath the embedded server, keeps a clock for good, and
		// its idle-worker sweep only looks up every ten seconds.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// shop is a real object store that can be away.
type shop struct {
	*blob.Store
	away atomic.Bool
}

var errAway = errors.New("the store is away")

func (s *shop) Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error) {
	if s.away.Load() {
		return 0, errAway
	}
	return s.Store.Put(ctx, key, mediaType, r, size)
}

func (s *shop) List(ctx context.Context, prefix string, visit func(blob.Object) error) error {
	if s.away.Load() {
		return errAway
	}
	return s.Store.List(ctx, prefix, visit)
}

func newShop(t testing.TB) *shop {
	t.Helper()
	e, err := embedded.Serve(t.Context(), filepath.Join(t.TempDir(), "objects"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	s, err := blob.Open(t.Context(), e.Config())
	if err != nil {
		t.Fatal(err)
	}
	return &shop{Store: s}
}

// keys lists what is in the store.
func (s *shop) keys(t testing.TB) (keys []string) {
	t.Helper()
	err := s.Store.List(t.Context(), "", func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (s *shop) bytes(t testing.TB, key string) []byte {
	t.Helper()
	body, _, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, dir string, objects *shop) *spool.Spool {
	t.Helper()
	s, err := spool.Open(spool.Config{
		Dir: dir, Objects: objects, Logger: slog.New(slog.DiscardHandler),
		SyncEvery: 20 * time.Millisecond, PieceEvery: 40 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func keyOf(id string) string { return "w/1/m/" + id + "/r/original" }

func create(t testing.TB, s *spool.Spool, id string) *spool.Recording {
	t.Helper()
	r, err := s.Create(t.Context(), id, keyOf(id), 1)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// packet is one of 20 ms, the nth of a recording.
func packet(n int) opus.Packet {
	data := bytes.Repeat([]byte{byte(n), byte(n >> 8)}, 40)
	data[0] = 15 << 3 // hybrid, one frame
	return opus.Packet{Position: int64(n) * 960, Samples: 960, Data: data}
}

// say writes the packets from (inclusive) to (exclusive).
func say(t testing.TB, r *spool.Recording, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := r.Write(packet(n)); err != nil {
			t.Fatal(err)
		}
	}
}

// await waits for something that other goroutines bring about.
func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("after a minute: not %s", what)
		}
	}
}

// piecesOf joins the pieces of a recording.
func (s *shop) pieces(t testing.TB, id string) (joined []byte, n int) {
	t.Helper()
	for _, key := range s.keys(t) {
		if rest, ok := strings.CutPrefix(key, keyOf(id)+".pieces/"); ok {
			if rest != fmt.Sprintf("%06d", n) {
				t.Errorf("piece %d is called %s", n, rest)
			}
			joined = append(joined, s.bytes(t, key)...)
			n++
		}
	}
	return joined, n
}

// wantWhole checks what Finish and Recover gave.
func wantWhole(t testing.TB, objects *shop, id string, original storage.Original, ms int64) []byte {
	t.Helper()
	if original.Key != keyOf(id) || original.Format != media.OggOpus || original.Filename != "" {
		t.Errorf("%+v", original)
	}
	whole := objects.bytes(t, keyOf(id))
	sum := sha256.Sum256(whole)
	if original.Bytes != int64(len(whole)) || original.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v of %d bytes", original, len(whole))
	}
	info, err := opus.Scan(bytes.NewReader(whole))
	if err != nil || !info.Ended || info.Bytes != int64(len(whole)) || info.Samples/48 != ms {
		t.Errorf("%+v, %v; want %d ms", info, err, ms)
	}
	return whole
}

func TestFromFirstWordToForgotten(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	said := 0
	for said < 150 { // until three pieces have gone
		say(t, r, said, said+50)
		said += 50
		await(t, "kept", func() bool { return r.Kept() == int64(said)*20 })
		await(t, "in a piece", func() bool { _, n := objects.pieces(t, "a"); return n >= said/50 })
	}
	say(t, r, said, said+7)
	if ms := r.Length(); ms != 157*20 {
		t.Errorf("it lasts %d ms", ms)
	}
	if left, err := s.Left(); err != nil || len(left) != 0 {
		t.Errorf("left while it is spoken: %v, %v", left, err)
	}
	original, ms, err := r.Finish(t.Context())
	if err != nil || ms != 157*20 {
		t.Fatalf("%d ms, %v", ms, err)
	}
	whole := wantWhole(t, objects, "a", original, ms)
	joined, _ := objects.pieces(t, "a")
	if !bytes.HasPrefix(whole, joined) {
		t.Error("the pieces are not the beginning of the recording")
	}
	if info, err := opus.Scan(bytes.NewReader(joined)); err != nil || info.Bytes != int64(len(joined)) {
		t.Errorf("the pieces do not end with a page: %+v, %v", info, err)
	}
	again, _, err := r.Finish(t.Context())
	if err != nil || again != original {
		t.Errorf("finished again: %+v, %v", again, err)
	}
	if err := r.Write(packet(200)); !errors.Is(err, opus.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
	for range 2 {
		if err := s.Forget(t.Context(), "a", keyOf("a")); err != nil {
			t.Fatal(err)
		}
	}
	if keys := objects.keys(t); !slices.Equal(keys, []string{keyOf("a")}) {
		t.Errorf("in the store: %v", keys)
	}
	wantFiles(t, dir, "node")
	if s.Held() != 0 {
		t.Errorf("%d bytes are still held", s.Held())
	}
}

func wantFiles(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

func TestNothingSaid(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	r := create(t, s, "a")
	await(t, "in a piece", func() bool { return len(objects.keys(t)) == 1 })
	original, ms, err := r.Finish(t.Context())
	if original != (storage.Original{}) || ms != 0 || err != nil {
		t.Errorf("%+v, %d ms, %v", original, ms, err)
	}
	if original, ms, err := s.Recover(t.Context(), "a", keyOf("a")); original != (storage.Original{}) || ms != 0 || err != nil {
		t.Errorf("recovered %+v, %d ms, %v", original, ms, err)
	}
	if err := s.Discard(t.Context(), "a", keyOf("a")); err != nil {
		t.Fatal(err)
	}
	if keys := objects.keys(t); len(keys) != 0 {
		t.Errorf("in the store: %v", keys)
	}
	wantFiles(t, dir, "node")
}

// A message that is deleted while it is spoken leaves nothing.
func TestDiscard(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	spoken, finished := create(t, s, "spoken"), create(t, s, "finished")
	for _, r := range []*spool.Recording{spoken, finished} {
		say(t, r, 0, 100)
	}
	await(t, "in pieces", func() bool { return len(objects.keys(t)) >= 2 })
	if _, _, err := finished.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"spoken", "finished", "never heard of"} {
		if err := s.Discard(t.Context(), id, keyOf(id)); err != nil {
			t.Error(err)
		}
	}
	if err := spoken.Write(packet(100)); !errors.Is(err, opus.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
	if keys := objects.keys(t); len(keys) != 0 {
		t.Errorf("in the store: %v", keys)
	}
	wantFiles(t, dir, "node")
}

// Recordings end in every way at any moment of the spool's own work.
func TestEndAtAnyMoment(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s, err := spool.Open(spool.Config{
		Dir: dir, Objects: objects, Logger: slog.New(slog.DiscardHandler),
		SyncEvery: time.Millisecond, PieceEvery: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 60 {
				id := fmt.Sprint(i, "-", j)
				r, err := s.Create(t.Context(), id, keyOf(id), 1)
				if err != nil {
					t.Error(err)
					return
				}
				for n := range 20 + j {
					if err := r.Write(packet(n)); err != nil {
						t.Error(err)
					}
				}
				end := s.Discard
				if j%2 == 0 {
					end = s.Forget
					if _, ms, err := r.Finish(t.Context()); err != nil || ms != int64(20+j)*20 {
						t.Errorf("%d ms, %v", ms, err)
					}
				}
				if err := end(t.Context(), id, keyOf(id)); err != nil {
					t.Error(err)
				}
				if _, _, err := r.Finish(t.Context()); err == nil {
					t.Error("finished after it was forgotten")
				}
			}
		})
	}
	all.Wait()
	if keys := objects.keys(t); len(keys) != 4*30 {
		t.Errorf("%d objects in the store", len(keys))
	}
	wantFiles(t, dir, "node")
	if s.Held() != 0 {
		t.Errorf("%d bytes are still held", s.Held())
	}
}

func TestCreateRefuses(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	create(t, s, "a")
	if err := os.WriteFile(filepath.Join(dir, "left.opus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{"a": storage.ErrConflict, "left": storage.ErrConflict, "": nil, "../a": nil, "b/c": nil, ".": nil, "..": nil, ".hidden": nil} {
		if _, err := s.Create(t.Context(), id, keyOf("x"), 1); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := s.Create(t.Context(), "six", keyOf("six"), 6); err == nil {
		t.Error("six channels were taken")
	}
	wantFiles(t, dir, "a.opus", "left.opus", "node")
	if _, _, err := s.Recover(t.Context(), "a", keyOf("a")); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("recover what is being spoken: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), "late", keyOf("late"), 1); err == nil {
		t.Error("created after the end")
	}
}

func TestNodeKeepsItsName(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, dir, objects); again.Node() != s.Node() || s.Node() == "" {
		t.Errorf("%q, then %q", s.Node(), again.Node())
	}
	if other := open(t, t.TempDir(), objects); other.Node() == s.Node() {
		t.Error("two nodes of one name")
	}
}

// Many people speak at once, pause, end and are forgotten, while others begin.
func TestManyAtOnce(t *testing.T) {
	dir, objects := t.TempDir(), newShop(t)
	s := open(t, dir, objects)
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			id := fmt.Sprint("r", i)
			r, err := s.Create(t.Context(), id, keyOf(id), 1+i%2)
			if err != nil {
				t.Error(err)
				return
			}
			n := 100 + i
			for at := range n {
				if err := r.Write(packet(at)); err != nil {
					t.Error(err)
				}
				if at%50 == 0 {
					await(t, "kept", func() bool { return r.Kept() >= int64(at)*20 })
				}
			}
			original, ms, err := r.Finish(t.Context())
			if err != nil || ms != int64(n)*20 {
				t.Errorf("%d ms, %v", ms, err)
				return
			}
			wantWhole(t, objects, id, original, ms)
			if err := s.Forget(t.Context(), id, keyOf(id)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if keys := objects.keys(t); len(keys) != 60 {
		t.Errorf("in the store: %v", keys)
	}
	wantFiles(t, dir, "node")
	if s.Held() != 0 {
		t.Errorf("%d bytes are still held", s.Held())
	}
}
