// Package opus is what a live recording needs of Opus (RFC 6716) and of Opus in
// Ogg (RFC 7845): packets with their place in time.
//
// A place in time is a count of samples at [Rate], whatever rate the packet
// itself was coded at, from the start of the recording. Packets may have gaps
// between them, where the speaker was silent or the network lost what was sent.
package opus

import (
	"errors"
	"fmt"
)

// Rate is the rate in Hz in which positions and lengths count. Opus always
// counts so, in RTP (RFC 7587, section 4.1) as in Ogg.
const Rate = 48000

// MaxSamples is the longest that a packet may last: 120 ms (RFC 6716, section
// 3.4, R5).
const MaxSamples = Rate * 120 / 1000

// maxFrame is the most bytes of one frame (RFC 6716, section 3.4, R2).
const maxFrame = 1275

// Packet is one Opus packet and its place in a recording.
type Packet struct {
	Position int64  // samples from the recording's start to the packet's first
	Samples  int    // its length: Samples(Data)
	Data     []byte // the packet; who gives it says for how long it is valid
}

// End is the position just after the packet.
func (p Packet) End() int64 { return p.Position + int64(p.Samples) }

// ErrPacket means that bytes are no Opus packet.
var ErrPacket = errors.New("not an Opus packet")

// frameSamples are the lengths of a frame by the configuration in a packet's
// first byte (RFC 6716, section 3.1, table 2).
var frameSamples = [32]int{
	480, 960, 1920, 2880, 480, 960, 1920, 2880, 480, 960, 1920, 2880, // SILK
	480, 960, 480, 960, // hybrid
	120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, 120, 240, 480, 960, // CELT
}

// Samples returns how long a packet lasts, 1 to [MaxSamples]. It holds the
// packet against every rule of RFC 6716, section 3.4, and returns an
// [ErrPacket] that names what is wrong; whether the frames decode is another
// matter.
func Samples(packet []byte) (int, error) {
	if len(packet) == 0 {
		return 0, fmt.Errorf("%w: it is empty", ErrPacket)
	}
	frames, body := 1, packet[1:]
	var err error
	switch packet[0] & 3 {
	case 0:
		err = checkFrame(len(body))
	case 1:
		frames = 2
		err = checkEqual(len(body), 2)
	case 2:
		frames = 2
		err = checkPair(body)
	case 3:
		frames, err = checkMany(body)
	}
	if err != nil {
		return 0, err
	}
	n := frames * frameSamples[packet[0]>>3]
	if n > MaxSamples {
		return 0, fmt.Errorf("%w: it lasts longer than 120 ms", ErrPacket)
	}
	return n, nil
}

func checkFrame(size int) error {
	if size < 0 || size > maxFrame {
		return fmt.Errorf("%w: a frame of %d bytes", ErrPacket, size)
	}
	return nil
}

// checkEqual is for frames of one size that fill the packet (R3, R6).
func checkEqual(size, frames int) error {
	if size%frames != 0 {
		return fmt.Errorf("%w: %d bytes for %d frames of one size", ErrPacket, size, frames)
	}
	return checkFrame(size / frames)
}

// checkPair is for two frames, the first with its length before it (R4).
func checkPair(body []byte) error {
	first, n := frameLength(body)
	if n == 0 || first > len(body)-n {
		return fmt.Errorf("%w: its first frame is cut short", ErrPacket)
	}
	return checkFrame(len(body) - n - first)
}

// checkMany is for a packet that says how many frames it has, with padding
// (R5 to R7).
func checkMany(body []byte) (frames int, err error) {
	if len(body) == 0 {
		return 0, fmt.Errorf("%w: it does not count its frames", ErrPacket)
	}
	head := body[0]
	frames, body = int(head&0x3F), body[1:]
	if frames == 0 {
		return 0, fmt.Errorf("%w: it has no frames", ErrPacket)
	}
	if head&0x40 != 0 {
		if body, err = cutPadding(body); err != nil {
			return 0, err
		}
	}
	if head&0x80 == 0 {
		return frames, checkEqual(len(body), frames)
	}
	for range frames - 1 {
		size, n := frameLength(body)
		if n == 0 || size > len(body)-n {
			return 0, fmt.Errorf("%w: a frame is cut short", ErrPacket)
		}
		body = body[n:]
		// The frames lie behind all lengths: what is left shrinks by both.
		body = body[:len(body)-size]
	}
	return frames, checkFrame(len(body))
}

// cutPadding takes the padding and its length off.
func cutPadding(body []byte) ([]byte, error) {
	padding := 0
	for {
		if len(body) == 0 {
			return nil, fmt.Errorf("%w: the length of its padding is cut short", ErrPacket)
		}
		b := int(body[0])
		body = body[1:]
		if b < 255 {
			padding += b
			break
		}
		padding += 254
	}
	if padding > len(body) {
		return nil, fmt.Errorf("%w: more padding than packet", ErrPacket)
	}
	return body[:len(body)-padding], nil
}

// frameLength reads a length of one or two bytes and how many it took, 0 when
// it is cut short (RFC 6716, section 3.2.1).
func frameLength(b []byte) (size, n int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] < 252:
		return int(b[0]), 1
	case len(b) < 2:
		return 0, 0
	}
	return int(b[0]) + 4*int(b[1]), 2
}
