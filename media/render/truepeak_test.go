package render

import (
	"math"
	"slices"
	"testing"
)

func truePeakOf(p []float32) float64 {
	m := newPeakMeter()
	m.write(p)
	return m.dbtp()
}

func TestTruePeakOfKnownSignals(t *testing.T) {
	between := make([]float32, 16000) // a quarter of the rate, sampled 3 dB below its tops
	for i := range between {
		between[i] = float32(0.5 * math.Sin(math.Pi/2*float64(i)+math.Pi/4))
	}
	last := make([]float32, 500)
	last[499] = 0.25
	for name, test := range map[string]struct {
		in              []float32
		want, tolerance float64
	}{
		"no sound":            {nil, SilenceDBTP, 0},
		"digital silence":     {make([]float32, 5000), SilenceDBTP, 0},
		"one 16-bit step":     {[]float32{1.0 / 32768}, -90.3, 0.1},
		"one sample":          {[]float32{-1}, 0, 0.01},
		"the last sample":     {last, -12.04, 0.01},
		"between the samples": {between, -6.02, 0.15}, // its onset rings a little
		"1 kHz":               {sine(1000, 0.5, 1), -6.02, 0.05},
		"square wave":         {square(200, 1, 1), 1.6, 1}, // bandlimited steps overshoot
	} {
		t.Run(name, func(t *testing.T) {
			if got := truePeakOf(test.in); math.Abs(got-test.want) > test.tolerance {
				t.Errorf("%.2f dBTP, want %.2f", got, test.want)
			}
		})
	}
}

func square(hz, amplitude, seconds float64) []float32 {
	p := sine(hz, 1, seconds)
	for i, x := range p {
		p[i] = float32(math.Copysign(amplitude, float64(x)))
	}
	return p
}

// ffmpeg measures at 192 kHz with another filter, so it finds a little more
// where there is much near 8 kHz.
func TestTruePeakAgreesWithFFmpeg(t *testing.T) {
	high := faded(sine(5123, 0.3, 5))
	slices.Reverse(high)
	for name, test := range map[string]struct {
		in        []float32
		tolerance float64
	}{
		"speech":         {prompt(t, "demo-congrats"), 0.2},
		"clipped speech": {scaled(prompt(t, "demo-congrats"), 4), 0.5},
		"low sine":       {sine(440, 0.3, 5), 0.1},
		"high sine":      {faded(high), 0.2},
	} {
		t.Run(name, func(t *testing.T) {
			_, want := reference(t, test.in)
			got := truePeakOf(test.in)
			t.Logf("%.2f dBTP, ffmpeg says %.1f", got, want)
			if math.Abs(got-want) > test.tolerance {
				t.Errorf("%.2f dBTP, ffmpeg says %.1f", got, want)
			}
		})
	}
}

// Passing over what is too quiet must not change the answer.
func TestTruePeakMissesNothing(t *testing.T) {
	p := joined(scaled(noise(1, 0.5), 0.3), noise(0.5, 0.3), scaled(noise(1, 1), 0.49), make([]float32, taps))
	padded := joined(make([]float32, taps-1), p)
	interp := newInterpolator()
	var want float32
	for i := range p {
		want = max(want, interp.peak((*[taps]float32)(padded[i:])))
	}
	m := newPeakMeter()
	for i := 0; i < len(p); i += 777 {
		m.write(p[i:min(len(p), i+777)])
	}
	if m.peak != want {
		t.Errorf("peak %v, want %v", m.peak, want)
	}
}
