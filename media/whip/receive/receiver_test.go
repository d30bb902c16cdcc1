package receive

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"hark/media/opus"
)

// rtpBytes makes a packet of 20 ms (CELT, one frame).
func rtpBytes(payloadType uint8, sequence uint16, timestamp, ssrc uint32, payload []byte) []byte {
	b := []byte{0x80, payloadType}
	b = binary.BigEndian.AppendUint16(b, sequence)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	return append(b, payload...)
}

const maxBitRate = 600_000

var celt = []byte{31 << 3, 1, 2, 3}

func TestParseRTP(t *testing.T) {
	plain := rtpBytes(111, 1, 2, 3, celt)
	for _, c := range []struct {
		name   string
		packet []byte
		want   []byte // nil: refused
	}{
		{"plain", plain, celt},
		{"no payload", plain[:12], []byte{}},
		{"cut short", plain[:11], nil},
		{"version 1", append([]byte{0x40}, plain[1:]...), nil},
		{"two sources", append([]byte{0x82}, append(plain[1:12:12], 0, 0, 0, 1, 0, 0, 0, 2, 7)...), []byte{7}},
		{"two sources, cut short", append([]byte{0x82}, append(plain[1:12:12], 0, 0, 0, 1)...), nil},
		{"an extension", append([]byte{0x90}, append(plain[1:12:12], 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 7)...), []byte{7}},
		{"an extension, cut short", append([]byte{0x90}, append(plain[1:12:12], 0xbe, 0xde, 0, 2, 1, 2, 3, 4, 7)...), nil},
		{"padded", append([]byte{0xa0}, append(plain[1:12:12], 7, 0, 2)...), []byte{7}},
		{"nothing but padding", append([]byte{0xa0}, append(plain[1:12:12], 0, 2)...), []byte{}},
		{"padded by too much", append([]byte{0xa0}, append(plain[1:12:12], 7, 9)...), nil},
		{"padded by nothing", append([]byte{0xa0}, append(plain[1:12:12], 7, 0)...), nil},
	} {
		p, err := parseRTP(c.packet)
		if (err == nil) != (c.want != nil) || !bytes.Equal(p.payload, c.want) {
			t.Errorf("%s: %x, %v; want %x", c.name, p.payload, err, c.want)
		}
	}
}

func TestReceiverTakesOnlyItsOwn(t *testing.T) {
	var got []opus.Packet
	r := New(111, maxBitRate, func(p opus.Packet) { got = append(got, p) })
	now := time.Duration(0)
	push := func(b []byte) {
		now += 20 * ms
		if !r.Push(b, now) {
			t.Error("too fast")
		}
	}
	push(rtpBytes(111, 1, 0, 1, celt))
	push(rtpBytes(110, 2, 960, 1, celt))                                           // another codec
	push(rtpBytes(111, 2, 960, 1, append([]byte{31 << 3}, make([]byte, 1400)...))) // no Opus
	push(rtpBytes(111, 3, 960, 1, nil))                                            // a probe
	push([]byte("not RTP"))
	push(rtpBytes(111, 4, 5*960, 1, celt))
	// Another source takes over; what the first still sends is passed over.
	push(rtpBytes(111, 9000, 777, 2, celt))
	push(rtpBytes(111, 5, 6*960, 1, celt))
	push(rtpBytes(111, 9001, 777+2*960, 2, celt))
	var at []int64
	for _, p := range got {
		at = append(at, p.Position/960)
	}
	if want := []int64{0, 5, 6, 8}; len(at) != len(want) || at[1] != 5 || at[2] != 6 || at[3] != 8 {
		t.Errorf("packets at %d frames, want %d", at, want)
	}
}

func TestReceiverLimitsTheRate(t *testing.T) {
	r := New(111, 80_000, func(opus.Packet) {})
	// 50,000 bytes are allowed in 5 s: 62 a packet of 20 ms are 15,500.
	now, number := time.Duration(0), uint16(0)
	for range 1000 {
		now += 20 * ms
		number++
		if !r.Push(rtpBytes(111, number, uint32(number)*960, 1, append(celt, make([]byte, 46)...)), now) {
			t.Fatal("too fast at a third of the limit")
		}
	}
	for range 1000 {
		number++
		if !r.Push(rtpBytes(111, number, uint32(number)*960, 1, append(celt, make([]byte, 46)...)), now) {
			return
		}
	}
	t.Error("62 kB at once are not too fast")
}

