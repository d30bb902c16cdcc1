// Package riff reads the structure of WAV files: RIFF, and its successors for
// more than 4 GB, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088). It believes
// the file's real length over what its headers promise, since recorders that
// stream never go back to fill their headers in.
package riff

import (
	"encoding/binary"
	"errors"
	"fmt"
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

const maxChunks = 1024 // chunks looked at before the data; a real file has a handful

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

// Parse reads the headers of a file of size bytes. It reads a few bytes at a
// time, so r should be buffered.
func Parse(r io.ReaderAt, size int64) (WAV, error) {
	var head [12]byte
	if _, err := readAt(r, head[:], 0); err != nil {
		return WAV{}, ErrNotWAV
	}
	if !Is(head[:]) {
		return WAV{}, ErrNotWAV
	}
	var w WAV
	// A file that knows its own length knows the length of its data too.
	whole := int64(binary.LittleEndian.Uint32(head[4:]))
	finished := whole+8 == size
	var data64 int64 = -1
	at := int64(len(head))
	for range maxChunks {
		var chunk [8]byte
		if _, err := readAt(r, chunk[:], at); err != nil {
			return w, missing(w)
		}
		at += int64(len(chunk))
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "ds64":
			var sizes [16]byte
			if _, err := readAt(r, sizes[:], at); err == nil && length >= 16 {
				data64 = int64(binary.LittleEndian.Uint64(sizes[8:]))
			}
		case "fmt ":
			if err := w.parseFormat(r, at, length); err != nil {
				return w, err
			}
		case "fact":
			var frames [4]byte
			if _, err := readAt(r, frames[:], at); err == nil && length >= 4 {
				w.Frames = int64(binary.LittleEndian.Uint32(frames[:]))
			}
		case "data":
			if length == 0 && finished {
				return w, ErrNoData
			}
			if !leftOpen(whole) || !leftOpen(length) {
				w.Promised = length
			}
			return w.found(at, length, data64, size)
		}
		at += length + length&1
	}
	return w, missing(w)
}

func missing(w WAV) error {
	if w.Channels == 0 {
		return ErrNoFormat
	}
	return ErrNoData
}

// leftOpen tells the lengths that writers put who stream and cannot know: none,
// all ones (ffmpeg), or as much as a signed length can say (arecord, SoX).
func leftOpen(length int64) bool {
	return length == 0 || length == 0xFFFFFFFF || length >= 0x7FFF0000 && length < 0x80010000
}

// found ends the parsing at the data chunk. A length of 0 or of all ones is
// what a recorder writes that does not know it yet: the rest is sound then.
func (w WAV) found(at, length, data64, size int64) (WAV, error) {
	if w.Channels == 0 {
		return w, ErrNoFormat
	}
	rest := max(0, size-at)
	switch {
	case length == 0xFFFFFFFF && data64 > 0:
		w.Promised = data64
		length = min(data64, rest)
	case length == 0xFFFFFFFF || length == 0:
		length = rest
	}
	w.Data, w.DataSize = at, min(length, rest)
	if w.DataSize < int64(w.BlockAlign) || w.DataSize == 0 {
		return w, ErrNoData
	}
	return w, nil
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

// parseFormat reads the format chunk at offset at.
func (w *WAV) parseFormat(r io.ReaderAt, at, length int64) error {
	b := make([]byte, min(length, 40))
	if len(b) < 14 {
		return fmt.Errorf("%w: %d bytes", ErrFormat, length)
	}
	if _, err := readAt(r, b, at); err != nil {
		return ErrNoFormat
	}
	w.Encoding = binary.LittleEndian.Uint16(b)
	w.Channels = int(binary.LittleEndian.Uint16(b[2:]))
	rate := binary.LittleEndian.Uint32(b[4:])
	w.BlockAlign = int(binary.LittleEndian.Uint16(b[12:]))
	if len(b) >= 16 {
		w.Bits = int(binary.LittleEndian.Uint16(b[14:]))
	}
	if w.Encoding == extensible && len(b) >= 26 {
		w.Encoding = binary.LittleEndian.Uint16(b[24:]) // the GUID's first field
	}
	if w.Channels == 0 || rate == 0 || rate > 1<<30 {
		channels := w.Channels
		w.Channels = 0
		return fmt.Errorf("%w: %d channels at %d Hz", ErrFormat, channels, rate)
	}
	w.SampleRate = int(rate)
	return nil
}

// readAt is ReadAt that takes a whole buffer at the very end of a file for
// success, which io.ReaderAt leaves open.
func readAt(r io.ReaderAt, p []byte, at int64) (int, error) {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return n, nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
