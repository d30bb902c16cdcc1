// Package riff reads the structure of WAV files: RIFF, and its successors for
// more than 4 GB, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088). It believes
// the file's real length over what its headers promise, since recorders that
// stream never go back to fill their headers in.
package riff

import (
	"bytes"
	"errors"
	"io"
)

// The encodings of samples that this package names (RFC 2361).
const (
	PCM        = 0x0001
	Float      = 0x0003
	ALaw       = 0x0006
	MuLaw      = 0x0007
	extensible = 0xFFFE
)

// WAV says what a file holds and where.
type WAV struct {
	Encoding   uint16 // PCM, Float, ...; what the extension says for an extensible file
	Channels   int    // at least 1
	SampleRate int    // Hz, at least 1
	Frames     int64  // frames as declared by the fact chunk of compressed encodings; 0 when unknown
	BlockAlign int    // bytes per frame (one sample of every channel), or per compressed block
	Bits       int    // bits per sample as stored; 0 in some compressed encodings
	Data       int64  // offset of the samples
	DataSize   int64  // bytes of samples that are really there
	Promised   int64  // bytes of samples by the header; 0 where it leaves the length open
	ByteRate   int64  // bytes a second as declared
	Finished   bool   // the header knows the length of the file
	Open       bool   // the header does not tell where the samples end: the beginning of another file may lie between them

	next int64 // offset at which to read on
}

// The reasons for which [Parse] refuses a file.
var (
	ErrNotWAV   = errors.New("not a WAV file")
	ErrNoFormat = errors.New("no format chunk before the samples")
	ErrNoData   = errors.New("no samples")
	ErrFormat   = errors.New("the format chunk makes no sense")
)

// Is reports whether b starts like a WAV file.
func Is(b []byte) bool {
	if len(b) < 12 || string(b[8:12]) != "WAVE" {
		return false
	}
	switch string(b[:4]) {
	case "RIFF", "RF64", "BW64":
		return true
	}
	return false
}

// Parse reads the headers of a file of size bytes up to its first samples. It
// reads a few bytes at a time, so r should be buffered.
func Parse(r io.ReaderAt, size int64) (WAV, error) {
	var head [12]byte
	if _, err := readAt(r, head[:], 0); err != nil || !Is(head[:]) {
		return WAV{}, ErrNotWAV
	}
	return parseFile(r, 0, size)
}

// Next reads on behind the samples of w: to more of them in the same file, or
// to those of a file that was joined to it. It returns [ErrNoData] when there
// are none.
func (w WAV) Next(r io.ReaderAt, size int64) (WAV, error) {
	k := walk{r: r, size: size, at: w.next, WAV: w}
	k.Frames = 0
	return k.toSamples()
}

// Until returns w with samples only up to an offset, where another file begins
// that was joined to it.
func (w WAV) Until(at int64) WAV {
	w.DataSize, w.next = at-w.Data, at
	return w
}

// Joined returns the offset at which b holds the beginning of a WAV file, or
// -1.
func Joined(b []byte) int {
	for i := 0; i+12 <= len(b); i++ {
		n := bytes.Index(b[i:], []byte("WAVE"))
		if n < 0 {
			return -1
		}
		if i += n; i >= 8 && Is(b[i-8:]) {
			return i - 8
		}
	}
	return -1
}

// leftOpen tells the lengths that writers put who stream and cannot know: none,
// all ones (ffmpeg), or as much as a signed length can say (arecord, SoX).
func leftOpen(length int64) bool {
	return length == 0 || length == 0xFFFFFFFF || length >= 0x7FFF0000 && length < 0x80010000
}

// Plain reports whether every frame is BlockAlign bytes that stand for
// themselves.
func (w WAV) Plain() bool {
	switch w.Encoding {
	case PCM, Float, ALaw, MuLaw:
		return true
	}
	return false
}
