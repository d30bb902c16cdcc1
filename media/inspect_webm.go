package media

import (
	"errors"
	"math"
	"math/bits"
)

// The elements of Matroska and WebM that are looked at (RFC 9559).
const (
	ebmlSegment    = 0x18538067
	ebmlInfo       = 0x1549A966
	ebmlScale      = 0x2AD7B1
	ebmlDuration   = 0x4489
	ebmlTracks     = 0x1654AE6B
	ebmlTrackEntry = 0xAE
	ebmlTrackType  = 0x83
	ebmlCluster    = 0x1F43B675
)

const trackIsAudio = 2

// webmFile collects what the elements say.
type webmFile struct {
	b        *blocks
	elements int

	scale    float64 // nanoseconds that a unit of duration stands for
	duration float64
	tracks   int
	audio    bool
	clusters bool // there is sound or picture
}

// inspectWebM walks the elements before the first cluster. A browser that
// records declares neither the length of its segment nor any duration.
func inspectWebM(b *blocks, format Format) (Info, error) {
	f := &webmFile{b: b, scale: 1e6}
	if err := f.walk(0, b.size, 0); err != nil && !errors.Is(err, errEnough) {
		return Info{}, refuseBroken(err)
	}
	switch {
	case f.tracks > 0 && !f.audio:
		return Info{}, refuseSilentVideo()
	case !f.clusters:
		return Info{}, refuseNoSound()
	}
	return Info{Format: format, Duration: seconds(f.duration*f.scale, 1e9)}, nil
}

// walk visits the elements between two offsets, and those inside the ones that
// matter.
func (f *webmFile) walk(at, end int64, depth int) error {
	for at < end {
		if f.elements++; f.elements > maxBoxes {
			return errTooScattered
		}
		head, err := f.b.head(at, 12)
		if err != nil {
			return err
		}
		id, idLen := ebmlID(head)
		if idLen == 0 {
			return nil
		}
		size, sizeLen := ebmlSize(head[idLen:])
		if sizeLen == 0 {
			return nil
		}
		at += int64(idLen + sizeLen)
		next := end
		if size >= 0 && size < end-at {
			next = at + size
		}
		if err := f.visit(id, at, next, depth); err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (f *webmFile) visit(id uint32, at, end int64, depth int) error {
	switch id {
	case ebmlSegment, ebmlInfo, ebmlTracks, ebmlTrackEntry:
		if id == ebmlTrackEntry {
			f.tracks++
		}
		if depth < 4 {
			return f.walk(at, end, depth+1)
		}
	case ebmlScale:
		f.scale = float64(f.uint(at, end))
	case ebmlDuration:
		f.duration = f.float(at, end)
	case ebmlTrackType:
		f.audio = f.audio || f.uint(at, end) == trackIsAudio
	case ebmlCluster:
		f.clusters = end > at
		return errEnough
	}
	return nil
}

func (f *webmFile) uint(at, end int64) uint64 {
	b, err := f.b.head(at, int(min(end-at, 8)))
	if err != nil {
		return 0
	}
	var v uint64
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v
}

func (f *webmFile) float(at, end int64) float64 {
	switch v := f.uint(at, end); end - at {
	case 4:
		return float64(math.Float32frombits(uint32(v)))
	case 8:
		return math.Float64frombits(v)
	}
	return 0
}

// ebmlID reads an element's ID, marker bits and all (RFC 8794, section 5). It
// returns length 0 for what is none.
func ebmlID(b []byte) (id uint32, length int) {
	if len(b) == 0 {
		return 0, 0
	}
	length = bits.LeadingZeros8(b[0]) + 1
	if length > 4 || len(b) < length {
		return 0, 0
	}
	for _, x := range b[:length] {
		id = id<<8 | uint32(x)
	}
	return id, length
}

// ebmlSize reads an element's size: -1 when it is not known.
func ebmlSize(b []byte) (size int64, length int) {
	if len(b) == 0 {
		return 0, 0
	}
	length = bits.LeadingZeros8(b[0]) + 1
	if length > 8 || len(b) < length {
		return 0, 0
	}
	size = int64(b[0]) & (1<<(8-length) - 1)
	for _, x := range b[1:length] {
		size = size<<8 | int64(x)
	}
	if size == 1<<(7*length)-1 {
		return -1, length
	}
	return size, length
}
