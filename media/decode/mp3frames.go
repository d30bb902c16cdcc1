package decode

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"hark/media/internal/mpeg"
)

const (
	mp3Window = 32 << 10 // bytes in which frames are searched at a time
	// maxMP3Junk is how many bytes before the first frame are passed over.
	maxMP3Junk = 1 << 20
	// maxMP3Tags is how many tags are asked whether they end where they say.
	maxMP3Tags = 1000
)

var errNoMP3 = errors.New("no MP3 frame where it should be")

// mp3Frame is one frame of sound.
type mp3Frame struct {
	mpeg.Header
	data   []byte    // valid until the next frame is asked for
	begins bool      // it does not go on from the frame before: its form is another, or something lay between them
	tagged bool      // tag came before it
	tag    *mpeg.Tag // what the encoder's frame before it says; nil when there was none
	at     int64     // its offset, or that of the encoder's frame before it
	junk   int64     // bytes before it that are neither frame nor tag
	mixed  bool      // they are not all the same
}

// mp3Frames gives the frames of a file in order: tags, encoders' own frames and
// anything else between them are left out. Files may be joined of parts of
// different rates, layers and channels.
type mp3Frames struct {
	src  *io.SectionReader
	r    *bufio.Reader
	at   int64       // offset of what is read next
	form mpeg.Header // of the frame before; zero before the first
	data []byte

	tags  int   // that were looked at
	junk  int64 // bytes since the last frame that are neither frame nor tag
	mixed bool  // they are not all the same: no padding
	fill  byte
}

// newMP3Frames reads src from its start, through the pcmSink's context.
func newMP3Frames(src *io.SectionReader, out *pcmSink) *mp3Frames {
	whole := io.NewSectionReader(src, 0, src.Size())
	return &mp3Frames{src: whole, r: bufio.NewReaderSize(out.reader(whole), 2*mp3Window)}
}

// next returns the next frame, or io.EOF; f.junk then tells of what follows
// the last.
func (f *mp3Frames) next() (mp3Frame, error) {
	var frame mp3Frame
	f.junk, f.mixed = 0, false
	for {
		b, err := f.r.Peek(mp3Window)
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return frame, err
		}
		if len(b) < mpeg.HeaderSize {
			return frame, io.EOF
		}
		h, ok := f.frame(b, atEnd)
		switch tag := mpeg.TagSize(b); {
		case ok && h.Size > len(b):
			return frame, io.EOF // the last frame is cut off
		case ok:
			if tag, found := mpeg.ParseTag(h, b); found {
				frame.tag, frame.at = &tag, f.at
				frame.junk, frame.mixed = f.junk, f.mixed
				f.form, f.junk, f.mixed = h, 0, false
				err = f.discard(int64(h.Size))
				break
			}
			if frame.tag == nil {
				frame.at = f.at
			}
			frame.begins = frame.tag != nil || frame.tagged || f.junk > 0 || !f.same(h)
			frame.Header = h
			frame.junk, frame.mixed = frame.junk+f.junk, frame.mixed || f.mixed
			f.form = h
			f.data = append(f.data[:0], b[:h.Size]...)
			frame.data = f.data
			return frame, f.discard(int64(h.Size))
		case tag > 0 && (f.junk == 0 || tag != 128) && f.ends(tag):
			frame.tagged = true
			err = f.discard(tag)
		default:
			err = f.pass(b)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return frame, err
		}
		if f.form.Layer == 0 && f.junk > maxMP3Junk {
			return frame, errNoMP3
		}
	}
}

// ends reports whether a tag of a length ends where a frame, another tag or the
// end of the file is. Lengths that lie would hide sound.
func (f *mp3Frames) ends(tag int64) bool {
	if f.tags++; f.tags > maxMP3Tags {
		return f.at+tag <= f.src.Size()
	}
	b := make([]byte, mp3Window)
	n, _ := f.src.ReadAt(b, f.at+tag) // what cannot be read is no frame
	b = bytes.TrimLeft(b[:n], "\x00")
	at, _ := mpeg.Find(b, f.at+tag+int64(n) == f.src.Size())
	return at >= 0 || mpeg.TagSize(b) > 0 || len(b) == 0 && f.at+tag <= f.src.Size()
}

// same reports whether a frame goes on from the one before.
func (f *mp3Frames) same(h mpeg.Header) bool {
	return f.form.Layer != 0 && h.Follows(f.form) && h.Channels == f.form.Channels
}

// frame reports whether a frame begins at the start of b. Where one must be,
// its header will do; elsewhere others must confirm it.
func (f *mp3Frames) frame(b []byte, atEnd bool) (mpeg.Header, bool) {
	h, ok := mpeg.Parse(b)
	switch {
	case !ok:
		return h, false
	case f.same(h) && f.junk == 0:
		return h, true
	case f.same(h) || f.form.Layer == 0:
		return h, mpeg.Confirmed(b, h, 2, atEnd)
	}
	return h, mpeg.Confirmed(b, h, 3, atEnd)
}

// pass passes over junk to where the next frame or tag may begin.
func (f *mp3Frames) pass(b []byte) error {
	n := 1
	for ; n < len(b); n++ {
		if c := b[n]; c == 0xFF && mayBegin(b[n:]) || c == 'I' && bytes.HasPrefix(b[n:], []byte("ID3")) || c == 'A' && bytes.HasPrefix(b[n:], []byte("APETAGEX")) {
			break
		}
	}
	if f.junk == 0 {
		f.fill = b[0]
	}
	f.mixed = f.mixed || bytes.Count(b[:n], []byte{f.fill}) < n
	f.junk += int64(n)
	return f.discard(int64(n))
}

// mayBegin reports whether a frame may begin at the start of b.
func mayBegin(b []byte) bool {
	_, ok := mpeg.Parse(b)
	return ok || len(b) < mpeg.HeaderSize
}

func (f *mp3Frames) discard(n int64) error {
	f.at += n
	_, err := f.r.Discard(int(n))
	return err
}
