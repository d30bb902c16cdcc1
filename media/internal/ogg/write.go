package ogg

import "encoding/binary"

// MaxPagePacket is the length in bytes of the longest packet that fits on one
// page: 255 segments, the last of which is not full.
const MaxPagePacket = 255*255 - 1

// Append appends the bytes of the page to b, with its checksum. Segments and
// Body must agree: at most 255 segments whose lengths add up to the body's.
func (p Page) Append(b []byte) []byte {
	start := len(b)
	var flags byte
	for i, set := range [...]bool{p.Continued, p.First, p.Last} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, 'O', 'g', 'g', 'S', 0, flags)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Granule))
	b = binary.LittleEndian.AppendUint32(b, p.Serial)
	b = binary.LittleEndian.AppendUint32(b, p.Sequence)
	b = append(b, 0, 0, 0, 0, byte(len(p.Segments)))
	b = append(b, p.Segments...)
	b = append(b, p.Body...)
	page := b[start:]
	binary.LittleEndian.PutUint32(page[22:], checksum(page))
	return b
}

// Add puts a whole packet at the end of the page, and reports false when the
// page has no room for it.
func (p *Page) Add(packet []byte) bool {
	full := len(packet) / 255
	if len(p.Segments)+full+1 > 255 {
		return false
	}
	for range full {
		p.Segments = append(p.Segments, 255)
	}
	p.Segments = append(p.Segments, byte(len(packet)%255))
	p.Body = append(p.Body, packet...)
	return true
}

// Size returns the length of the page in bytes.
func (p Page) Size() int { return headerSize + len(p.Segments) + len(p.Body) }
