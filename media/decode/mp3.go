package decode

import (
	"errors"
	"fmt"
	"io"

	mp3 "github.com/hajimehoshi/go-mp3"
)

// mp3DecoderDelay is how many samples a decoder's filters add before the first
// of the encoder's (the LAME tag does not count them).
const mp3DecoderDelay = 529

// mp3Stream decodes the parts of a file. It is the io.Reader of one part's
// frames for the library that decodes them.
type mp3Stream struct {
	out    *pcmSink
	frames *mp3Frames
	parts  []*mp3Part // those still to come
	frame  mp3Frame   // the present
	rest   []byte     // of it, still to be read
	ahead  bool       // the present frame begins the next part
	err    error

	reservoir int  // bytes of sound in the frames before that the library was given
	starved   bool // the present frame needs more of them
	heard     int64
	failure   error // the last
}

// decodeMP3 decodes layer III of MPEG-1: part after part, where files of
// different rates are joined or bytes are damaged. A frame that the library
// cannot make sense of, and bytes between frames that must have been sound,
// become silence.
func decodeMP3(src *io.SectionReader, out *pcmSink) error {
	parts, after, err := readMP3Parts(src, out)
	if err != nil {
		return err
	}
	s := &mp3Stream{out: out, frames: newMP3Frames(src, out), parts: parts}
	s.advance()
	for s.err == nil && len(s.parts) > 0 {
		part := s.parts[0]
		s.parts = s.parts[1:]
		if err := s.play(part); err != nil {
			return err
		}
	}
	switch {
	case out.failed != nil:
		return out.failed
	case s.heard == 0:
		return errors.Join(errors.New("no frame of the MP3 could be decoded"), s.failure)
	case s.err != nil && !errors.Is(s.err, io.EOF):
		return fmt.Errorf("read MP3 frames: %w", s.err)
	}
	if after >= leastBehind {
		end := out.now()
		out.lost.add(end, end+after)
		s.failure = errors.Join(s.failure, errors.New("bytes after the last frame"))
	}
	return s.failure
}

// advance moves to the next frame.
func (s *mp3Stream) advance() {
	if s.frame, s.err = s.frames.next(); s.err != nil {
		s.frame = mp3Frame{}
	}
	s.rest, s.ahead = s.frame.data, s.frame.begins
}

// play decodes a part, from its first frame, which is the present one.
func (s *mp3Stream) play(part *mp3Part) error {
	s.ahead = false
	if !part.supported() { // a frame or two: junk that looks like frames
		for s.err == nil && !s.ahead {
			s.advance()
		}
		return nil
	}
	if s.out.rate != part.SampleRate {
		s.out.start(part.SampleRate)
	}
	if hole := part.lasts(part.hole); hole >= leastLost {
		s.failure = errors.New("bytes between frames")
		if err := s.out.silence(hole); err != nil {
			return err
		}
	}
	trim := &trimmer{out: s.out}
	trim.skip, trim.hold = part.trim()
	for s.err == nil && !s.ahead {
		err := s.run(trim)
		if s.out.failed != nil {
			return s.out.failed
		}
		if err == nil {
			break
		}
		s.failure = err
		s.rest = nil
		since := s.out.now()
		if err := trim.write(make([]float32, 2*part.Samples)); err != nil {
			return err
		}
		s.out.lose(since)
	}
	return nil
}

// Read reads on in the frames of the present part.
func (s *mp3Stream) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.err == nil && !s.ahead {
			s.advance()
		}
		if s.err != nil || s.ahead {
			return 0, io.EOF
		}
	}
	if len(s.rest) == len(s.frame.data) {
		before, size := s.frame.MainData(s.rest)
		s.starved = before > s.reservoir
		s.reservoir += size
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// run decodes frames until the part ends (nil) or one makes no sense. The
// library takes one frame at a time. What it makes of a frame whose sound
// begins in frames that it never got is noise, and becomes silence.
func (s *mp3Stream) run(trim *trimmer) error {
	s.reservoir = 0
	decoder, err := mp3.NewDecoder(s)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("start MP3 decoder: %w", err)
	}
	raw := make([]byte, 4*1152) // 16 bits, always two channels, which are the same in a mono file
	p := make([]float32, 2*1152)
	for {
		n, err := io.ReadFull(decoder, raw)
		count := n / 4
		fromS16(p[:2*count], raw[:4*count])
		if s.starved {
			clear(p)
		}
		s.heard += int64(count)
		if err := trim.write(p[:2*count]); err != nil {
			return err
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("decode MP3: %w", err)
		}
	}
}

// trimmer drops samples at the beginning and at the end of two channels of
// interleaved sound whose length is not known before.
type trimmer struct {
	out  *pcmSink
	skip int // samples of a channel still to drop at the beginning
	hold int // samples of a channel to drop at the end
	held []float32
}

func (t *trimmer) write(p []float32) error {
	n := min(t.skip, len(p)/2)
	t.skip -= n
	t.held = append(t.held, p[2*n:]...)
	pass := len(t.held) - 2*t.hold
	if pass <= 0 {
		return nil
	}
	err := t.out.write(t.held[:pass], 2)
	t.held = t.held[:copy(t.held, t.held[pass:])]
	return err
}
