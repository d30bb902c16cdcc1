package recorder

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/media"
	"hark/media/opus"
	"hark/media/whip"
	"hark/storage"
	"hark/transcribe"
	"hark/transcribe/live"
)

func TestRecordingBecomesMessage(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	rec, s := w.begin(storage.CaptionsPrivate)
	if msg := w.await(rec.MessageID(), storage.Recording); msg.Title != "" || msg.AuthorID != w.actor.UserID {
		t.Errorf("begun as %+v", msg)
	}
	s.speak(3 * time.Second)
	if hello := s.hears(t, "hello"); hello.MessageID != rec.MessageID() || hello.Captions == nil || *hello.Captions {
		t.Errorf("greeted with %+v", hello)
	}
	rec.End(whip.Stopped)
	rec.End(whip.Disconnected) // too late to count
	if ended := s.hears(t, "ended"); ended.Reason != "stopped" {
		t.Errorf("told %+v", ended)
	}
	msg := w.await(rec.MessageID(), storage.Received)
	if msg.DurationMS != 3000 || msg.Original.Format != media.OggOpus || msg.EndReason != "" {
		t.Errorf("finished as %+v", msg)
	}
	w.awaitEmptySpool(rec, true)
	w.desk.under.Wait()
	if jobs := w.bus.published(); len(jobs) != 1 || jobs[0].ID != rec.MessageID() {
		t.Errorf("published %+v", jobs)
	}
	if n := w.desk.count(); n != (counts{}) {
		t.Errorf("the desk still has %+v", n)
	}
}

func TestNothingSaid(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	rec, _ := w.begin(storage.CaptionsPrivate)
	rec.End(whip.NeverConnected)
	w.await(rec.MessageID(), "")
	w.awaitEmptySpool(rec, false)
}

func TestSessionsOfOthers(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	rec, s := w.begin(storage.CaptionsPrivate)
	if got, err := w.Session(s.id, w.actor); err != nil || got != rec {
		t.Errorf("own session: %v, %v", got, err)
	}
	other := w.actor
	other.UserID = storage.NewID()
	for name, who := range map[string]storage.Actor{"another user": other, "nobody": {}} {
		if _, err := w.Session(s.id, who); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Session("no such session", w.actor); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("made up: %v", err)
	}
	rec.End(whip.Stopped)
	if _, err := w.Session(s.id, w.actor); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t, Config{PerUser: 2, PerNode: 3}, nil, "").settle()
	first, _ := w.begin(storage.CaptionsOff)
	w.begin(storage.CaptionsOff)
	if _, err := w.Begin(t.Context(), w.actor, w.start(storage.CaptionsOff)); !errors.Is(err, ErrTooMany) {
		t.Errorf("the third of a user: %v", err)
	}
	own := w.actor
	colleague, err := w.db.CreateUser(t.Context(), own.WorkspaceID, "Mia", storage.RoleMember)
	must(t, err)
	must(t, w.db.AddConversationMember(t.Context(), own, w.conv, colleague.ID))
	w.actor = storage.Actor{WorkspaceID: own.WorkspaceID, UserID: colleague.ID, UserName: colleague.Name, Role: colleague.Role}
	w.begin(storage.CaptionsOff)
	if _, err := w.Begin(t.Context(), w.actor, w.start(storage.CaptionsOff)); !errors.Is(err, ErrSaturated) {
		t.Errorf("the fourth of the node: %v", err)
	}
	first.End(whip.Stopped)
	w.begin(storage.CaptionsOff) // there is a place again
	must(t, w.Close(t.Context()))
	if _, err := w.Begin(t.Context(), w.actor, w.start(storage.CaptionsOff)); !errors.Is(err, ErrClosing) {
		t.Errorf("of a node that stops: %v", err)
	}
}

