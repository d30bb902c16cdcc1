package inspect

import (
	"bytes"
	"fmt"
)

// The tags of descriptors (ISO 14496-1, 7.2.2.1) that lead to what is encoded.
const (
	esDescriptor      = 3
	decoderDescriptor = 4
	decoderSpecific   = 5
)

// mp4Objects are the encodings in MP4's "mp4a" by their object type.
var mp4Objects = map[byte]codec{
	0x40: decoded, 0x66: decoded, 0x67: decoded, 0x68: decoded, // AAC
	0x69: decoded, 0x6B: decoded, // MPEG audio
	0xA5: decoded, 0xA6: decoded, 0xA9: decoded, // AC-3, E-AC-3, DTS
	0xDD: decoded, 0xE1: decoded, 0xAD: decoded, // Vorbis, QCELP, Opus
}

// aacObjects are the encodings that are called AAC (object type 0x40) and are
// something else, by their audio object type (ISO 14496-3, 1.5.1).
var aacObjects = map[int]codec{
	7: undecoded("TwinVQ"), 8: undecoded("MPEG-4 CELP"), 9: undecoded("MPEG-4 HVXC"), 36: undecoded("MPEG-4 ALS"), 42: undecoded("xHE-AAC"),
}

// esdsCodec is the encoding that the box "esds" in an MP4 sample description
// names. What it does not say is left to the decoder.
func esdsCodec(description []byte) codec {
	at := bytes.Index(description, []byte("esds"))
	if at < 0 || at+8 > len(description) {
		return decoded
	}
	es := descriptor(description[at+8:], esDescriptor)
	if len(es) < 3 {
		return decoded
	}
	config := descriptor(es[min(len(es), esHeader(es)):], decoderDescriptor)
	if len(config) < 13 {
		return decoded
	}
	object, ok := mp4Objects[config[0]]
	if !ok {
		return undecoded(fmt.Sprintf("MP4 object type 0x%02X", config[0]))
	}
	specific := descriptor(config[13:], decoderSpecific)
	if config[0] == 0x40 && len(specific) >= 2 {
		kind := int(specific[0] >> 3)
		if kind == 31 {
			kind = 32 + int(specific[0]&7)<<3 + int(specific[1]>>5)
		}
		if c, ok := aacObjects[kind]; ok {
			return c
		}
	}
	return object
}

// esHeader is the length of what stands in an ES descriptor before those in it.
func esHeader(es []byte) int {
	length, flags := 3, es[2]
	if flags&0x80 != 0 {
		length += 2
	}
	if flags&0x40 != 0 && length < len(es) {
		length += 1 + int(es[length])
	}
	if flags&0x20 != 0 {
		length += 2
	}
	return length
}

// descriptor returns the body of the descriptor with the tag at the start of b,
// as far as it is there; nil for another.
func descriptor(b []byte, tag byte) []byte {
	if len(b) < 2 || b[0] != tag {
		return nil
	}
	length := 0
	for i, x := range b[1:min(len(b), 5)] {
		length = length<<7 | int(x&0x7F)
		if x&0x80 == 0 {
			b = b[2+i:]
			return b[:min(len(b), length)]
		}
	}
	return nil
}
