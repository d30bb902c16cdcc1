package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// opusHead is what the identification header of a link says (RFC 7845,
// section 5.1).
type opusHead struct {
	channels int // 1 or 2
	preSkip  int // samples at 48 kHz to drop at the start
	gain     int // in 1/256 dB
}

var errNotOpus = errors.New("not an Opus stream")

// parseOpusHead refuses streams of more than two channels with errUnsupported.
func parseOpusHead(b []byte) (opusHead, error) {
	if len(b) < 19 || !bytes.HasPrefix(b, []byte("OpusHead")) {
		return opusHead{}, errNotOpus
	}
	version, channels, family := b[8], b[9], b[18]
	streams := byte(1)
	if family != 0 && len(b) >= 21 {
		streams = b[19]
	}
	if version>>4 != 0 || channels == 0 || channels > 2 || family > 1 || streams != 1 {
		return opusHead{}, fmt.Errorf("%w: Opus version %d, %d channels, family %d, %d streams", errUnsupported, version, channels, family, streams)
	}
	return opusHead{
		channels: int(channels),
		preSkip:  int(binary.LittleEndian.Uint16(b[10:])),
		gain:     int(int16(binary.LittleEndian.Uint16(b[16:]))),
	}, nil
}
