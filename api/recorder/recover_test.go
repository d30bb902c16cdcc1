package recorder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/media/whip"
	"hark/storage"
	"hark/storage/blob"
)

// again starts the same node anew, after a kill.
func (h *harness) again(cfg Config) *harness {
	h.t.Helper()
	h.kill()
	next := newHarness(h.t, cfg, h.db, h.dir)
	next.principal, next.conv = h.principal, h.conv
	return next
}

// awaitKept waits until all that was said is on the disk.
func (h *harness) awaitKept(rec *Recording) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); rec.track.Kept() < rec.track.Length(); {
		select {
		case <-tick.C: // the spool calls nobody
		case <-late:
			h.t.Fatalf("%d of %d ms are kept", rec.track.Kept(), rec.track.Length())
		}
	}
}

func TestRestart(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	spoken, s := h.begin(storage.CaptionsPrivate)
	s.speak(5 * time.Second)
	empty, _ := h.begin(storage.CaptionsPrivate)
	deleted, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	ended, s := h.begin(storage.CaptionsPrivate) // but the store was away
	s.speak(2 * time.Second)
	for _, rec := range []*Recording{spoken, deleted, ended} {
		h.awaitKept(rec)
	}
	h.fail(context.DeadlineExceeded)
	ended.End(whip.Stopped)
	must(t, h.db.DeleteMessage(t.Context(), h.principal, deleted.MessageID()))

	next := h.again(Config{}).run()
	for rec, length := range map[*Recording]int64{spoken: 5000, ended: 2000} {
		msg := next.await(rec.MessageID(), storage.Received)
		if msg.DurationMS != length || msg.EndReason != "server_lost" {
			t.Errorf("%+v; want %d ms", msg, length)
		}
		next.awaitEmptySpool(rec, true)
	}
	next.await(empty.MessageID(), "")
	next.awaitEmptySpool(empty, false)
	next.awaitNoFile(deleted) // its pieces belong to no record, and go as such
	if held, err := next.db.RecordingsOf(t.Context(), next.spool.Node()); err != nil || len(held) > 0 {
		t.Errorf("still held: %+v, %v", held, err)
	}
}

func (h *harness) awaitNoFile(rec *Recording) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); ; {
		if _, err := os.Stat(filepath.Join(h.dir, rec.id+".opus")); os.IsNotExist(err) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			h.t.Fatal("the file stays")
		}
	}
}

// TestLiveOnesAreLeftAlone looks for what was left while somebody speaks.
func TestLiveOnesAreLeftAlone(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	h.recoverLeft(t.Context())
	h.recoverLost(t.Context())
	s.speak(time.Second)
	rec.End(whip.Stopped)
	if msg := h.await(rec.MessageID(), storage.Received); msg.DurationMS != 2000 || msg.EndReason != "" {
		t.Errorf("%+v", msg)
	}
}

func TestAnotherNodeTakesOver(t *testing.T) {
	short := Config{Lease: 50 * time.Millisecond, Renew: 10 * time.Millisecond, Lost: 50 * time.Millisecond, Look: 20 * time.Millisecond}
	first := newHarness(t, short, nil, "").settle().run()
	first.drafts = true
	rec, s := first.begin(storage.CaptionsPrivate)
	s.speak(10 * time.Second)
	first.awaitPieces(rec)

	second := newHarness(t, short, first.db, "").run()
	second.principal, second.conv = first.principal, first.conv
	// As long as the first renews its lease, the second leaves it alone.
	s.speak(time.Second)
	first.await(rec.MessageID(), storage.Recording)

	first.stop() // to renew its lease
	first.stop = func() {}
	msg := second.await(rec.MessageID(), storage.Received)
	if msg.EndReason != "server_lost" || msg.DurationMS < 10_000 || msg.DurationMS > 11_000 || !msg.Unsent {
		t.Errorf("%+v", msg)
	}
	second.awaitEmptySpool(rec, true)
	if jobs, err := second.db.DueJobs(t.Context(), 10); err != nil || len(jobs) != 1 {
		t.Errorf("jobs %+v, %v", jobs, err)
	}

	// The first is back, too late: what the second recorded stands.
	first.run()
	if ended := s.hears(t, "ended"); ended.Reason != "deleted" {
		t.Errorf("told %+v", ended)
	}
	first.registry.under.Wait()
	first.awaitNoFile(rec)
	if body, size, err := store.Get(t.Context(), rec.key); err != nil || size != msg.Original.Bytes {
		t.Errorf("the object has %d bytes, %v; want %d", size, err, msg.Original.Bytes)
	} else {
		body.Close()
	}
	if after := second.await(rec.MessageID(), storage.Received); after.DurationMS != msg.DurationMS || after.Original.SHA256 != msg.Original.SHA256 {
		t.Errorf("then %+v", after)
	}
}

// awaitPieces waits until there is a piece of all that was said.
func (h *harness) awaitPieces(rec *Recording) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	h.awaitKept(rec)
	for late := time.After(time.Minute); ; {
		pieces := int64(0)
		must(h.t, store.List(h.t.Context(), storage.PiecesOf(rec.key), func(o blob.Object) error {
			pieces += o.Size
			return nil
		}))
		if file, err := os.Stat(filepath.Join(h.dir, rec.id+".opus")); err == nil && pieces > 0 && pieces == file.Size() {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			h.t.Fatalf("%d bytes in pieces", pieces)
		}
	}
}

func TestCloseFinishes(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle().run()
	var recs []*Recording
	for range 3 {
		rec, s := h.begin(storage.CaptionsPrivate)
		s.speak(time.Second)
		recs = append(recs, rec)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, h.Close(ctx))
	must(t, h.Close(ctx))
	for _, rec := range recs {
		msg, err := h.db.Message(t.Context(), h.principal, rec.MessageID())
		if err != nil || msg.State != storage.Received || msg.EndReason != "server_stopped" {
			t.Errorf("%+v, %v", msg, err)
		}
	}
}

func TestCloseLeavesWhatItCannotFinish(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	h.fail(context.DeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_ = h.Close(ctx)
	h.await(rec.MessageID(), storage.Recording)
	next := h.again(Config{}).run()
	if msg := next.await(rec.MessageID(), storage.Received); msg.DurationMS != 1000 {
		t.Errorf("%+v", msg)
	}
}

func TestChannels(t *testing.T) {
	for answer, want := range map[string]int{
		"":                                    1,
		"a=fmtp:111 useinbandfec=1\r\n":       1,
		"a=fmtp:111 stereo=0\r\n":             1,
		"a=fmtp:111 a=b; stereo=1;c=d\r\n":    2,
		"a=fmtp:111 sprop-stereo=1\r\n":       1,
		strings.Repeat("a=mid:0\r\n", 3):      1,
		"a=mid:0\r\na=fmtp:96 stereo=1\r\n\r": 2,
	} {
		if got := channels(answer); got != want {
			t.Errorf("%q: %d, want %d", answer, got, want)
		}
	}
}

// A database that was lost knows of no recording. The files stay until it is
// sure that the records are the store's.
func TestFilesStayWhenTheDatabaseWasLost(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(2 * time.Second)
	h.awaitKept(rec)
	h.kill()
	lost := newHarness(t, Config{}, nil, h.dir).settle()
	doubt := errors.New("the store belongs to another database")
	lost.Agree = func(context.Context) error { return doubt }
	lost.recoverLeft(t.Context())
	if _, err := os.Stat(filepath.Join(h.dir, rec.id+".opus")); err != nil {
		t.Fatal(err)
	}
	doubt = nil
	lost.recoverLeft(t.Context())
	lost.awaitNoFile(rec)
}
