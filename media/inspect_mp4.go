package media

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
)

const maxBoxes = 4096 // boxes of the MP4 family that one inspection looks at

// errEnough ends a walk that has seen what it wanted.
var errEnough = errors.New("enough")

// mp4File collects what the boxes of an MP4, 3GP or QuickTime file say
// (ISO 14496-12).
type mp4File struct {
	b     *blocks
	boxes int

	index      bool          // there is a moov
	fragmented bool          // its samples are in fragments
	movie      time.Duration // from mvhd
	tracks     []mp4Track
	data       bool // there is at least a byte of mdat, or a moof
}

type mp4Track struct {
	handler  string // "soun" is sound
	codec    string // of the first sample description
	samples  bool   // it has a sample in the index
	duration time.Duration
}

// inspectMP4 walks to the index (moov), wherever it is, and looks for a track
// of sound in it.
func inspectMP4(b *blocks, format Format) (Info, error) {
	f := &mp4File{b: b}
	if err := f.walk(0, b.size, f.top); err != nil && !errors.Is(err, errEnough) {
		return Info{}, refuseBroken(err)
	}
	if !f.index {
		return Info{}, Refuse(Damaged, nil, "The recording was cut off before its index was written. Send the original file again.")
	}
	var sound *mp4Track
	for i := range f.tracks {
		if f.tracks[i].handler == "soun" && (sound == nil || !sound.samples) {
			sound = &f.tracks[i]
		}
	}
	switch {
	case sound == nil && len(f.tracks) > 0:
		return Info{}, refuseSilentVideo()
	case sound == nil, !f.fragmented && !sound.samples, !f.data:
		return Info{}, refuseNoSound()
	case sound.codec == "enca" || sound.codec == "drms":
		return Info{}, Refuse(Unsupported, nil, "The recording is copy-protected and cannot be opened.")
	}
	info := Info{Format: format, Duration: sound.duration}
	if info.Duration == 0 {
		info.Duration = f.movie
	}
	return info, nil
}

// walk calls visit with each box between two offsets. A box that says it is
// longer than its place is as long as its place: that is how cut-off files
// look.
func (f *mp4File) walk(at, end int64, visit func(kind string, at, end int64) error) error {
	for at+8 <= end {
		if f.boxes++; f.boxes > maxBoxes {
			return errTooScattered
		}
		head, err := f.b.head(at, 16)
		if err != nil {
			return err
		}
		length, header := int64(binary.BigEndian.Uint32(head)), int64(8)
		switch {
		case length == 0:
			length = end - at
		case length == 1 && len(head) == 16:
			length, header = int64(binary.BigEndian.Uint64(head[8:])), 16
		}
		if length < header {
			return nil // no box: what was found before it counts
		}
		next := at + min(length, end-at)
		if err := visit(string(head[4:8]), at+header, next); err != nil {
			return err
		}
		at = next
	}
	return nil
}

func (f *mp4File) top(kind string, at, end int64) error {
	switch kind {
	case "moov":
		f.index = true
		if err := f.walk(at, end, f.moov); err != nil {
			return err
		}
	case "mdat":
		f.data = f.data || end > at
	case "moof":
		f.data = true
	}
	if f.index && f.data {
		return errEnough
	}
	return nil
}

func (f *mp4File) moov(kind string, at, end int64) error {
	switch kind {
	case "mvhd":
		f.movie = f.duration(at, end)
	case "mvex":
		f.fragmented = true
	case "trak":
		f.tracks = append(f.tracks, mp4Track{})
		return f.walk(at, end, f.trak)
	case "cmov":
		f.tracks = append(f.tracks, mp4Track{handler: "soun", samples: true}) // a compressed index: the decoder will see
	}
	return nil
}

// trak descends to the boxes that describe the latest track.
func (f *mp4File) trak(kind string, at, end int64) error {
	track := &f.tracks[len(f.tracks)-1]
	switch kind {
	case "mdia", "minf", "stbl":
		return f.walk(at, end, f.trak)
	case "mdhd":
		track.duration = f.duration(at, end)
	case "hdlr":
		if b, err := f.b.head(at, 12); err == nil && len(b) == 12 && track.handler == "" {
			track.handler = string(b[8:12])
		}
	case "stsd":
		if b, err := f.b.head(at, 16); err == nil && len(b) == 16 {
			track.codec = string(b[12:16])
		}
	case "stsz", "stz2":
		if b, err := f.b.head(at, 12); err == nil && len(b) == 12 {
			track.samples = binary.BigEndian.Uint32(b[8:]) > 0
		}
	}
	return nil
}

// duration reads an mvhd or mdhd, which begin alike. All ones mean that it is
// not known.
func (f *mp4File) duration(at, end int64) time.Duration {
	b, err := f.b.head(at, int(min(end-at, 32)))
	switch {
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || len(b) < 20:
		return 0
	case b[0] == 1 && len(b) == 32:
		if length := binary.BigEndian.Uint64(b[24:]); length != 1<<64-1 {
			return seconds(float64(length), float64(binary.BigEndian.Uint32(b[20:])))
		}
	case b[0] == 0:
		if length := binary.BigEndian.Uint32(b[16:]); length != 1<<32-1 {
			return seconds(float64(length), float64(binary.BigEndian.Uint32(b[12:])))
		}
	}
	return 0
}