func TestReceiverPauses(t *testing.T) {
	var got []opus.Packet
	r := New(111, maxBitRate, func(p opus.Packet) { got = append(got, p) })
	for i := range uint16(100) {
		switch i {
		case 20:
			r.Pause()
		case 80:
			r.Resume()
		}
		r.Push(rtpBytes(111, i, uint32(i)*960, 1, celt), time.Duration(i)*20*ms)
	}
	if last := got[len(got)-1]; len(got) != 40 || last.Position != 39*960 {
		t.Errorf("%d packets, the last at %d", len(got), last.Position)
	}
}

func TestTally(t *testing.T) {
	var c tally
	for i := range 100 {
		if i%4 == 3 {
			continue
		}
		c.count(rtpPacket{sequence: uint16(65500 + i), timestamp: uint32(i * 960)}, time.Duration(i)*20*ms)
	}
	c.senderTime, c.senderCame = 42, time.Second
	r := c.report(7, 2*time.Second)
	if r.SSRC != 7 || r.TotalLost != 24 || r.FractionLost != 24*256/99 || r.LastSequenceNumber != 65598 || r.Jitter != 0 ||
		r.LastSenderReport != 42 || r.Delay != 65536 {
		t.Errorf("%+v", r)
	}
	if r := c.report(7, 2*time.Second); r.FractionLost != 0 || r.TotalLost != 24 {
		t.Errorf("with nothing new: %+v", r)
	}
}

// BenchmarkReceiver is the way of one packet in order.
func BenchmarkReceiver(b *testing.B) {
	r := New(111, maxBitRate, func(opus.Packet) {})
	packet := rtpBytes(111, 0, 0, 1, append(celt, make([]byte, 80)...))
	now := time.Duration(0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint16(packet[2:], uint16(i))
		binary.BigEndian.PutUint32(packet[4:], uint32(i)*960)
		now += 20 * ms
		r.Push(packet, now)
	}
}

// FuzzReceiver is a hostile sender: each packet is a time in ms, a length and
// so many bytes of RTP.
func FuzzReceiver(f *testing.F) {
	script := func(packets ...[]byte) []byte {
		var b []byte
		for _, p := range packets {
			b = append(b, 20)
			b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
			b = append(b, p...)
		}
		return b
	}
	f.Add(script(rtpBytes(111, 1, 0, 1, celt), rtpBytes(111, 2, 960, 1, celt), rtpBytes(111, 4, 2880, 1, celt)))
	f.Add(script(rtpBytes(111, 65535, 1<<32-1, 1, celt), rtpBytes(111, 0, 959, 1, celt)))
	f.Add(script(rtpBytes(111, 1, 0, 1, celt), rtpBytes(111, 2, 1<<31, 1, celt), rtpBytes(111, 3, 0, 2, celt)))
	f.Add(script(rtpBytes(111, 1, 0, 1, append([]byte{31 << 3}, make([]byte, 1500)...)), rtpBytes(0, 2, 0, 1, celt)))
	f.Add(script(rtpBytes(111, 30000, 0, 1, celt), rtpBytes(111, 1, 0, 1, celt), rtpBytes(111, 2, 0, 1, celt)))
	f.Fuzz(func(t *testing.T, b []byte) {
		end := int64(0)
		now := time.Duration(0)
		r := New(111, maxBitRate, func(p opus.Packet) {
			if p.Position < end {
				t.Fatalf("a packet at %d, before %d", p.Position, end)
			}
			if n, err := opus.Samples(p.Data); err != nil || n != p.Samples {
				t.Fatalf("a packet of %d samples, %v, that claims %d", n, err, p.Samples)
			}
			end = p.End()
		})
		for step := 0; len(b) >= 3; step++ {
			now += time.Duration(b[0]) * time.Millisecond
			n := min(int(binary.BigEndian.Uint16(b[1:])), len(b)-3)
			switch b[0] {
			case 254:
				r.Pause()
			case 255:
				r.Resume()
			}
			if !r.Push(b[3:3+n], now) {
				break
			}
			b = b[3+n:]
			if len(r.jitter.ask(nil, now)) > asksAtOnce {
				t.Fatal("asks for too much")
			}
			if at, ok := r.jitter.wake(); ok != (r.jitter.holding > 0) || ok && at > now+maxWait {
				t.Fatalf("wakes at %v of %v", at, now)
			}
			r.tally.report(r.ssrc, now)
			r.jitter.advance(now)
		}
		r.jitter.flush()
		if limit := samplesOf(now) + 2*headStart; end > limit && !bytes.ContainsAny(b, "\xfe\xff") {
			t.Fatalf("%d samples in %v", end, now)
		}
		r.jitter.advance(now + time.Hour)
	})
}
