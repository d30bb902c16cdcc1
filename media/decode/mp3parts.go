package decode

import (
	"errors"
	"fmt"
	"io"
	"time"

	"hark/media/internal/mpeg"
)

const (
	maxMP3Parts = 10_000 // of one file
	// leastMP3Part is how many frames a part must have that this package does
	// not decode before the whole file is another decoder's.
	leastMP3Part = 3
)

// mp3Part is a run of frames of one form with nothing between them. A file of
// one encoder is one part; a joined or damaged one has more.
type mp3Part struct {
	mpeg.Header // of its first frame
	tag         *mpeg.Tag
	frames      int64
	bytes       int64
	at          int64 // its offset
	joined      bool  // a tag lies before it
	hole        int64 // bytes before it that are lost sound, by a first reading
}

// supported reports whether go-mp3 decodes the part. (It takes MPEG-2 too, but
// what it makes of it is noise: 0.4 alike to what other decoders hear.)
func (p *mp3Part) supported() bool { return p.Layer == 3 && p.Version == 1 }

// trim returns how many samples to drop at the start and at the end. The
// encoder's tag is believed as far as it fits what is there: the padding lies at
// the end of the file that the encoder wrote, and not of a part of it.
func (p *mp3Part) trim() (start, end int) {
	if p.tag == nil || !p.tag.Gapless || int64(2*(p.tag.Delay+p.tag.Padding)) > p.frames*int64(p.Samples) {
		return 0, 0
	}
	start = p.tag.Delay + mp3DecoderDelay
	if p.tag.Frames == p.frames {
		end = max(0, p.tag.Padding-mp3DecoderDelay)
	}
	return start, end
}

// readMP3Parts reads the whole file for its parts. after is how long the sound
// was that bytes after the last frame held. A file with a part that is not
// supported is handed over.
func readMP3Parts(src *io.SectionReader, out *pcmSink) (parts []*mp3Part, after time.Duration, err error) {
	frames := newMP3Frames(src, out)
	for {
		frame, err := frames.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("find MP3 frames: %w", err)
		}
		if frame.begins {
			if len(parts) == maxMP3Parts {
				return nil, 0, fmt.Errorf("%w: more than %d parts", errUnsupported, maxMP3Parts)
			}
			part := &mp3Part{Header: frame.Header, tag: frame.tag, at: frame.at}
			part.joined = part.tag != nil || frame.tagged
			if len(parts) > 0 && (!part.joined || frame.mixed) {
				part.hole = frame.junk
			}
			parts = append(parts, part)
		}
		last := parts[len(parts)-1]
		last.frames++
		last.bytes += int64(frame.Size)
	}
	var trailing int64
	if frames.mixed {
		trailing = frames.junk
	}
	after = judgeHoles(parts, trailing)
	for _, p := range parts {
		if !p.supported() && p.frames >= leastMP3Part {
			cause := fmt.Errorf("%w: layer %d of MPEG version %d", errUnsupported, p.Layer, p.Version)
			h := newHandOver(cause, parts, after)
			if frames.junk > 0 {
				h.joins++
			}
			return nil, 0, h
		}
	}
	return parts, after, nil
}

// judgeHoles forgets holes beside tags, and where the encoder's tag says that no frame is
// missing, and returns how long what follows the last frame would sound.
func judgeHoles(parts []*mp3Part, trailing int64) (after time.Duration) {
	var run []*mp3Part // the parts of one tag
	whole := func() bool {
		var frames int64
		for _, p := range run {
			frames += p.frames
		}
		if len(run) == 0 || run[0].tag == nil || run[0].tag.Frames == 0 || run[0].tag.Frames > frames {
			return false
		}
		for _, p := range run[1:] {
			p.hole = 0
		}
		return true
	}
	for _, p := range parts {
		if p.joined && p.lasts(p.hole) < leastBehind {
			p.hole = 0 // it belongs to the tag
		}
		if p.tag != nil {
			whole()
			run = nil
		}
		run = append(run, p)
	}
	if whole() || len(parts) == 0 {
		return 0
	}
	return parts[len(parts)-1].lasts(trailing)
}

// lasts estimates how long bytes sound that are like the part's.
func (p *mp3Part) lasts(bytes int64) time.Duration {
	if p.bytes == 0 {
		return 0
	}
	samples := float64(bytes) / float64(p.bytes) * float64(p.frames) * float64(p.Samples)
	return min(time.Duration(samples/float64(p.SampleRate)*float64(time.Second)), longestHole)
}
