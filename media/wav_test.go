package media_test

import (
	"bytes"
	"testing"
	"time"

	"hark/media"
	"hark/media/inspect"
)

func TestWAVHeader(t *testing.T) {
	for _, c := range []struct{ rate, channels int }{{8000, 1}, {16000, 1}, {16000, 2}, {48000, 6}} {
		n := c.rate * c.channels * 2 // one second
		clip := append(media.WAVHeader(c.rate, c.channels, n), make([]byte, n)...)
		info, err := inspect.Clip(bytes.NewReader(clip), int64(len(clip)), media.Limits{})
		if err != nil || info.Format != media.WAV || info.Duration != time.Second || !info.Counted {
			t.Errorf("%d channels at %d Hz: %+v, %v; want a WAV of 1 s", c.channels, c.rate, info, err)
		}
	}
}
