package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"hark/media/internal/mpeg"
)

const (
	mp3Window = 16 << 10 // bytes in which frames are searched at a time
	// maxMP3Junk is how many bytes before the first frame are passed over.
	maxMP3Junk = 1 << 20
)

// mp3Frames is an io.Reader of nothing but whole frames of one stream: tags,
// the encoder's own frame and anything else between frames are left out.
type mp3Frames struct {
	r     *bufio.Reader
	first mpeg.Header
	tag   mpeg.Tag
	rest  []byte // of the frame that is being read
	frame []byte
	err   error
}

// newMP3Frames finds the first frame.
func newMP3Frames(r io.Reader) (*mp3Frames, error) {
	f := &mp3Frames{r: bufio.NewReaderSize(r, 2*mp3Window)}
	if err := f.skipID3(); err != nil {
		return nil, fmt.Errorf("skip ID3 tag: %w", err)
	}
	if err := f.resync(maxMP3Junk); err != nil {
		return nil, fmt.Errorf("find the first MP3 frame: %w", err)
	}
	b, _ := f.r.Peek(mp3Window)
	f.first, _ = mpeg.Parse(b)
	var tagged bool
	if f.tag, tagged = mpeg.ParseTag(f.first, b); tagged {
		if _, err := f.r.Discard(min(f.first.Size, len(b))); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *mp3Frames) skipID3() error {
	for {
		head, err := f.r.Peek(10)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		size := mpeg.ID3Size(head)
		if size == 0 {
			return nil
		}
		if _, err := io.CopyN(io.Discard, f.r, size); err != nil {
			return err
		}
	}
}

// Read reads on in the frames.
func (f *mp3Frames) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		if f.err == nil {
			f.err = f.next()
		}
		if f.err != nil {
			return 0, f.err
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// drop forgets the rest of the frame that is being read.
func (f *mp3Frames) drop() { f.rest = nil }

// next loads the next frame.
func (f *mp3Frames) next() error {
	for {
		b, err := f.r.Peek(mpeg.HeaderSize)
		if err != nil {
			return err
		}
		h, ok := mpeg.Parse(b)
		if ok && h.Follows(f.first) {
			f.frame = append(f.frame[:0], make([]byte, h.Size)...)
			if _, err := io.ReadFull(f.r, f.frame); err != nil {
				return io.EOF // the last frame is cut off
			}
			f.rest = f.frame
			return nil
		}
		if _, err := f.r.Discard(1); err != nil {
			return err
		}
		if err := f.resync(0); err != nil {
			return err
		}
	}
}

// resync moves to the next frame that is confirmed by the one after it,
// passing over at most limit bytes; 0 means any number.
func (f *mp3Frames) resync(limit int) error {
	for passed := 0; limit == 0 || passed < limit; {
		b, err := f.r.Peek(mp3Window)
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return err
		}
		at, h := mpeg.Find(b, atEnd)
		if at >= 0 && (f.first.Layer == 0 || h.Follows(f.first)) {
			_, err := f.r.Discard(at)
			return err
		}
		step := len(b) - mp3Window/4 // frames are shorter than what is kept
		if at >= 0 {
			step = at + 1
		}
		if step <= 0 || at < 0 && atEnd {
			return io.EOF
		}
		passed += step
		if _, err := f.r.Discard(step); err != nil {
			return err
		}
	}
	return errors.New("no frame where it should be")
}
