package inspect

import (
	"errors"
	"math"
	"strings"

	"hark/media"
	"hark/media/internal/ebml"
)

const trackIsAudio = 2

// webmFile collects what the elements say.
type webmFile struct {
	b        *blocks
	elements int

	scale    float64 // nanoseconds that a unit of duration stands for
	duration float64
	tracks   []webmTrack
	clusters bool // there is sound or picture
}

type webmTrack struct {
	audio   bool
	codec   string
	private []byte // the beginning of the codec's private data
}

// inspectWebM walks the elements before the first cluster. A browser that
// records declares neither the length of its segment nor any duration.
func inspectWebM(b *blocks, format media.Format) (Info, error) {
	f := &webmFile{b: b, scale: 1e6}
	if err := f.walk(0, b.size, 0); err != nil && !errors.Is(err, errEnough) {
		return Info{}, refuseBroken(err)
	}
	var codecs []codec
	for _, t := range f.tracks {
		if t.audio {
			codecs = append(codecs, mkvCodec(t.codec, t.private))
		}
	}
	switch {
	case len(f.tracks) > 0 && len(codecs) == 0:
		return Info{}, refuseSilentVideo()
	case !f.clusters:
		return Info{}, refuseNoSound()
	}
	if err := judge(codecs); err != nil {
		return Info{}, err
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
		head, err := f.b.head(at, ebml.MaxHead)
		if err != nil {
			return err
		}
		id, size, length := ebml.Head(head)
		if length <= 0 {
			return nil
		}
		at += int64(length)
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
	case ebml.Segment, ebml.Info, ebml.Tracks, ebml.TrackEntry:
		if id == ebml.TrackEntry {
			f.tracks = append(f.tracks, webmTrack{})
		}
		if depth < 4 {
			return f.walk(at, end, depth+1)
		}
	case ebml.Scale:
		f.scale = float64(f.uint(at, end))
	case ebml.Duration:
		f.duration = f.float(at, end)
	case ebml.TrackType, ebml.CodecID, ebml.Private:
		if len(f.tracks) > 0 {
			f.describe(&f.tracks[len(f.tracks)-1], id, at, end)
		}
	case ebml.Cluster:
		f.clusters = end > at
		return errEnough
	}
	return nil
}

// describe sets what an element says of a track.
func (f *webmFile) describe(t *webmTrack, id uint32, at, end int64) {
	if id == ebml.TrackType {
		t.audio = f.uint(at, end) == trackIsAudio
		return
	}
	text, err := f.b.head(at, int(min(end-at, 32)))
	switch {
	case err != nil:
	case id == ebml.CodecID:
		t.codec = strings.TrimRight(string(text), "\x00")
	default:
		t.private = text
	}
}

func (f *webmFile) uint(at, end int64) uint64 {
	b, err := f.b.head(at, int(min(end-at, 8)))
	if err != nil {
		return 0
	}
	return ebml.Uint(b)
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
