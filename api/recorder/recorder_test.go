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
	"hark/media/transcript"
	"hark/media/whip"
	"hark/storage"
	"hark/transcribe/live"
)

func TestRecordingBecomesMessage(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsPrivate)
	if msg := h.await(rec.MessageID(), storage.Recording); msg.Title != "" || msg.AuthorID != h.principal.UserID {
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
	msg := h.await(rec.MessageID(), storage.Received)
	if msg.DurationMS != 3000 || msg.Original.Format != media.OggOpus || msg.EndReason != "" {
		t.Errorf("finished as %+v", msg)
	}
	h.awaitEmptySpool(rec, true)
	h.registry.under.Wait()
	if jobs, err := h.db.DueJobs(t.Context(), 10); err != nil || len(jobs) != 1 || jobs[0].ID != rec.MessageID() {
		t.Errorf("jobs %+v, %v", jobs, err)
	}
	if n := h.registry.count(); n != (counts{}) {
		t.Errorf("the registry still has %+v", n)
	}
}

func TestNothingSaid(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, _ := h.begin(storage.CaptionsPrivate)
	rec.End(whip.NeverConnected)
	h.await(rec.MessageID(), "")
	h.awaitEmptySpool(rec, false)
}

func TestSessionsOfOthers(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsPrivate)
	if got, err := h.Session(s.id, h.principal); err != nil || got != rec {
		t.Errorf("own session: %v, %v", got, err)
	}
	other := h.principal
	other.UserID = storage.NewID()
	elsewhere := h.principal
	elsewhere.Scopes = storage.Scopes("conversation:" + storage.NewID() + " record")
	for name, who := range map[string]storage.Principal{"another user": other, "nobody": {}, "a token of another conversation": elsewhere} {
		if _, err := h.Session(s.id, who); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Session("no such session", h.principal); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("made up: %v", err)
	}
	rec.End(whip.Stopped)
	if _, err := h.Session(s.id, h.principal); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after its end: %v", err)
	}
}

func TestLimits(t *testing.T) {
	h := newHarness(t, Config{PerUser: 2, PerNode: 3}, nil, "").settle()
	first, _ := h.begin(storage.CaptionsOff)
	h.begin(storage.CaptionsOff)
	if _, err := h.Begin(t.Context(), h.principal, h.start(storage.CaptionsOff)); !errors.Is(err, ErrTooMany) {
		t.Errorf("the third of a user: %v", err)
	}
	own := h.principal
	colleague, err := h.db.CreateUser(t.Context(), own.WorkspaceID, "Mia", storage.RoleMember)
	must(t, err)
	must(t, h.db.AddConversationMember(t.Context(), own, h.conv, colleague.ID))
	h.principal = storage.Principal{WorkspaceID: own.WorkspaceID, UserID: colleague.ID, UserName: colleague.Name, Role: colleague.Role}
	h.begin(storage.CaptionsOff)
	if _, err := h.Begin(t.Context(), h.principal, h.start(storage.CaptionsOff)); !errors.Is(err, ErrSaturated) {
		t.Errorf("the fourth of the node: %v", err)
	}
	first.End(whip.Stopped)
	h.begin(storage.CaptionsOff) // there is a place again
	must(t, h.Close(t.Context()))
	if _, err := h.Begin(t.Context(), h.principal, h.start(storage.CaptionsOff)); !errors.Is(err, ErrClosing) {
		t.Errorf("of a node that stops: %v", err)
	}
}

