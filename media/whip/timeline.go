package whip

import (
	"time"

	"hark/media/opus"
)

const (
	// contradiction is how far the sender's clock may be from ours before it
	// is not believed any more.
	contradiction = opus.Rate
	// headStart is how much more audio than time there may be: what a network
	// held back before the first packet came, and clocks that run too fast.
	headStart = 5 * opus.Rate
	// settleTime is how long, and settlePackets how many, packets must all be
	// late before the sender's clock is taken to have stood still. Shorter
	// delays are the network's, which hands over later what it held back.
	settleTime    = 10 * time.Second
	settlePackets = 20
)

// timeline gives packets, which come in order, their place in the recording.
//
// The sender's clock counts: packets are as far apart as their timestamps say.
// Ours watches over it. A leap of the sender's clock that ours contradicts is
// replaced by the time that has passed here.
type timeline struct {
	started bool
	cut     bool   // the time since the last packet is left out
	leap    bool   // the next timestamp has nothing to do with the last
	ts      uint32 // of the last packet placed
	pos     int64  // of the last packet placed
	end     int64  // of the last packet placed
	origin  int64  // our clock, in samples, at position 0 for a packet that was not delayed
	early   int64  // by how much origin was moved back so far

	// The least delay of the packets of the current span.
	spanFrom    time.Duration
	spanPackets int
	spanDelay   int64
}

// place returns the position of a packet that came at now, our clock. It is
// false for a packet that overlaps the one before, or that is ahead of time by
// more than a head start.
func (t *timeline) place(ts uint32, samples int, now time.Duration) (int64, bool) {
	clock := samplesOf(now)
	switch {
	case !t.started:
		t.started, t.origin = true, clock
		t.pos = 0
		t.newSpan(now)
	case t.cut:
		t.pos, t.origin = t.end, clock-t.end
		t.newSpan(now)
	default:
		pos := t.pos + int64(int32(ts-t.ts))
		if t.leap || t.contradicted(pos, clock) {
			pos = max(t.end, clock-t.origin)
			t.newSpan(now)
		}
		if pos < t.end || !t.watch(&pos, clock, now) {
			return 0, false
		}
		t.pos = pos
	}
	t.cut, t.leap = false, false
	t.ts, t.end = ts, t.pos+int64(samples)
	return t.pos, true
}

// contradicted tells whether a timestamp leads to a place that our clock
// denies: before what came before, or a leap into a time yet to come.
func (t *timeline) contradicted(pos, clock int64) bool {
	if pos < t.pos {
		return true
	}
	return pos-t.end > contradiction && pos-(clock-t.origin) > contradiction
}

// watch holds a place against our clock. Packets that come earlier than any
// before move the origin, up to the head start; when all of a span came late,
// the sender's clock stood still and the place is moved on.
func (t *timeline) watch(pos *int64, clock int64, now time.Duration) bool {
	delay := clock - t.origin - *pos
	if delay < 0 {
		// A thousandth of the time is granted to clocks that run fast.
		if t.early-delay > headStart+clock/1000 {
			return false
		}
		t.early -= delay
		t.origin += delay
		delay = 0
	}
	t.spanDelay = min(t.spanDelay, delay)
	t.spanPackets++
	if now-t.spanFrom < settleTime || t.spanPackets < settlePackets {
		return true
	}
	if t.spanDelay > contradiction {
		*pos += t.spanDelay
	} else {
		// A clock that runs slow is followed, so that it never adds up.
		t.origin += t.spanDelay / 2
	}
	t.newSpan(now)
	return true
}

func (t *timeline) newSpan(now time.Duration) {
	t.spanFrom, t.spanPackets, t.spanDelay = now, 0, 1<<62
}

func samplesOf(d time.Duration) int64 {
	return int64(d / time.Microsecond * opus.Rate / 1e6)
}
