package riff

import (
	"encoding/binary"
	"fmt"
	"io"
)

// subformat is what follows the format tag in the GUIDs of extensible files.
const subformat = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"

// parseFormat reads the format chunk at offset at.
func (w *WAV) parseFormat(r io.ReaderAt, at, length int64) error {
	b := make([]byte, min(length, 40))
	if len(b) < 14 {
		return fmt.Errorf("%w: %d bytes", ErrFormat, length)
	}
	if _, err := readAt(r, b, at); err != nil {
		return ErrNoFormat
	}
	return w.ParseFormat(b)
}

// ParseFormat reads a WAVEFORMAT, WAVEFORMATEX or WAVEFORMATEXTENSIBLE of at
// least 14 bytes, which other containers hold too.
func (w *WAV) ParseFormat(b []byte) error {
	w.Encoding = binary.LittleEndian.Uint16(b)
	w.Channels = int(binary.LittleEndian.Uint16(b[2:]))
	rate := binary.LittleEndian.Uint32(b[4:])
	w.BlockAlign = int(binary.LittleEndian.Uint16(b[12:]))
	if len(b) >= 16 {
		w.Bits = int(binary.LittleEndian.Uint16(b[14:]))
	}
	switch {
	case w.Encoding != extensible:
	case len(b) >= 40 && string(b[26:40]) == subformat:
		w.Encoding = binary.LittleEndian.Uint16(b[24:])
	case len(b) < 40 && w.Bits > 0 && w.BlockAlign*8 == w.Channels*w.Bits:
		w.Encoding = PCM // the extension was left out, by writers of plain samples
	}
	if w.Channels == 0 || rate == 0 || rate > 1<<30 {
		channels := w.Channels
		w.Channels = 0
		return fmt.Errorf("%w: %d channels at %d Hz", ErrFormat, channels, rate)
	}
	w.SampleRate, w.ByteRate = int(rate), int64(binary.LittleEndian.Uint32(b[8:]))
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
