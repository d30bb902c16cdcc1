// Package receive turns the RTP packets of one sender into Opus packets in order
// and in their places.
//
// A [Receiver] puts packets in order and waits for those that are missing
// (jitter.go), says which to ask for again (ask.go), finds the place of each in
// the recording from its time stamp and the time it came (timeline.go), and
// counts what a receiver report says (report.go). It opens no connection and
// reads no clock.
package receive

import (
	"time"

	"github.com/pion/rtcp"

	"hark/media/opus"
)

// rateSpan is what a bit rate is taken over.
const rateSpan = 5 * time.Second

// Receiver turns the RTP packets of a session into Opus packets in order and in
// their places. The caller gives the time with each call, on a clock that never
// goes back and starts at 0 with the session. It is not safe for concurrent use.
type Receiver struct {
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

// New makes a Receiver of the packets of one payload type, at most so many bits a
// second. out gets what is in order and in place; Data is valid during the call.
func New(payloadType uint8, maxBitRate int, out func(opus.Packet)) *Receiver {
	r := &Receiver{payloadType: payloadType, out: out}
	r.maxBytes = int(int64(maxBitRate) * int64(rateSpan/time.Second) / 8)
	r.jitter.out = r.give
	return r
}

// Charge counts bytes that came. It is false when the sender sends more than
// it may.
func (r *Receiver) Charge(n int, now time.Duration) bool {
	if now-r.spanFrom >= rateSpan {
		r.spanFrom, r.spanBytes = now, 0
	}
	r.spanBytes += n
	return r.spanBytes <= r.maxBytes
}

// Push takes the bytes of a packet. It is false when the sender sends more than
// it may.
func (r *Receiver) Push(b []byte, now time.Duration) bool {
	if !r.Charge(len(b), now) {
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
func (r *Receiver) tune(ssrc uint32, now time.Duration) bool {
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
func (r *Receiver) give(p rtpPacket, came time.Duration) {
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

// Pause hands out what is held and leaves out what follows.
func (r *Receiver) Pause() {
	r.jitter.flush()
	r.mute = true
	r.line.cut = true
}

// Resume goes on where pause left off.
func (r *Receiver) Resume() {
	r.jitter.flush()
	r.mute = false
	r.line.cut = true
}

// Advance gives out what was waited for long enough.
func (r *Receiver) Advance(now time.Duration) { r.jitter.advance(now) }

// Flush gives out all that is held.
func (r *Receiver) Flush() { r.jitter.flush() }

// Missing appends the sequence numbers to ask for at now and notes that they
// were asked for.
func (r *Receiver) Missing(numbers []uint16, now time.Duration) []uint16 {
	return r.jitter.ask(numbers, now)
}

// Wake is when Advance and Missing want to be called again; false when nothing
// is waited for.
func (r *Receiver) Wake() (time.Duration, bool) { return r.jitter.wake() }

// SSRC is the source that is received.
func (r *Receiver) SSRC() uint32 { return r.ssrc }

// SenderReport notes a sender report of a source that came at now, by the middle
// 32 bits of its NTP time. The reports that follow refer to it.
func (r *Receiver) SenderReport(ssrc, ntp uint32, now time.Duration) {
	if ssrc == r.ssrc {
		r.tally.senderTime, r.tally.senderCame = ntp, now
	}
}

// Report makes the receiver report of now.
func (r *Receiver) Report(now time.Duration) rtcp.ReceptionReport {
	return r.tally.report(r.ssrc, now)
}

// Stats are counts of packets.
type Stats struct {
	Lost      int64 // given up
	Recovered int64 // came after they were asked for again
	Dropped   int64 // duplicates, and what came too late
	Refused   int64 // not RTP of Opus, or ahead of time
}

// Stats returns what came of the packets so far.
func (r *Receiver) Stats() Stats {
	return Stats{Lost: r.jitter.lost, Recovered: r.jitter.recovered, Dropped: r.jitter.dropped, Refused: r.bad}
}
