package decode

import (
	"errors"
	"fmt"
	"io"

	mp3 "github.com/hajimehoshi/go-mp3"
)

const (
	// mp3DecoderDelay is how many samples a decoder's filters add before the
	// first of the encoder's (the LAME tag does not count them).
	mp3DecoderDelay = 529
	// maxMP3Restarts bounds how often decoding starts again after a frame that
	// makes no sense.
	maxMP3Restarts = 1000
)

// decodeMP3 decodes layer III of MPEG-1. (The library takes MPEG-2 too, but
// what it makes of it is noise: 0.4 alike to what other decoders hear.)
// The frames come from an
// [mp3Frames], which passes over whatever is no sound; a frame that the
// decoder cannot make sense of becomes silence.
func decodeMP3(src *io.SectionReader, out *funnel) error {
	frames, err := newMP3Frames(out.reader(src))
	if err != nil {
		return err
	}
	h := frames.first
	if h.Layer != 3 || h.Version != 1 {
		return fmt.Errorf("%w: layer %d of MPEG version %d", errUnsupported, h.Layer, h.Version)
	}
	out.start(h.SampleRate)
	trim := newTrimmer(out)
	if frames.tag.Gapless {
		trim.skip = frames.tag.Delay + mp3DecoderDelay
		trim.hold = max(0, frames.tag.Padding-mp3DecoderDelay)
	}
	var failure error
	for range maxMP3Restarts {
		err := runMP3(frames, trim, h.Channels)
		if err == nil || out.failed != nil {
			break
		}
		failure = err
		frames.drop()
		if err := trim.write(make([]float32, h.Samples)); err != nil {
			return err
		}
	}
	if out.failed != nil {
		return out.failed
	}
	if trim.heard == 0 {
		return errors.Join(errors.New("no frame of the MP3 could be decoded"), failure)
	}
	return failure
}

// runMP3 decodes frames until they end (nil) or one makes no sense.
func runMP3(frames *mp3Frames, trim *trimmer, channels int) error {
	decoder, err := mp3.NewDecoder(frames)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("start MP3 decoder: %w", err)
	}
	raw := make([]byte, 4*1152) // 16 bits, always two channels
	stereo, mono := make([]float32, 2*1152), make([]float32, 1152)
	for {
		n, err := io.ReadFull(decoder, raw)
		count := n / 4
		fromS16(stereo[:2*count], raw[:4*count])
		for i := range count {
			mono[i] = stereo[2*i]
			if channels == 2 {
				mono[i] = (mono[i] + stereo[2*i+1]) / 2
			}
		}
		trim.heard += int64(count)
		if err := trim.write(mono[:count]); err != nil {
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

// trimmer drops samples at the beginning and at the end of one channel of
// sound whose length is not known before.
type trimmer struct {
	out   *funnel
	skip  int   // samples still to drop at the beginning
	hold  int   // samples to drop at the end
	heard int64 // samples that were decoded and not made up
	held  []float32
}

func newTrimmer(out *funnel) *trimmer { return &trimmer{out: out} }

func (t *trimmer) write(p []float32) error {
	n := min(t.skip, len(p))
	t.skip -= n
	t.held = append(t.held, p[n:]...)
	pass := len(t.held) - t.hold
	if pass <= 0 {
		return nil
	}
	err := t.out.write(t.held[:pass], 1)
	t.held = t.held[:copy(t.held, t.held[pass:])]
	return err
}