func TestBeginRefused(t *testing.T) {
	h := newHarness(t, Config{PerUser: 1}, nil, "").settle()
	var offer *whip.OfferError
	noOffer, elsewhere, noReply := h.start(storage.CaptionsOff), h.start(storage.CaptionsOff), h.start(storage.CaptionsOff)
	noOffer.Offer, elsewhere.ConversationID, noReply.ReplyTo = "", storage.NewID(), storage.NewID()
	if _, err := h.Begin(t.Context(), h.principal, noOffer); !errors.As(err, &offer) {
		t.Errorf("no offer: %v", err)
	}
	for name, start := range map[string]Start{"elsewhere": elsewhere, "reply to nothing": noReply} {
		if _, err := h.Begin(t.Context(), h.principal, start); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := h.registry.count(); n != (counts{}) || len(h.registry.sessions) > 0 {
		t.Errorf("the registry still has %+v", n)
	}
	list, err := h.db.Messages(t.Context(), h.principal, h.conv, storage.MessagePage{})
	must(t, err)
	if len(list.Messages) > 0 {
		t.Errorf("left behind: %+v", list.Messages)
	}
	h.begin(storage.CaptionsOff) // the place is free
	off, err := New(Deps{Spool: h.Spool, Records: recordsOf(h.db), Bus: h.bus, Registry: prometheus.NewRegistry(), Logger: h.Logger}, Config{})
	must(t, err)
	if _, err := off.Begin(t.Context(), h.principal, h.start(storage.CaptionsOff)); !errors.Is(err, ErrOff) {
		t.Errorf("without WebRTC: %v", err)
	}
}

func TestChannel(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle().run()
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	s.hears(t, "hello")
	if kept := s.hears(t, "kept"); kept.MS <= 0 || kept.MS > 1000 {
		t.Errorf("told %+v", kept)
	}
	s.ask(`{"type":"pause"}`)
	s.hears(t, "paused")
	if !s.paused.Load() {
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
	h.await(rec.MessageID(), storage.Received)
}

func TestDurationLimit(t *testing.T) {
	h := newHarness(t, Config{MaxDuration: 90 * time.Second}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(31 * time.Second)
	if warned := s.hears(t, "ending"); warned.Reason != "duration" || warned.InMS != 60000 {
		t.Errorf("told %+v", warned)
	}
	s.speak(2 * time.Minute) // more than it may
	if ended := s.hears(t, "ended"); ended.Reason != "duration" {
		t.Errorf("told %+v", ended)
	}
	if msg := h.await(rec.MessageID(), storage.Received); msg.DurationMS != 90_000 || msg.EndReason != "duration" {
		t.Errorf("%+v", msg)
	}
}

func TestDeletedWhileSpoken(t *testing.T) {
	for name, remove := range map[string]func(h *harness, rec *Recording) error{
		"message": func(h *harness, rec *Recording) error {
			return h.db.DeleteMessage(t.Context(), h.principal, rec.MessageID())
		},
		"conversation": func(h *harness, _ *Recording) error { return h.db.DeleteConversation(t.Context(), h.principal, h.conv) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, Config{}, nil, "").settle().run()
			rec, s := h.begin(storage.CaptionsPrivate)
			s.speak(time.Second)
			must(t, remove(h, rec))
			h.Nudge()
			if ended := s.hears(t, "ended"); ended.Reason != "deleted" {
				t.Errorf("told %+v", ended)
			}
			h.awaitEmptySpool(rec, false)
		})
	}
}

// Whoever's token is revoked speaks no longer, without anyone's nudge, and
// what they said stays. Other tokens of theirs do not count.
func TestSignedOutWhileSpeaking(t *testing.T) {
	h := newHarness(t, Config{Renew: 10 * time.Millisecond}, nil, "").settle().run()
	other, _, err := h.db.CreateToken(t.Context(), h.principal.UserID, storage.NewToken{Kind: storage.SessionToken, Name: "elsewhere", Life: time.Hour})
	must(t, err)
	must(t, h.db.RevokeToken(t.Context(), h.principal, other.ID))
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	s.hears(t, "kept") // time for many renewals
	must(t, h.db.RevokeToken(t.Context(), h.principal, h.principal.CredentialID))
	if ended := s.hears(t, "ended"); ended.Reason != "signed_out" {
		t.Errorf("told %+v", ended)
	}
	if msg := h.await(rec.MessageID(), storage.Received); msg.EndReason != "signed_out" || msg.DurationMS != 1000 {
		t.Errorf("%+v", msg)
	}
}

func TestRemovedWhileSpeaking(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle().run()
	owner := h.principal
	mia, err := h.db.CreateUser(t.Context(), owner.WorkspaceID, "Mia", storage.RoleMember)
	must(t, err)
	must(t, h.db.AddConversationMember(t.Context(), owner, h.conv, mia.ID))
	h.principal = h.signIn(storage.Principal{WorkspaceID: owner.WorkspaceID, UserID: mia.ID, UserName: mia.Name, Role: mia.Role})
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	must(t, h.db.RemoveConversationMember(t.Context(), owner, h.conv, mia.ID))
	h.Nudge()
	if ended := s.hears(t, "ended"); ended.Reason != "removed" {
		t.Errorf("told %+v", ended)
	}
	h.principal = owner
	if msg := h.await(rec.MessageID(), storage.Received); msg.EndReason != "removed" || msg.DurationMS != 1000 {
		t.Errorf("%+v", msg)
	}
}

// stuckTrack is one whose disk takes nothing.
type stuckTrack struct{ Track }

func (stuckTrack) Kept() int64 { return 0 }

func TestReady(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsOff)
	s.speak(10 * time.Second)
	h.awaitKept(rec)
	must(t, h.Ready(t.Context()))
	rec.track = stuckTrack{rec.track}
	if err := h.Ready(t.Context()); err == nil {
		t.Error("ready with 10 s that are not on the disk")
	}
}

