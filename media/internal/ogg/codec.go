package ogg

import (
	"bytes"
	"encoding/binary"
)

// Rate returns the rate in Hz that a stream's first packet tells, in which its
// granule positions count; false for another codec than Vorbis, Speex and FLAC.
// (Opus has one rate for all, RFC 7845.)
func Rate(first []byte) (hertz int64, ok bool) {
	switch {
	case bytes.HasPrefix(first, []byte("\x01vorbis")) && len(first) >= 16:
		return int64(binary.LittleEndian.Uint32(first[12:])), true
	case bytes.HasPrefix(first, []byte("Speex   ")) && len(first) >= 40:
		return int64(binary.LittleEndian.Uint32(first[36:])), true
	case bytes.HasPrefix(first, []byte("\x7FFLAC")) && len(first) >= 17+10+4: // a header of its own, STREAMINFO's to its rate
		return int64(binary.BigEndian.Uint32(first[17+10:]) >> 12), true
	}
	return 0, false
}
