package mpeg

import (
	"bytes"
	"slices"
	"testing"
)

// mp3Frame is 64 kbit/s at 44.1 kHz, mono: 208 bytes; aacFrame has 16 bytes.
var (
	mp3Frame = append([]byte{0xFF, 0xFB, 0x50, 0xC4}, make([]byte, 204)...)
	aacFrame = append([]byte{0xFF, 0xF1, 0x50, 0x80, 0x02, 0x00, 0xFC}, make([]byte, 9)...)
)

func TestStarts(t *testing.T) {
	for name, frame := range map[string][]byte{"MP3": mp3Frame, "AAC": aacFrame} {
		starts := Starts
		if name == "AAC" {
			starts = ADTSStarts
		}
		other := append(slices.Clone(frame[:2]), 0xFC) // another rate, or none
		for what, c := range map[string]struct {
			b           []byte
			want        int
			whole, says bool
		}{
			"three frames":             {bytes.Repeat(frame, 3), AfterOther, false, true},
			"two where three are due":  {append(bytes.Repeat(frame, 2), make([]byte, 100)...), AfterOther, false, false},
			"two at the file's end":    {bytes.Repeat(frame, 2), AfterOther, true, true},
			"two at the window's end":  {bytes.Repeat(frame, 2), AfterOther, false, true},
			"one at the window's end":  {frame, AfterOther, false, false},
			"one that is the file":     {frame, AfterOther, true, true},
			"one cut off, at once":     {frame[:len(frame)-2], AtOnce, false, true},
			"one cut off, after other": {frame[:len(frame)-2], AfterOther, true, false},
			"one and a tag":            {append(slices.Clone(frame), "TAG of 128 bytes"...), AfterOther, true, true},
			"one and another stream":   {append(slices.Clone(frame), append(other, frame...)...), AtOnce, true, false},
			"nothing":                  {nil, AtOnce, true, false},
		} {
			if got := starts(c.b, c.want, c.whole); got != c.says {
				t.Errorf("%s, %s: %v", name, what, got)
			}
		}
	}
}

func TestAPESize(t *testing.T) {
	header := append([]byte("APETAGEX\xD0\x07\x00\x00\x40\x00\x00\x00\x01\x00\x00\x00"), 0, 0, 0, 0xA0, 0, 0, 0, 0, 0, 0, 0, 0)
	if got := APESize(header); got != 32+64 {
		t.Errorf("a tag of 64 bytes behind its header is %d bytes long", got)
	}
	footer := bytes.Clone(header)
	footer[23] = 0x80
	if got := APESize(footer); got != 0 {
		t.Errorf("a footer is taken for a header of %d bytes", got)
	}
	if got := APESize(header[:31]); got != 0 {
		t.Errorf("a part of a header is taken for %d bytes", got)
	}
}
