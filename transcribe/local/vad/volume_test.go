package vad

import (
	"testing"

	"hark/media"
)

// TestVolumeFollowsVoice hears a loud sound and then something faint: the gain
// comes back at once when it was a beep, and slowly when somebody spoke.
func TestVolumeFollowsVoice(t *testing.T) {
	window := make([]float32, WindowSamples)
	after := func(prob float32) float32 {
		var v volume
		hear := func(peak, prob float32) (gain float32) {
			window[7] = peak
			gain = v.follow(window)
			v.answer([]float32{prob})
			return gain
		}
		for range 2 * MostWindows {
			hear(0.5, prob)
		}
		var gain float32
		for range media.SampleRate / WindowSamples {
			gain = hear(0.01, 0.01)
		}
		return gain
	}
	if beep, voice := after(0.02), after(0.9); beep < 8 || voice > 2 {
		t.Errorf("a second after a beep the gain is %.1f, after a voice %.1f", beep, voice)
	}
}

func TestVolume(t *testing.T) {
	window := make([]float32, WindowSamples)
	var v volume
	if gain := v.follow(window); gain != mostGain {
		t.Errorf("gain in silence is %v, want the most", gain)
	}
	window[7] = -0.25
	if gain := v.follow(window); gain != 2 {
		t.Errorf("gain at a peak of 0.25 is %v, want 2", gain)
	}
	window[7] = 0.9
	if gain := v.follow(window); gain != 1 {
		t.Errorf("gain of loud sound is %v, want 1", gain)
	}
}
