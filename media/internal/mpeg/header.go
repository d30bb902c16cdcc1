// Package mpeg reads the frame headers of MPEG audio (MP3, and AAC in ADTS)
// and the tags that surround them. It decodes nothing: it says where a frame
// begins, how long it is and how much sound it stands for, so that a clip can
// be recognised, measured and cleaned of what is not sound.
//
// All functions are pure and work on the bytes they are given.
package mpeg

import "encoding/binary"

// HeaderSize is the length in bytes of an MPEG audio frame header.
const HeaderSize = 4

// Header is what an MPEG audio frame header says (ISO 11172-3, 13818-3).
type Header struct {
	Version    int // 1, 2, or 25 for MPEG-2.5
	Layer      int // 2 or 3
	Bitrate    int // bits per second
	SampleRate int // Hz
	Channels   int // 1 or 2
	Size       int // bytes of the whole frame, header included
	Samples    int // samples per channel that the frame stands for
	crc        bool
}

var (
	bitrates = [2][2][15]int{ // kbit/s by version 1 or 2, and layer 2 or 3
		{
			{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
			{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		},
		{
			{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
			{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		},
	}
	sampleRates = [3]int{44100, 48000, 32000}
)

// Parse reads the header at the start of b. It reports false for what is no
// header of layer II or III, and for the free-format bit rate, whose frame
// length a header does not tell.
func Parse(b []byte) (Header, bool) {
	if len(b) < HeaderSize || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return Header{}, false
	}
	var h Header
	family, divide := 2, 2
	switch b[1] >> 3 & 3 {
	case 3:
		h.Version, family, divide = 1, 1, 1
	case 2:
		h.Version = 2
	case 0:
		h.Version, divide = 25, 4
	default:
		return Header{}, false
	}
	h.Layer = 4 - int(b[1]>>1&3)
	rate, rateIndex := int(b[2]>>4), int(b[2]>>2&3)
	if h.Layer > 3 || h.Layer < 2 || rate == 0 || rate == 15 || rateIndex == 3 {
		return Header{}, false
	}
	h.Bitrate = bitrates[family-1][h.Layer-2][rate] * 1000
	h.SampleRate = sampleRates[rateIndex] / divide
	h.Channels = 2
	if b[3]>>6 == 3 {
		h.Channels = 1
	}
	h.crc = b[1]&1 == 0
	h.Samples = 1152
	if h.Layer == 3 && family == 2 {
		h.Samples = 576
	}
	h.Size = h.Samples/8*h.Bitrate/h.SampleRate + int(b[2]>>1&1)
	return h, true
}

// Follows reports whether o can be a later frame of the same stream as h.
func (h Header) Follows(o Header) bool {
	return h.Version == o.Version && h.Layer == o.Layer && h.SampleRate == o.SampleRate
}

// Find returns the offset of the first frame in b that the next one confirms,
// at the distance that its header tells. When atEnd, b ends where the stream
// does, and a frame that ends exactly there needs no other. A lone frame that
// runs past the end of b counts only at offset 0. It returns -1 when there is
// none.
func Find(b []byte, atEnd bool) (int, Header) {
	for i := 0; i+HeaderSize <= len(b); i++ {
		h, ok := Parse(b[i:])
		if !ok {
			continue
		}
		next := i + h.Size
		if next+HeaderSize > len(b) {
			if i == 0 || atEnd && next == len(b) {
				return i, h
			}
			continue
		}
		if h2, ok := Parse(b[next:]); ok && h2.Follows(h) {
			return i, h
		}
		if string(b[next:next+3]) == "TAG" {
			return i, h
		}
	}
	return -1, Header{}
}

// Confirmed reports whether the frame that h describes, at the start of b, is
// one of at least need frames of one stream that follow each other. A tag after
// a frame, and the end of the stream, which b's end is when atEnd, stand for the
// rest; of the last frame the end may be missing, unless it is the only one.
func Confirmed(b []byte, h Header, need int, atEnd bool) bool {
	at := 0
	for n := 1; n < need; n++ {
		at += h.Size
		if at+HeaderSize > len(b) {
			return atEnd && (at == len(b) || n > 1)
		}
		if TagSize(b[at:]) > 0 {
			return true
		}
		next, ok := Parse(b[at:])
		if !ok || !next.Follows(h) {
			return false
		}
		h.Size = next.Size
	}
	return true
}

// MainData tells of the frame of layer III at the start of b, which h
// describes, how many bytes before it its sound begins (in the bit reservoir)
// and how many bytes of sound it holds.
func (h Header) MainData(b []byte) (before, size int) {
	at := HeaderSize
	if h.crc {
		at += 2
	}
	size = h.Size - at - h.sideInfo()
	if len(b) < at+2 || size < 0 {
		return 0, 0
	}
	if h.Version != 1 {
		return int(b[at]), size
	}
	return int(b[at])<<1 | int(b[at+1]>>7), size
}

// sideInfo is the length in bytes of layer III's side information.
func (h Header) sideInfo() int {
	switch {
	case h.Version != 1 && h.Channels == 1:
		return 9
	case h.Version != 1 || h.Channels == 1:
		return 17
	}
	return 32
}

// TagSize returns the whole length in bytes of the tag (ID3v1, ID3v2 or APE) that
// begins at the start of b, or 0 when there is none.
func TagSize(b []byte) int64 {
	switch {
	case len(b) >= 3 && string(b[:3]) == "TAG":
		return 128
	case len(b) >= 24 && string(b[:8]) == "APETAGEX":
		size := int64(binary.LittleEndian.Uint32(b[12:]))
		if b[23]&0x20 == 0 {
			return 32 // the footer
		}
		return size + 32
	}
	return ID3Size(b)
}

// ID3Size returns the whole length in bytes of the ID3v2 tag whose first 10
// bytes are at the start of b, or 0 when there is none.
func ID3Size(b []byte) int64 {
	if len(b) < 10 || string(b[:3]) != "ID3" || b[3] == 0xFF || b[6]|b[7]|b[8]|b[9] >= 0x80 {
		return 0
	}
	size := int64(b[6])<<21 | int64(b[7])<<14 | int64(b[8])<<7 | int64(b[9])
	if b[5]&0x10 != 0 {
		size += 10 // the footer
	}
	return size + 10
}

// Tag is what a Xing, Info or VBRI frame says about the whole stream.
type Tag struct {
	Frames  int64 // frames of sound after this one; 0 when it does not say
	Delay   int   // samples that the encoder put before the sound
	Padding int   // samples that the encoder put after the sound
	Gapless bool  // Delay and Padding are known
}

// ParseTag reads the tag in the frame at the start of b, which h describes.
// It reports false when the frame is one of sound.
func ParseTag(h Header, b []byte) (Tag, bool) {
	b = b[:min(len(b), h.Size)]
	if len(b) >= 36+18 && string(b[36:40]) == "VBRI" {
		return Tag{Frames: int64(binary.BigEndian.Uint32(b[50:]))}, true
	}
	at := HeaderSize + h.sideInfo()
	if h.Layer != 3 || len(b) < at+8 || (string(b[at:at+4]) != "Xing" && string(b[at:at+4]) != "Info") {
		return Tag{}, false
	}
	var t Tag
	flags := b[at+7]
	at += 8
	if flags&1 != 0 && len(b) >= at+4 {
		t.Frames = int64(binary.BigEndian.Uint32(b[at:]))
		at += 4
	}
	for _, field := range []struct {
		flag byte
		size int
	}{{2, 4}, {4, 100}, {8, 4}} {
		if flags&field.flag != 0 {
			at += field.size
		}
	}
	const delayAt = 21 // in the extension that LAME began: encoder name, method, ... delays
	if len(b) >= at+delayAt+3 && b[at] != 0 {
		d := b[at+delayAt:]
		t.Delay, t.Padding = int(d[0])<<4|int(d[1]>>4), int(d[1]&15)<<8|int(d[2])
		t.Gapless = true
	}
	return t, true
}
