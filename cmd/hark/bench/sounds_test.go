package bench

import (
	"math"
	"testing"

	"hark/media"
)

// A sound that is silence, or nothing but clipping, measures nothing.
func TestSoundsWithoutSpeech(t *testing.T) {
	for _, kind := range soundsWithoutSpeech(1) {
		var sum, low float64
		clipped := 0
		pass := lowPass(120)
		const n = 30 * media.SampleRate
		for i := range int64(n) {
			v := kind.sound(i)
			if math.Abs(v) > 1 {
				clipped++
			}
			sum += v * v
			v = pass(v)
			low += v * v
		}
		level := math.Sqrt(sum / n)
		switch {
		case kind.name == "silence" && level > 0, kind.name != "silence" && level < 0.001, level > 0.5, clipped > n/100:
			t.Errorf("%s: level %.4f, %d samples clipped", kind.name, level, clipped)
		case kind.name == "rumble" && low < sum/4, kind.name == "dtmf" && low > sum/1000:
			t.Errorf("%s: %.3f of it is below 120 Hz", kind.name, low/sum)
		}
	}
}
