package inspect

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"

	"hark/media"
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

	description []byte // the beginning of what follows codec there
}

// maxDescription is how many bytes of a sample description are looked at.
const maxDescription = 512

// inspectMP4 walks to the index (moov), wherever it is, and looks for a track
// of sound in it.
func inspectMP4(b *blocks, format media.Format) (Info, error) {
	f := &mp4File{b: b}
	if err := f.walk(0, b.size, f.top); err != nil && !errors.Is(err, errEnough) {
		return Info{}, refuseBroken(err)
	}
	if !f.index {
		return Info{}, media.Refuse(media.Damaged, nil, "The recording was cut off before its index was written. Send the original file again.")
	}
	sound, err := f.sound()
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: format, Duration: sound.duration}
	if info.Duration == 0 {
		info.Duration = f.movie
	}
	return info, nil
}

// sound is the first track of sound that has any and is decoded; without one,
// a refusal says what is missing.
func (f *mp4File) sound() (mp4Track, error) {
	var tracks, empty []mp4Track
	var codecs []codec
	for _, t := range f.tracks {
		switch {
		case t.handler != "soun":
		case t.samples || f.fragmented:
			tracks, codecs = append(tracks, t), append(codecs, t.encoding())
		default:
			empty = append(empty, t)
		}
	}
	switch {
	case len(tracks)+len(empty) == 0 && len(f.tracks) > 0:
		return mp4Track{}, refuseSilentVideo()
	case len(tracks) == 0, !f.data:
		return mp4Track{}, refuseNoSound()
	}
	if err := judge(codecs); err != nil {
		if slices.ContainsFunc(tracks, mp4Track.protected) {
			return mp4Track{}, media.Refuse(media.Unsupported, nil, "The recording is copy-protected and cannot be opened.")
		}
		return mp4Track{}, err
	}
	return tracks[slices.IndexFunc(codecs, func(c codec) bool { return c.decoded })], nil
}

func (t mp4Track) protected() bool { return t.codec == "enca" || t.codec == "drms" }

// encoding is the track's codec. One whose description was not found is left to
// the decoder.
func (t mp4Track) encoding() codec {
	switch t.codec {
	case "":
		return decoded
	case "mp4a":
		return esdsCodec(t.description)
	}
	return fourCodec(t.codec)
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
		if b, err := f.b.head(at, int(min(end-at, maxDescription))); err == nil && len(b) >= 16 {
			track.codec, track.description = string(b[12:16]), b[16:]
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
