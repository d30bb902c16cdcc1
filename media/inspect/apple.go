package inspect

import (
	"encoding/binary"
	"math"

	"hark/media"
)

// maxChunks bounds the walk through the chunks of a file.
const maxChunks = 256

// inspectAIFF reads COMM (form and rate of the samples) and looks for SSND
// (samples).
func inspectAIFF(b *blocks, format media.Format) (Info, error) {
	head, err := b.head(0, 12)
	if err != nil || len(head) < 12 {
		return Info{}, refuseNoSound()
	}
	var frame, rate float64 // bytes per frame, where that is the same for all; Hz
	info, sound, compressed := Info{Format: format}, int64(0), string(head[8:]) == "AIFC"
	at := int64(12)
	for range maxChunks {
		head, err := b.head(at, 8)
		if err != nil || len(head) < 8 {
			break
		}
		at += 8
		length := int64(binary.BigEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "COMM":
			comm, err := b.head(at, 22)
			if err != nil || len(comm) < 18 {
				return Info{}, refuseNoSound()
			}
			rate = extended(comm[8:18])
			info.Duration = seconds(float64(binary.BigEndian.Uint32(comm[2:])), rate)
			channels, bits := binary.BigEndian.Uint16(comm), binary.BigEndian.Uint16(comm[6:])
			if compressed && len(comm) == 22 {
				if err := judge([]codec{fourCodec(string(comm[18:22]))}); err != nil {
					return Info{}, err
				}
			} else {
				frame = float64(channels) * float64((bits+7)/8)
			}
		case "SSND":
			sound = min(length, b.size-at) - 8
		}
		at += length + length&1
	}
	switch {
	case sound <= 0:
		return Info{}, refuseNoSound()
	case frame > 0 && rate > 0:
		info.Duration, info.Counted = seconds(float64(sound)/frame, rate), true
	}
	return info, nil
}

// extended reads an 80-bit floating point number, in which AIFF keeps its rate.
func extended(b []byte) float64 {
	exponent := int(binary.BigEndian.Uint16(b)&0x7FFF) - 16383 - 63
	return math.Ldexp(float64(binary.BigEndian.Uint64(b[2:])), exponent)
}

// inspectCAF reads desc (codec, rate, frames and bytes per packet) and data.
func inspectCAF(b *blocks, format media.Format) (Info, error) {
	var rate, packetBytes, packetFrames float64
	info, at, sound := Info{Format: format}, int64(8), false
	for range maxChunks {
		head, err := b.head(at, 12)
		if err != nil || len(head) < 12 {
			break
		}
		at += 12
		length := int64(binary.BigEndian.Uint64(head[4:]))
		switch string(head[:4]) {
		case "desc":
			desc, err := b.head(at, 32)
			if err != nil || len(desc) < 32 {
				return Info{}, refuseNoSound()
			}
			if err := judge([]codec{fourCodec(string(desc[8:12]))}); err != nil {
				return Info{}, err
			}
			rate = math.Float64frombits(binary.BigEndian.Uint64(desc))
			packetBytes = float64(binary.BigEndian.Uint32(desc[16:]))
			packetFrames = float64(binary.BigEndian.Uint32(desc[20:]))
		case "pakt":
			if pakt, err := b.head(at, 16); err == nil && len(pakt) == 16 && !info.Counted {
				info.Duration = seconds(float64(binary.BigEndian.Uint64(pakt[8:])), rate)
			}
		case "data":
			if length < 0 || length > b.size-at { // -1: to the end
				length = b.size - at
			}
			if length <= 4 || rate == 0 {
				return Info{}, refuseNoSound()
			}
			if packetBytes > 0 {
				info.Duration, info.Counted = seconds(float64(length-4)/packetBytes*packetFrames, rate), true
			}
			sound = true
		}
		if length < 0 || length > b.size-at {
			break
		}
		at += length
	}
	if !sound {
		return Info{}, refuseNoSound()
	}
	return info, nil
}

// inspectAU reads the header of Sun's and NeXT's format.
func inspectAU(b *blocks, format media.Format) (Info, error) {
	head, err := b.head(0, 24)
	if err != nil || len(head) < 24 {
		return Info{}, refuseNoSound()
	}
	data := int64(binary.BigEndian.Uint32(head[4:]))
	if data >= b.size {
		return Info{}, refuseNoSound()
	}
	encoding, ok := auCodecs[binary.BigEndian.Uint32(head[12:])]
	if !ok {
		return Info{}, judge([]codec{undecoded("an unusual AU encoding")})
	}
	rate := int64(binary.BigEndian.Uint32(head[16:])) * int64(binary.BigEndian.Uint32(head[20:])) * encoding.bytes
	if rate <= 0 {
		return Info{Format: format}, nil
	}
	return Info{Format: format, Duration: seconds(float64(b.size-data), float64(rate)), Counted: true}, nil
}