func TestBeginRefused(t *testing.T) {
	w := newWorld(t, Config{PerUser: 1}, nil, "").settle()
	var offer *whip.OfferError
	noOffer, elsewhere, noReply := w.start(storage.CaptionsOff), w.start(storage.CaptionsOff), w.start(storage.CaptionsOff)
	noOffer.Offer, elsewhere.ConversationID, noReply.ReplyTo = "", storage.NewID(), storage.NewID()
	if _, err := w.Begin(t.Context(), w.actor, noOffer); !errors.As(err, &offer) {
		t.Errorf("no offer: %v", err)
	}
	for name, start := range map[string]Start{"elsewhere": elsewhere, "reply to nothing": noReply} {
		if _, err := w.Begin(t.Context(), w.actor, start); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.desk.count(); n != (counts{}) || len(w.desk.sessions) > 0 {
		t.Errorf("the desk still has %+v", n)
	}
	list, err := w.db.Messages(t.Context(), w.actor, w.conv, storage.MessagePage{})
	must(t, err)
	if len(list.Messages) > 0 {
		t.Errorf("left behind: %+v", list.Messages)
	}
	w.begin(storage.CaptionsOff) // the place is free
	off, err := New(Deps{Spool: w.Spool, Records: w.db, Bus: w.bus, Registry: prometheus.NewRegistry(), Logger: w.Logger}, Config{})
	must(t, err)
	if _, err := off.Begin(t.Context(), w.actor, w.start(storage.CaptionsOff)); !errors.Is(err, ErrOff) {
		t.Errorf("without WebRTC: %v", err)
	}
}

func TestChannel(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle().run()
	rec, s := w.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	s.hears(t, "hello")
	if kept := s.hears(t, "kept"); kept.MS <= 0 || kept.MS > 1000 {
		t.Errorf("told %+v", kept)
	}
	s.ask(`{"type":"pause"}`)
	s.hears(t, "paused")
	if !s.paused {
		t.Error("not paused")
	}
	s.ask(`{"type":"resume"}`)
	s.hears(t, "resumed")
	for _, nonsense := range []string{"", "null", "{", `{"type":"fly"}`, `[1]`, "\xff"} {
		s.ask(nonsense)
	}
	s.ask(`{"type":"stop"}`)
	if ended := s.hears(t, "ended"); ended.Reason != "stopped" {
		t.Errorf("told %+v", ended)
	}
	w.await(rec.MessageID(), storage.Received)
}

func TestDurationLimit(t *testing.T) {
	w := newWorld(t, Config{MaxDuration: 90 * time.Second}, nil, "").settle()
	rec, s := w.begin(storage.CaptionsPrivate)
	s.speak(31 * time.Second)
	if warned := s.hears(t, "ending"); warned.Reason != "duration" || warned.InMS != 60000 {
		t.Errorf("told %+v", warned)
	}
	s.speak(2 * time.Minute) // more than it may
	if ended := s.hears(t, "ended"); ended.Reason != "duration" {
		t.Errorf("told %+v", ended)
	}
	if msg := w.await(rec.MessageID(), storage.Received); msg.DurationMS != 90_000 || msg.EndReason != "duration" {
		t.Errorf("%+v", msg)
	}
}

func TestDeletedWhileSpoken(t *testing.T) {
	for name, remove := range map[string]func(w *world, rec *Recording) error{
		"message":      func(w *world, rec *Recording) error { return w.db.DeleteMessage(t.Context(), w.actor, rec.MessageID()) },
		"conversation": func(w *world, _ *Recording) error { return w.db.DeleteConversation(t.Context(), w.actor, w.conv) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{}, nil, "").settle().run()
			rec, s := w.begin(storage.CaptionsPrivate)
			s.speak(time.Second)
			must(t, remove(w, rec))
			w.Nudge()
			if ended := s.hears(t, "ended"); ended.Reason != "deleted" {
				t.Errorf("told %+v", ended)
			}
			w.awaitEmptySpool(rec, false)
		})
	}
}

// Whoever's token is revoked speaks no longer, without anyone's nudge, and
// what they said stays. Other tokens of theirs do not count.
func TestSignedOutWhileSpeaking(t *testing.T) {
	w := newWorld(t, Config{Renew: 10 * time.Millisecond}, nil, "").settle().run()
	other, _, err := w.db.CreateToken(t.Context(), w.actor.UserID, storage.SessionToken, "elsewhere", time.Hour)
	must(t, err)
	must(t, w.db.RevokeToken(t.Context(), w.actor, other.ID))
	rec, s := w.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	s.hears(t, "kept") // time for many renewals
	must(t, w.db.RevokeToken(t.Context(), w.actor, w.actor.TokenID))
	if ended := s.hears(t, "ended"); ended.Reason != "signed_out" {
		t.Errorf("told %+v", ended)
	}
	if msg := w.await(rec.MessageID(), storage.Received); msg.EndReason != "signed_out" || msg.DurationMS != 1000 {
		t.Errorf("%+v", msg)
	}
}

func TestRemovedWhileSpeaking(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle().run()
	owner := w.actor
	mia, err := w.db.CreateUser(t.Context(), owner.WorkspaceID, "Mia", storage.RoleMember)
	must(t, err)
	must(t, w.db.AddConversationMember(t.Context(), owner, w.conv, mia.ID))
	w.actor = w.signIn(storage.Actor{WorkspaceID: owner.WorkspaceID, UserID: mia.ID, UserName: mia.Name, Role: mia.Role})
	rec, s := w.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	must(t, w.db.RemoveConversationMember(t.Context(), owner, w.conv, mia.ID))
	w.Nudge()
	if ended := s.hears(t, "ended"); ended.Reason != "removed" {
		t.Errorf("told %+v", ended)
	}
	w.actor = owner
	if msg := w.await(rec.MessageID(), storage.Received); msg.EndReason != "removed" || msg.DurationMS != 1000 {
		t.Errorf("%+v", msg)
	}
}

