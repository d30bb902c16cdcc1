package receive

import (
	"time"

	"github.com/pion/rtcp"

	"hark/media/opus"
)

// tally counts what a receiver report says of one source (RFC 3550, section
// 6.4.1 and appendix A).
type tally struct {
	started       bool
	base, highest int64 // numbers without wrapping
	received      int64
	transit       int64 // of the last packet, samples
	jitter        int64 // samples, times 16

	expectedBefore, receivedBefore int64 // at the last report

	senderTime uint32        // the middle of the last sender report's NTP time
	senderCame time.Duration // when it came; 0: none
}

func (t *tally) count(p rtpPacket, now time.Duration) {
	transit := samplesOf(now) - int64(p.timestamp)
	if !t.started {
		t.started = true
		t.base = int64(p.sequence)
		t.highest, t.transit = t.base, transit
	}
	t.highest = max(t.highest, t.highest+int64(int16(p.sequence-uint16(t.highest))))
	t.received++
	d := int64(int32(transit - t.transit)) // timestamps wrap
	t.transit = transit
	// Only what is between packets sent without a break counts as jitter.
	if d = max(d, -d); d < opus.Rate {
		t.jitter += d - (t.jitter+8)>>4
	}
}

// report makes the report of now and starts the span of the next.
func (t *tally) report(ssrc uint32, now time.Duration) rtcp.ReceptionReport {
	expected := t.highest - t.base + 1
	lost := max(expected-t.received, 0)
	span, got := expected-t.expectedBefore, t.received-t.receivedBefore
	t.expectedBefore, t.receivedBefore = expected, t.received

	r := rtcp.ReceptionReport{
		SSRC:               ssrc,
		TotalLost:          uint32(min(lost, 1<<23-1)),
		LastSequenceNumber: uint32(t.highest),
		Jitter:             uint32(t.jitter >> 4),
	}
	if span > 0 && got < span {
		r.FractionLost = uint8(min((span-got)<<8/span, 255))
	}
	if t.senderCame > 0 {
		r.LastSenderReport = t.senderTime
		r.Delay = uint32((now - t.senderCame) * 65536 / time.Second)
	}
	return r
}