func TestStoreAway(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsOff)
	s.speak(time.Second)
	h.fail(errors.New("the store is away"))
	rec.End(whip.Stopped)
	h.await(rec.MessageID(), storage.Recording)
	h.fail(nil)
	h.await(rec.MessageID(), storage.Received)
	h.awaitEmptySpool(rec, true)
}

// A node that has no time to finish says so, and the next start finishes.
func TestNoTimeToFinish(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	rec, s := h.begin(storage.CaptionsOff)
	s.speak(time.Second)
	h.fail(errors.New("the store is away"))
	grace, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Close(grace); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed with %v", err)
	}
	h.await(rec.MessageID(), storage.Recording)
	h.kill()
	next := newHarness(t, Config{}, h.db, h.dir)
	next.principal = h.principal
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
			h := newHarness(t, Config{}, nil, "").settle()
			words := []transcript.Word{{Text: "Harbour.", StartMS: 100, EndMS: 600}}
			heard := &fakeListener{result: &live.Result{
				Transcript: &transcript.Transcript{Language: "en", Segments: []transcript.Segment{transcript.NewSegment(words)}},
				DurationMS: 1000, Peaks: make([]float64, 100), LoudnessLUFS: -20,
			}}
			var captions func(live.Caption)
			h.listen = func(o live.Options) (listener, error) {
				captions = o.Captions
				return heard, nil
			}
			rec, s := h.begin(audience)
			s.speak(time.Second)
			if audience == storage.CaptionsOff {
				if captions != nil {
					t.Error("somebody listens")
				}
				rec.End(whip.Stopped)
				h.await(rec.MessageID(), storage.Received)
				return
			}
			captions(live.Caption{Text: "Harbour.", StartMS: 100, EndMS: 600, Words: words, Final: true})
			s.hears(t, "caption")
			onlyFor := map[storage.CaptionAudience]string{storage.CaptionsPrivate: h.principal.UserID}[audience]
			if e := h.bus.events[1]; e.Type != storage.MessageCaption || e.Seq != 0 || e.OnlyFor != onlyFor || e.MessageID != rec.MessageID() {
				t.Errorf("published %+v", e)
			}
			rec.End(whip.Stopped)
			if msg := h.await(rec.MessageID(), storage.Ready); msg.TranscriptVersion != 1 || msg.Loudness == nil || heard.packets != 50 {
				t.Errorf("%+v after %d packets", msg, heard.packets)
			}
			found, err := h.db.Search(t.Context(), h.principal, storage.Query{Text: "harbour"})
			if err != nil || len(found.Hits) != 1 {
				t.Errorf("found %+v, %v", found, err)
			}
		})
	}
}

func TestTranscriptNotFinished(t *testing.T) {
	h := newHarness(t, Config{}, nil, "").settle()
	h.listen = func(live.Options) (listener, error) { return &fakeListener{err: errors.New("no words")}, nil }
	rec, s := h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	rec.End(whip.Stopped)
	h.await(rec.MessageID(), storage.Received) // for the job
	h.listen = func(live.Options) (listener, error) { return nil, fmt.Errorf("no memory") }
	rec, s = h.begin(storage.CaptionsPrivate)
	s.speak(time.Second)
	rec.End(whip.Stopped)
	h.await(rec.MessageID(), storage.Received)
}
