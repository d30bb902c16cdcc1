package local

import (
	"context"
	"errors"
	"slices"
	"time"

	"hark/transcribe/local/vad"
)

const (
	// settled is the silence, in windows, after which what was said is most
	// likely all: a quarter of a second. More of it changes nothing of what is
	// heard.
	settled = 8

	// leastSpoken is the least speech worth an attempt, in windows.
	leastSpoken = 8

	// attemptEvery is how often the open piece is tried at most.
	attemptEvery = 300 * time.Millisecond

	// attemptShare is how much of the recogniser's time all attempts together
	// may take.
	attemptShare = 0.6
)

// errOutdated ends attempts whose result nobody wants any more.
var errOutdated = errors.New("superseded by a longer attempt")

// hearing is a piece on its way through the recogniser: a finished one, or an
// attempt at one that is open.
type hearing struct {
	piece    piece
	number   int
	finished bool // no attempt
	settled  bool // the speaker was silent at the end of it
	used     bool // what was heard was made use of

	job    *job
	cancel context.CancelCauseFunc
	heard  heard // valid when job is done and failed is nil
	err    error
	took   time.Duration // of the recogniser
}

// hear has a piece recognised: h has all but what comes of it.
func (l *listener) hear(h *hearing, with hints) *hearing {
	ctx, cancel := context.WithCancelCause(l.ctx)
	h.cancel = cancel
	h.job = &job{ctx: ctx, cost: int64(len(h.piece.samples)), onDone: l.opts.Wake, share: &l.shares.finished}
	tries := mostTries
	if !h.finished {
		h.job.share = &l.shares.attempts
		if !h.settled {
			tries = 0
			h.job.yield = func() { cancel(errOutdated) }
		}
	}
	h.job.run = func(ctx context.Context) {
		begun := time.Now()
		h.heard, h.err = l.asking.hearAgain(ctx, h.piece, with, tries)
		h.took = time.Since(begun)
	}
	l.engine.pool.queue(h.job)
	return h
}

// isDone says whether the recogniser has done with it.
func (h *hearing) isDone() bool {
	select {
	case <-h.job.done:
		h.cancel(nil)
		return true
	default:
		return false
	}
}

// failed returns why nothing was heard, when the recogniser has done with it.
func (h *hearing) failed() error { return errors.Join(h.job.err, h.err) }

// serves says whether what is heard in an attempt is what would be heard in a
// finished piece, because they have the same speech: but for a window at the
// end, which is not heard until it is full.
func (h *hearing) serves(p piece) bool {
	if h == nil || !h.settled || h.isDone() && h.failed() != nil {
		return false
	}
	shift := int((h.piece.at - p.at) / vad.WindowSamples)
	last := p.speech[len(p.speech)-1].to
	return slices.EqualFunc(h.piece.speech, p.speech, func(a, b span) bool {
		return a.from+shift == b.from && (a.to+shift == b.to || b.to == last && a.to+shift == last-1)
	})
}

// attempts are what a listener does about the piece that is open.
type attempts struct {
	newest   *hearing  // nil before the first
	end      int       // window at which its speech ended
	draft    []int     // what the newest that was heard to its end said
	next     time.Time // none begins before, but for one that is settled
	paused   bool
	speaking bool
}

// attempt tries the open piece, if it is worth it now.
func (l *listener) attempt() {
	a := &l.attempts
	if l.cutter.idle() {
		return
	}
	end, quiet := l.cutter.spoken(), a.paused || l.cutter.silence() >= settled
	if a.newest != nil {
		heard := end == a.end && (a.newest.settled || !quiet)
		gone := a.newest.isDone() || quiet && !heard && l.engine.pool.withdraw(a.newest.job, errOutdated)
		if heard || !gone {
			return
		}
	}
	now := time.Now()
	if !quiet && (!l.opts.Partials || now.Before(a.next)) || l.engine.pool.waits(l.shares.finished.priority) {
		return
	}
	p, ok := l.cutter.peek()
	if !ok || !quiet && p.speechWindows() < leastSpoken {
		return
	}
	a.end, a.next = end, now.Add(attemptEvery)
	a.newest = l.hear(&hearing{piece: p, number: l.number, settled: quiet}, hints{draft: a.draft})
}

// learn takes from an attempt what helps the next, and puts that off as long
// as all who speak can have theirs.
func (a *attempts) learn(e *Engine, h *hearing) {
	if a.newest != h {
		return
	}
	a.draft = h.heard.tokens
	speakers := max(int(e.speaking.Load()), 1)
	period := time.Duration(float64(h.took) * float64(speakers) / (attemptShare * float64(e.pool.slots)))
	if next := time.Now().Add(period - h.took); next.After(a.next) {
		a.next = next
	}
}

// speaks notes whether somebody is speaking.
func (a *attempts) speaks(e *Engine, speaks bool) {
	switch {
	case speaks && !a.speaking:
		e.speaking.Add(1)
	case !speaks && a.speaking:
		e.speaking.Add(-1)
	}
	a.speaking = speaks
}
