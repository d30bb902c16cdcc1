package recorder

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hark/media/opus"
	"hark/media/whip"
	"hark/storage"
)

// Recording is one live recording. It is the sink of its session. Its methods
// are safe for concurrent use.
type Recording struct {
	recorder       *Recorder
	id, key        string
	principal      storage.Principal
	conversationID string
	captions       storage.CaptionAudience
	begun          time.Time
	sentAt         int64 // when the records say that it was, in ms since 1970; set before there are captions
	log            *slog.Logger

	session  *session
	left     bool     // it gave its place away; of the registry
	recorded bool     // the message is recorded
	track    Track    // nil until it is open
	listener listener // nil: no live transcript

	live    atomic.Bool  // all of the above is set; packets are taken
	packets atomic.Int64 // taken so far
	heard   atomic.Int64 // when the last one came, in milliseconds since begun; 0 means none came
	unheld  atomic.Bool  // the records said that it is not this node's any more
	origin  atomic.Int64 // when the sound's first moment was, by the last packet, in milliseconds since begun

	// Of the goroutine that brings packets.
	warned, failed bool

	notedPause bool // whether the records say that the speaker pauses; of the goroutine that notes it

	sentKept int64 // milliseconds of the last "kept" notice; of the goroutine that sends it

	once   sync.Once
	reason whip.Reason   // set when over is closed
	over   chan struct{} // closed when the session is over
}

// The reasons for which a recorder ends a recording, beside those of sessions.
const (
	reasonDuration  whip.Reason = "duration"   // as long as a recording may be
	reasonIdle      whip.Reason = "idle"       // nothing came for too long
	reasonDeleted   whip.Reason = "deleted"    // its message is gone
	reasonRemoved   whip.Reason = "removed"    // its speaker may not speak there any more
	reasonSignedOut whip.Reason = "signed_out" // the credential that began it was revoked
	reasonSpool     whip.Reason = "spool"      // neither disk nor store takes the sound
	reasonLost      whip.Reason = "server_lost"
)

const (
	// warnBefore is how long before its end by length a speaker is warned.
	warnBefore = time.Minute
	// idleLimit is how long a session may bring nothing: paused, or muted by a
	// sender that sends nothing for silence.
	idleLimit = time.Hour
)

// MessageID is the id of the message that is being recorded.
func (rec *Recording) MessageID() string { return rec.id }

// SessionID names the session; nobody can guess it.
func (rec *Recording) SessionID() string { return rec.session.ID() }

// Answer is the SDP answer to the offer.
func (rec *Recording) Answer() string { return rec.session.Answer() }

// ETag names the ICE session (RFC 9725, section 4.3.1).
func (rec *Recording) ETag() string { return rec.session.ETag() }

// Patch takes candidates or restarts ICE, as whip.Session.Patch does.
func (rec *Recording) Patch(ctx context.Context, fragment, ifMatch string) (whip.Patched, error) {
	return rec.session.Patch(ctx, fragment, ifMatch)
}

// SetPaused pauses or resumes: what is said during a pause is cut out.
func (rec *Recording) SetPaused(paused bool) {
	if paused {
		rec.session.Pause()
		rec.say(notice{Type: "paused"})
		return
	}
	rec.heard.Store(rec.since()) // a pause is no silence of the line
	rec.session.Resume()
	rec.say(notice{Type: "resumed"})
}

// underWay is how long after a speaker's stop packets may come that were sent
// before: the two come by different ways, and only one of them is in order.
const underWay = 60 * time.Millisecond

// Stop ends the recording because its speaker said so, with all that they sent
// before, and returns when no more comes in.
func (rec *Recording) Stop() {
	select {
	case <-time.After(underWay):
	case <-rec.over:
	}
	rec.End(whip.Stopped)
}

// End ends the recording and returns when no more comes in; it is finished in
// the background. Only the first reason counts.
func (rec *Recording) End(reason whip.Reason) { rec.session.Close(reason) }

// Opus takes a packet (whip.Sink).
func (rec *Recording) Opus(p opus.Packet) {
	if !rec.live.Load() || rec.failed {
		return
	}
	now := rec.since()
	rec.packets.Add(1)
	rec.heard.Store(now)
	rec.origin.Store(now - milliseconds(p.End()))
	if err := rec.track.Write(p); errors.Is(err, opus.ErrPacket) {
		return // not sound; the session lets none through
	} else if err != nil {
		rec.failed = true
		rec.log.Error("spool write failed, ending the recording", "error", err)
		rec.session.End(reasonSpool)
		return
	}
	if rec.listener != nil {
		rec.listener.Write(p)
	}
	rec.checkLength(p.End())
}

// checkLength warns a speaker of the end by length, and ends it.
func (rec *Recording) checkLength(end int64) {
	left := rec.recorder.cfg.MaxDuration - time.Duration(milliseconds(end))*time.Millisecond
	switch {
	case left <= 0:
		rec.failed = true // nothing more
		rec.session.End(reasonDuration)
	case left <= warnBefore && !rec.warned:
		rec.warned = true
		rec.say(notice{Type: "ending", Reason: reasonName(reasonDuration), InMS: left.Milliseconds()})
	}
}

// Ended is told when the session is over (whip.Sink).
func (rec *Recording) Ended(reason whip.Reason) {
	rec.once.Do(func() {
		rec.reason = reason
		if rec.live.Load() {
			rec.say(notice{Type: "ended", Reason: reasonName(reason)})
		}
		rec.recorder.registry.leave(rec)
		close(rec.over)
	})
}

// idle reports whether nothing has come for too long.
func (rec *Recording) idle() bool {
	return rec.since()-rec.heard.Load() > idleLimit.Milliseconds()
}

// since is how long ago the recording began, in milliseconds of a clock that
// is never set.
func (rec *Recording) since() int64 { return time.Since(rec.begun).Milliseconds() }

// reasonName is what a reason is called to callers, and in the records.
func reasonName(reason whip.Reason) string {
	switch reason {
	case whip.TooFast:
		return "bit_rate"
	case reasonSpool:
		return string(whip.Failed) // which part failed is for the log
	}
	return string(reason)
}

// milliseconds of a count of samples.
func milliseconds(samples int64) int64 { return samples * 1000 / opus.Rate }
