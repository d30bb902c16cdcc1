package receive

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
	// A sender that goes on faster than time loses what is ahead of it.
	headStart = 5 * opus.Rate
	// settleTime is how long, and settlePackets how many, packets must all be
	// late before the sender's clock is taken to have stood still. Shorter
	// delays are the network's, which hands over later what it held back.
	settleTime    = 10 * time.Second
	settlePackets = 20
	// After a stop, a network hands over at once what it held back; a sender
	// that stood still goes on at its own pace. stopPackets without catching up
	// by stopSlack tell them apart.
	stopPackets = 25
	stopSlack   = opus.Rate * 40 / 1000
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

	delay     int64 // of the last packet
	stop      int64 // the delay that packets had after a stop
	stopsLeft int   // packets until the sender is taken to have stood still; 0: no stop
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
		t.pos, t.origin, t.early = t.end, clock-t.end, 0
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

// watch holds a place against our clock. It is false for a packet that is ahead
// of time. Packets that come earlier than any before move the origin; when the
// sender's clock stood still, the place is moved on.
func (t *timeline) watch(pos *int64, clock int64, now time.Duration) bool {
	delay := clock - t.origin - *pos
	if delay < 0 {
		// A thousandth of the time is granted to clocks that run fast.
		if t.early-delay > headStart+clock/1000 {
			if *pos = clock - t.origin; *pos < t.end {
				return false
			}
		} else {
			t.early -= delay
			t.origin += delay
		}
		delay = 0
	}
	t.spanDelay = min(t.spanDelay, delay)
	t.spanPackets++
	switch {
	case t.stopped(delay):
		*pos += delay
		t.newSpan(now)
	case now-t.spanFrom < settleTime || t.spanPackets < settlePackets:
	case t.spanDelay > contradiction:
		*pos += t.spanDelay
		t.newSpan(now)
	default:
		// A clock that runs slow is followed, so that it never adds up.
		t.origin += t.spanDelay / 2
		t.newSpan(now)
	}
	return true
}

// stopped tells whether a packet with this delay shows that the sender stood
// still.
func (t *timeline) stopped(delay int64) bool {
	leap := delay - t.delay
	t.delay = delay
	switch {
	case leap > contradiction:
		t.stop, t.stopsLeft = delay, stopPackets
	case t.stopsLeft == 0:
	case delay < t.stop-stopSlack:
		t.stopsLeft = 0
	default:
		t.stopsLeft--
		return t.stopsLeft == 0
	}
	return false
}

func (t *timeline) newSpan(now time.Duration) {
	t.spanFrom, t.spanPackets, t.spanDelay = now, 0, 1<<62
	t.delay, t.stopsLeft = 0, 0
}

func samplesOf(d time.Duration) int64 {
	return int64(d / time.Microsecond * opus.Rate / 1e6)
}
