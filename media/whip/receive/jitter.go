package receive

import "time"

// Window is how many packets the jitter buffer looks ahead: 10 s of the usual
// 20 ms, a power of two.
const Window = 512

const (
	// asksAtOnce is how many of the newest missing packets are asked for: what
	// senders still have.
	asksAtOnce = 128
	maxAsks    = 6 // of one packet
	// fullCredit is how many packets may be asked for in a row. Each packet
	// that comes allows half a packet more: where much is lost because there
	// is too much to carry or to do, asking for more would make it worse.
	fullCredit = 2 * asksAtOnce

	firstWait = 150 * time.Millisecond
	minWait   = 120 * time.Millisecond
	maxWait   = 500 * time.Millisecond
	minAsk    = 15 * time.Millisecond
	maxAsk    = 60 * time.Millisecond
	minRepeat = 40 * time.Millisecond
)

// slot is a packet that is held or missing.
type slot struct {
	held   bool // else missing
	asks   int
	since  time.Duration // when it was noticed to be missing, or when it came
	asked  time.Duration // when it was last asked for
	gone   int64         // the number that was given up here last
	packet rtpPacket     // when held; payload is a copy in buf
	buf    []byte        // kept for the next packet of this place
}

// jitter puts packets in order. What is in order goes through untouched; a
// packet after a gap is held until the gap is filled or was waited for long
// enough. All times are on one clock that never goes back.
type jitter struct {
	out func(p rtpPacket, came time.Duration) // p.payload is valid during the call

	started bool
	next    int64 // the number, without wrapping, that is given out next
	highest int64 // the highest that came
	slots   []slot
	holding int // how many slots between next and highest are held

	reorder time.Duration // how late packets come that were not asked for
	trip    time.Duration // how long it takes from asking to getting; 0: not known
	extra   time.Duration // added to the wait, learnt from packets that came too late
	rest    int           // packets until extra is halved

	credit int // halves of packets that may be asked for

	stray    uint16 // the number that a packet far out would be followed by
	hasStray bool

	lost      int64 // given up
	recovered int64 // came after they were asked for
	dropped   int64 // duplicates, and what came too late
}

// push takes a packet that came at now.
func (j *jitter) push(p rtpPacket, now time.Duration) {
	if !j.started {
		j.restart(p.sequence)
		j.credit = fullCredit
	}
	j.credit = min(j.credit+1, fullCredit)
	number := j.highest + int64(int16(p.sequence-uint16(j.highest)))
	ahead := number - j.next
	switch {
	case ahead < -Window:
		if !j.hasStray || p.sequence != j.stray {
			// One packet far behind is a straggler; two in a row are a sender
			// that has begun anew (RFC 3550, appendix A.1).
			j.hasStray, j.stray = true, p.sequence+1
			j.dropped++
			return
		}
		j.flush()
		j.restart(p.sequence)
		j.give(p, now)
	case ahead < 0:
		j.tooLate(number, now)
	case ahead == 0:
		j.fill(number, now)
		j.give(p, now)
		j.drain()
	case ahead >= Window:
		j.flush()
		j.lost += number - j.next
		j.next, j.highest = number, number
		j.give(p, now)
	default:
		j.hold(p, number, now)
	}
	j.hasStray = j.hasStray && ahead < -Window
}

func (j *jitter) restart(sequence uint16) {
	j.started = true
	j.next = int64(sequence) + 1<<16 // so that numbers just before it are not negative
	j.highest = j.next - 1
	j.hasStray = false
}

// give hands the packet numbered next out.
func (j *jitter) give(p rtpPacket, came time.Duration) {
	j.highest = max(j.highest, j.next)
	j.next++
	if j.rest--; j.rest <= 0 {
		j.rest = 1000
		j.extra /= 2
	}
	j.out(p, came)
}

// drain hands out what is held at next.
func (j *jitter) drain() {
	for j.holding > 0 {
		s := &j.slots[j.next&(Window-1)]
		if !s.held {
			return
		}
		s.held = false
		j.holding--
		j.give(s.packet, s.since)
	}
}

// hold keeps a packet that came before its turn, and notes what is missing
// before it.
func (j *jitter) hold(p rtpPacket, number int64, now time.Duration) {
	if j.slots == nil {
		j.slots = make([]slot, Window)
	}
	for n := j.highest + 1; n < number; n++ {
		s := &j.slots[n&(Window-1)]
		*s = slot{since: now, gone: s.gone, buf: s.buf}
	}
	s := &j.slots[number&(Window-1)]
	if number <= j.highest {
		if s.held {
			j.dropped++
			return
		}
		j.fill(number, now)
	}
	j.highest = max(j.highest, number)
	s.buf = append(s.buf[:0], p.payload...)
	s.held, s.since, s.packet = true, now, p
	s.packet.payload = s.buf
	j.holding++
}

// fill learns from a missing packet that came.
func (j *jitter) fill(number int64, now time.Duration) {
	if number > j.highest || j.holding == 0 {
		return
	}
	s := &j.slots[number&(Window-1)]
	if s.asks == 0 {
		j.reorder = approach(j.reorder, now-s.since)
		return
	}
	j.recovered++
	j.trip = approach(j.trip, now-s.asked)
}

// approach follows a measured time upwards at once and downwards slowly.
func approach(old, measured time.Duration) time.Duration {
	if measured > old {
		return measured
	}
	return old - (old-measured)/32
}

// tooLate drops a packet; one that was given up too early teaches to wait as
// long as it would have taken.
func (j *jitter) tooLate(number int64, now time.Duration) {
	j.dropped++
	if j.slots == nil {
		return
	}
	if s := &j.slots[number&(Window-1)]; s.gone == number {
		s.gone = 0
		j.extra = min(j.extra+max(now-s.since-j.wait(), 0)+minAsk, maxWait-minWait)
	}
}

// advance gives up at now what was waited for long enough.
func (j *jitter) advance(now time.Duration) {
	wait := j.wait()
	for j.holding > 0 && now-j.slots[j.next&(Window-1)].since >= wait {
		j.skip()
		j.drain()
	}
}

// skip gives the missing packet numbered next up.
func (j *jitter) skip() {
	j.slots[j.next&(Window-1)].gone = j.next
	j.lost++
	j.next++
}

// flush hands out everything that is held.
func (j *jitter) flush() {
	for j.holding > 0 {
		j.drain()
		if j.holding > 0 {
			j.skip()
		}
	}
}
