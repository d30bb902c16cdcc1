package receive

import (
	"encoding/binary"
	"errors"
)

var errRTP = errors.New("not an RTP packet")

// rtpPacket is what matters of an RTP packet (RFC 3550, section 5.1).
type rtpPacket struct {
	payloadType uint8
	sequence    uint16
	timestamp   uint32
	ssrc        uint32
	payload     []byte // part of what was parsed; may be empty
}

// parseRTP reads a packet without its CSRCs, header extensions and padding.
func parseRTP(b []byte) (rtpPacket, error) {
	if len(b) < 12 || b[0]>>6 != 2 {
		return rtpPacket{}, errRTP
	}
	p := rtpPacket{
		payloadType: b[1] & 0x7F,
		sequence:    binary.BigEndian.Uint16(b[2:]),
		timestamp:   binary.BigEndian.Uint32(b[4:]),
		ssrc:        binary.BigEndian.Uint32(b[8:]),
	}
	padded, extended, sources := b[0]&0x20 != 0, b[0]&0x10 != 0, int(b[0]&0x0F)
	rest := b[12:]
	if len(rest) < 4*sources {
		return rtpPacket{}, errRTP
	}
	rest = rest[4*sources:]
	if extended {
		if len(rest) < 4 {
			return rtpPacket{}, errRTP
		}
		size := 4 + 4*int(binary.BigEndian.Uint16(rest[2:]))
		if len(rest) < size {
			return rtpPacket{}, errRTP
		}
		rest = rest[size:]
	}
	if padded {
		if len(rest) == 0 {
			return rtpPacket{}, errRTP
		}
		n := int(rest[len(rest)-1])
		if n == 0 || n > len(rest) {
			return rtpPacket{}, errRTP
		}
		rest = rest[:len(rest)-n]
	}
	p.payload = rest
	return p, nil
}
