package media

import (
	"encoding/binary"
	"errors"
	"math"

	"hark/media/internal/riff"
)

func inspectWAV(b *blocks, format Format) (Info, error) {
	wav, err := riff.Parse(b, b.size)
	switch {
	case errors.Is(err, riff.ErrNoData), errors.Is(err, riff.ErrNoFormat):
		return Info{}, Refuse(Damaged, err, "The WAV file ends before any sound. Send the original file again.")
	case err != nil:
		return Info{}, refuseBroken(err)
	}
	if wav.Promised/2 > wav.DataSize {
		return Info{}, Refuse(Damaged, nil, "The WAV file's header promises %d bytes of sound, but only %d are there: it was cut off. Send the whole file again.", wav.Promised, wav.DataSize)
	}
	frames := float64(wav.Frames)
	if wav.Plain() {
		frames = float64(wav.DataSize) / float64(max(1, wav.BlockAlign))
	}
	return Info{Format: format, Duration: seconds(frames, float64(wav.SampleRate))}, nil
}

// maxChunks bounds the walk through the chunks of AIFF and CAF files.
const maxChunks = 256

// inspectAIFF reads COMM (frames and rate) and looks for SSND (samples).
func inspectAIFF(b *blocks, format Format) (Info, error) {
	info, sound := Info{Format: format}, false
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
			comm, err := b.head(at, 18)
			if err != nil || len(comm) < 18 {
				return Info{}, refuseNoSound()
			}
			info.Duration = seconds(float64(binary.BigEndian.Uint32(comm[2:])), extended(comm[8:18]))
		case "SSND":
			sound = min(length, b.size-at) > 8
		}
		at += length + length&1
	}
	if !sound {
		return Info{}, refuseNoSound()
	}
	return info, nil
}

// extended reads an 80-bit floating point number, in which AIFF keeps its rate.
func extended(b []byte) float64 {
	exponent := int(binary.BigEndian.Uint16(b)&0x7FFF) - 16383 - 63
	return math.Ldexp(float64(binary.BigEndian.Uint64(b[2:])), exponent)
}

// inspectCAF reads desc (rate, frames and bytes per packet) and data.
func inspectCAF(b *blocks, format Format) (Info, error) {
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
			rate = math.Float64frombits(binary.BigEndian.Uint64(desc))
			packetBytes = float64(binary.BigEndian.Uint32(desc[16:]))
			packetFrames = float64(binary.BigEndian.Uint32(desc[20:]))
		case "pakt":
			if pakt, err := b.head(at, 16); err == nil && len(pakt) == 16 {
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
				info.Duration = seconds(float64(length-4)/packetBytes*packetFrames, rate)
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
func inspectAU(b *blocks, format Format) (Info, error) {
	head, err := b.head(0, 24)
	if err != nil || len(head) < 24 {
		return Info{}, refuseNoSound()
	}
	data := int64(binary.BigEndian.Uint32(head[4:]))
	if data >= b.size {
		return Info{}, refuseNoSound()
	}
	bytesPerSample := map[uint32]int64{1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}[binary.BigEndian.Uint32(head[12:])]
	rate := int64(binary.BigEndian.Uint32(head[16:])) * int64(binary.BigEndian.Uint32(head[20:])) * bytesPerSample
	if rate <= 0 {
		return Info{Format: format}, nil
	}
	return Info{Format: format, Duration: seconds(float64(b.size-data), float64(rate))}, nil
}