// stuckTrack is one whose disk takes nothing.
type stuckTrack struct{ Track }

func (stuckTrack) Kept() int64 { return 0 }

func TestReady(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	rec, s := w.begin(storage.CaptionsOff)
	s.speak(10 * time.Second)
	w.awaitKept(rec)
	must(t, w.Ready(t.Context()))
	rec.track = stuckTrack{rec.track}
	if err := w.Ready(t.Context()); err == nil {
		t.Error("ready with 10 s that are not on the disk")
	}
}

func TestStoreAway(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	rec, s := w.begin(storage.CaptionsOff)
	s.speak(time.Second)
	w.fail(errors.New("the store is away"))
	rec.End(whip.Stopped)
	w.await(rec.MessageID(), storage.Recording)
	w.fail(nil)
	w.await(rec.MessageID(), storage.Received)
	w.awaitEmptySpool(rec, true)
}

// A node that has no time to finish says so, and the next start finishes.
func TestNoTimeToFinish(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	rec, s := w.begin(storage.CaptionsOff)
	s.speak(time.Second)
	w.fail(errors.New("the store is away"))
	grace, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Close(grace); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed with %v", err)
	}
	w.await(rec.MessageID(), storage.Recording)
	w.kill()
	next := newWorld(t, Config{}, w.db, w.dir)
	next.actor = w.actor
	next.run().await(rec.MessageID(), storage.Received)
}

// fakeListener hears what the test says.
type fakeListener struct {
	packets int
	result  *live.Result
	err     error
}

func (l *fakeListener) Write(opus.Packet) { l.packets++ }
func (l *fakeListener) Cancel()           {}
func (l *fakeListener) Finish(context.Context) (*live.Result, error) {
	return l.result, l.err
}

func TestCaptions(t *testing.T) {
	for _, audience := range []storage.CaptionAudience{storage.CaptionsOff, storage.CaptionsPrivate, storage.CaptionsConversation} {
		t.Run(string(audience), func(t *testing.T) {
			w := newWorld(t, Config{}, nil, "").settle()
			words := []transcribe.Word{{Text: "Harbour.", StartMS: 100, EndMS: 600}}
			heard := &fakeListener{result: &live.Result{
				Transcript: &transcribe.Transcript{Language: "en", Segments: []transcribe.Segment{transcribe.NewSegment(words)}},
				DurationMS: 1000, Peaks: make([]float64, 100), LoudnessLUFS: -20,
			}}
			var captions func(live.Caption)
			w.listen = func(o live.Options) (listener, error) {
				captions = o.Captions
				return heard, nil
			}
			rec, s := w.begin(audience)
			s.speak(time.Second)
			if audience == storage.CaptionsOff {
				if captions != nil {
					t.Error("somebody listens")
				}
				rec.End(whip.Stopped)
				w.await(rec.MessageID(), storage.Received)
				return
			}
			captions(live.Caption{Text: "Harbour.", StartMS: 100, EndMS: 600, Words: words, Final: true})
			s.hears(t, "caption")
			onlyFor := map[storage.CaptionAudience]string{storage.CaptionsPrivate: w.actor.UserID}[audience]
			if e := w.bus.events[0]; e.Type != storage.MessageCaption || e.Seq != 0 || e.OnlyFor != onlyFor || e.MessageID != rec.MessageID() {
				t.Errorf("published %+v", e)
			}
			rec.End(whip.Stopped)
			if msg := w.await(rec.MessageID(), storage.Ready); msg.TranscriptVersion != 1 || msg.Loudness == nil || heard.packets != 50 {
				t.Errorf("%+v after %d packets", msg, heard.packets)
			}
			found, err := w.db.Search(t.Context(), w.actor, storage.Query{Text: "harbour"})
			if err != nil || len(found.Hits) != 1 {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
}

func TestTranscriptNotFinished(t *testing.T) {
	w := newWorld(t, Config{}, nil, "").settle()
	w.listen = func(live.Options) (listener, error) { return &fakeListener{err: errors.New("no words")}, nil }
	rec, s := w.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	rec.End(whip.Stopped)
	w.await(rec.MessageID(), storage.Received) // for the job
	w.listen = func(live.Options) (listener, error) { return nil, fmt.Errorf("no memory") }
	rec, s = w.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	rec.End(whip.Stopped)
	w.await(rec.MessageID(), storage.Received)
}
