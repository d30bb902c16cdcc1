package inspect

import (
	"time"

	"hark/media"
	"hark/media/internal/mpeg"
)

const mp3Window = 16 << 10 // bytes in which frames are searched

// inspectMP3 takes the duration from the tag of the encoder, where the file can
// hold as much, or from the bit rate when samples of it across the clip are all
// the same. The clip starts with a frame.
func inspectMP3(b *blocks, format media.Format) (Info, error) {
	window, err := b.head(0, mp3Window)
	if err != nil {
		return Info{}, refuseBroken(err)
	}
	h, ok := mpeg.Parse(window)
	if !ok {
		return Info{}, refuseNoSound()
	}
	info := Info{Format: format}
	tag, tagged := mpeg.ParseTag(h, window)
	if tagged {
		if int64(h.Size) >= b.size {
			return Info{}, refuseNoSound()
		}
		info.Duration = seconds(float64(tag.Frames)*float64(h.Samples)-float64(tag.Delay+tag.Padding), float64(h.SampleRate))
	}
	// A recording that was cut out of a longer one keeps its tag.
	if longest := longestMP3(b.size, h); info.Duration == 0 || info.Duration > longest {
		info.Duration = 0
		if constantRate(b, h) {
			info.Duration = seconds(float64(b.size)*8, float64(h.Bitrate))
		}
	}
	return info, nil
}

// longestMP3 is how long so many bytes last at the lowest bit rate.
func longestMP3(size int64, h mpeg.Header) time.Duration {
	lowest := 8000.0
	if h.Version == 1 {
		lowest = 32000
	}
	return seconds(float64(size)*8, lowest)
}

// constantRate looks at frames in three more places.
func constantRate(b *blocks, first mpeg.Header) bool {
	for i := range int64(3) {
		window, err := b.head(b.size*(i+1)/4, 8<<10)
		if err != nil {
			return false
		}
		if f, h := mpeg.Find(window, false); f < 0 || h.Bitrate != first.Bitrate || h.SampleRate != first.SampleRate {
			return false
		}
	}
	return true
}
