// Package ebml reads the heads of the elements that Matroska and WebM are made
// of (EBML, RFC 8794), and names those that Hark looks at (RFC 9559).
package ebml

import "math/bits"

// The elements, by their IDs with the marker bits.
const (
	Segment     = 0x18538067
	Info        = 0x1549A966
	Scale       = 0x2AD7B1
	Duration    = 0x4489
	Tracks      = 0x1654AE6B
	TrackEntry  = 0xAE
	TrackType   = 0x83
	CodecID     = 0x86
	Private     = 0x63A2
	Audio       = 0xE1
	Channels    = 0x9F
	Cluster     = 0x1F43B675
	Timestamp   = 0xE7
	SimpleBlock = 0xA3
	BlockGroup  = 0xA0
	Block       = 0xA1
)

// MaxHead is how many bytes the head of an element has at most.
const MaxHead = maxID + maxSize

const (
	maxID   = 4
	maxSize = 8
)

// Head reads the head of the element at the start of b: its ID, the size of
// what follows in bytes (-1 when that is not known), and the length of the head.
// The length is 0 when b is too short, and -1 when it is no head.
func Head(b []byte) (id uint32, size int64, length int) {
	v, n := number(b, maxID)
	if n <= 0 {
		return 0, 0, n
	}
	size, m := number(b[n:], maxSize)
	if m <= 0 {
		return 0, 0, m
	}
	size -= 1 << (7 * m) // the marker bit
	if size == 1<<(7*m)-1 {
		size = -1
	}
	return uint32(v), size, n + m
}

// number reads a number of variable length with its marker bit (RFC 8794,
// section 4), and its length, with 0 and -1 as of [Head].
func number(b []byte, longest int) (v int64, length int) {
	if len(b) == 0 {
		return 0, 0
	}
	length = bits.LeadingZeros8(b[0]) + 1
	switch {
	case length > longest:
		return 0, -1
	case length > len(b):
		return 0, 0
	}
	return int64(Uint(b[:length])), length
}

// Uint is the unsigned integer of up to 8 bytes that an element holds.
func Uint(b []byte) (v uint64) {
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}
