package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/thesyncim/gopus"

	"hark/media"
)

// opusHead is what the identification header of a link says (RFC 7845,
// section 5.1).
type opusHead struct {
	preSkip int // samples at 48 kHz to drop at the start
	gain    int // in 1/256 dB
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
		preSkip: int(binary.LittleEndian.Uint16(b[10:])),
		gain:    int(int16(binary.LittleEndian.Uint16(b[16:]))),
	}, nil
}

// opusFrames are the lengths of a frame in samples at [media.SampleRate] by
// the configuration in a packet's first byte (RFC 6716, section 3.1).
var opusFrames = [32]int{
	160, 320, 640, 960, 160, 320, 640, 960, 160, 320, 640, 960, // SILK
	160, 320, 160, 320, // hybrid
	40, 80, 160, 320, 40, 80, 160, 320, 40, 80, 160, 320, 40, 80, 160, 320, // CELT
}

// opusSamples returns how many samples a packet stands for, or 0 when it makes
// no sense.
func opusSamples(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	frames := 2
	switch packet[0] & 3 {
	case 0:
		frames = 1
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 0x3F)
	}
	n := frames * opusFrames[packet[0]>>3]
	if n > opusMaxFrames {
		return 0
	}
	return n
}

// newOpusDecoder makes a decoder that gives mono at 16 kHz whatever the
// packets hold: Opus scales and mixes down by itself, more cheaply than we
// could afterwards.
func newOpusDecoder() (opusDecoder, error) {
	return gopus.NewDecoder(gopus.DecoderConfig{
		SampleRate: media.SampleRate, Channels: 1,
		MaxPacketSamples: opusMaxFrames, MaxPacketBytes: opusMaxPacket,
	})
}
