package whip

import (
	"time"

	"hark/media/opus"
)

// rateSpan is what a bit rate is taken over.
const rateSpan = 5 * time.Second

// receiver turns the RTP packets of a session into Opus packets in order and
// in place. It is pure: what time it is, it is told, on a clock that never goes
// back and starts at 0 with the session.
type receiver struct {
	payloadType uint8
	maxBytes    int // in rateSpan
	out         func(opus.Packet)

	ssrc     uint32
	previous uint32 // what was heard before ssrc
	since    time.Duration
	heard    bool

	jitter jitter
	line   timeline
	mute   bool // packets are taken in, but not given out

	spanFrom  time.Duration
	spanBytes int

	tally tally
	bad   int64 // no RTP, or no Opus, or out of time
}

func newReceiver(payloadType uint8, maxBitRate int, out func(opus.Packet)) *receiver {
	r := &receiver{payloadType: payloadType, out: out}
	r.maxBytes = int(int64(maxBitRate) * int64(rateSpan/time.Second) / 8)
	r.jitter.out = r.give
	return r
}

// charge counts bytes that came. It is false when the sender sends more than
// it may.
func (r *receiver) charge(n int, now time.Duration) bool {
	if now-r.spanFrom >= rateSpan {
		r.spanFrom, r.spanBytes = now, 0
	}
	r.spanBytes += n
	return r.spanBytes <= r.maxBytes
}

// push takes the bytes of a packet. It is false when the sender sends more than
// it may.
func (r *receiver) push(b []byte, now time.Duration) bool {
	if !r.charge(len(b), now) {
		return false
	}
	p, err := parseRTP(b)
	if err != nil || p.payloadType != r.payloadType || !r.tune(p.ssrc, now) {
		r.bad++
		return true
	}
	r.tally.count(p, now)
	r.jitter.push(p, now)
	r.jitter.advance(now)
	return true
}

// tune follows a sender to a new source. Packets of the one it left, which may
// be on their way yet, are not taken for a second change.
func (r *receiver) tune(ssrc uint32, now time.Duration) bool {
	switch {
	case ssrc == r.ssrc && r.heard:
		return true
	case ssrc == r.previous && now-r.since < 2*time.Second && r.heard:
		return false
	}
	if r.heard {
		r.jitter.flush()
		r.jitter.started = false
		r.line.leap = true
		r.previous = r.ssrc
	}
	r.heard, r.ssrc, r.since = true, ssrc, now
	r.tally = tally{}
	return true
}

// give places a packet that came at came and hands it out.
func (r *receiver) give(p rtpPacket, came time.Duration) {
	if r.mute || len(p.payload) == 0 { // empty: a sender that probes the network
		return
	}
	samples, err := opus.Samples(p.payload)
	if err != nil {
		r.bad++
		return
	}
	position, ok := r.line.place(p.timestamp, samples, came)
	if !ok {
		r.bad++
		return
	}
	r.out(opus.Packet{Position: position, Samples: samples, Data: p.payload})
}

// pause hands out what is held and leaves out what follows.
func (r *receiver) pause() {
	r.jitter.flush()
	r.mute = true
	r.line.cut = true
}

// resume goes on where pause left off.
func (r *receiver) resume() {
	r.jitter.flush()
	r.mute = false
	r.line.cut = true
}
