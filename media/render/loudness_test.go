package render

import (
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"hark/media"
)

func loudnessOf(p []float32) float64 {
	m := NewMeter()
	m.Write(p)
	return m.Integrated()
}

// The signals are those of EBU Tech 3341 in one channel, which lowers them by
// 3.01 LU.
func TestLoudnessOfKnownSignals(t *testing.T) {
	level := func(dbfs, seconds float64) []float32 { return sine(1000, factor(dbfs), seconds) }
	tests := map[string]struct {
		in   []float32
		want float64
	}{
		"full scale":                     {sine(997, 1, 5), -3.01},
		"case 1":                         {level(-23, 20), -26.01},
		"case 2":                         {level(-33, 20), -36.01},
		"case 3, relative gate":          {joined(level(-36, 10), level(-23, 60), level(-36, 10)), -26.01},
		"case 4, absolute gate":          {joined(level(-72, 10), level(-36, 10), level(-23, 60), level(-36, 10), level(-72, 10)), -26.01},
		"case 5, above the gate":         {joined(level(-26, 20), level(-20, 20.1), level(-26, 20)), -26.01},
		"long silence does not count":    {joined(level(-23, 20), make([]float32, 60*media.SampleRate)), -26.06},
		"no sound":                       {nil, SilenceLUFS},
		"digital silence":                {make([]float32, 5*media.SampleRate), SilenceLUFS},
		"below the absolute gate":        {level(-75, 5), SilenceLUFS},
		"shorter than a block":           {level(-20, 0.3), -23.01},
		"one sample":                     {[]float32{1}, 2.4}, // the click itself: an impulse through the filter's first coefficient
		"short silence":                  {make([]float32, 100), SilenceLUFS},
		"one block":                      {level(-20, 0.4), -23.01},
		"a constant is not heard":        {constant(0.5, 60), SilenceLUFS},
		"louder than the histogram ends": {sine(4000, 10, 5), 20.3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := loudnessOf(test.in); math.Abs(got-test.want) > 0.1 {
				t.Errorf("%.2f LUFS, want %.2f", got, test.want)
			}
		})
	}
}

// constant is direct current that begins without a click.
func constant(v float32, seconds int) []float32 {
	return faded(slices.Repeat([]float32{v}, seconds*media.SampleRate))
}

// faded makes p rise smoothly over its first two seconds.
func faded(p []float32) []float32 {
	const fade = 2 * media.SampleRate
	for i := range min(fade, len(p)) {
		p[i] *= float32(0.5 - 0.5*math.Cos(math.Pi*float64(i)/fade))
	}
	return p
}

func TestLoudnessAgreesWithFFmpeg(t *testing.T) {
	speech := prompt(t, "demo-congrats")
	tests := map[string][]float32{
		"speech":                   speech,
		"quiet speech":             scaled(speech, 0.01),
		"clipped speech":           scaled(speech, 8),
		"speech with pauses":       joined(speech, make([]float32, 20*media.SampleRate), scaled(speech, 0.1)),
		"speech in noise":          mixed(speech, noise(0.02, 60)),
		"voice of a synthesizer":   spoken(t, "It is never lost, and anyone who may hear it can find it by a word."),
		"white noise":              noise(0.3, 10),
		"sine at 60 Hz":            sine(60, 0.3, 5),
		"sine at 440 Hz":           sine(440, 0.3, 5),
		"sine at 1 kHz":            sine(1000, 0.3, 5),
		"sine at 2.5 kHz":          sine(2500, 0.3, 5),
		"sine at 6 kHz":            sine(6000, 0.3, 5),
		"half a second of speech":  speech[media.SampleRate : media.SampleRate*3/2],
		"two and a half of speech": speech[:media.SampleRate*5/2],
	}
	for name, p := range tests {
		t.Run(name, func(t *testing.T) {
			want, _ := reference(t, p)
			got := loudnessOf(p)
			t.Logf("%.2f LUFS, ffmpeg says %.1f", got, want)
			if math.Abs(got-want) > 0.15 {
				t.Errorf("%.2f LUFS, ffmpeg says %.1f", got, want)
			}
		})
	}
}

func mixed(a, b []float32) []float32 {
	out := make([]float32, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] + b[i]
	}
	return out
}

// The floor separates speech, at any level, from steady sound.
func TestFloor(t *testing.T) {
	speech := prompt(t, "demo-congrats")
	for name, test := range map[string]struct {
		in       []float32
		min, max float64 // of the distance from the floor up to the loudness
	}{
		"speech":          {speech, 9, 30},
		"quiet speech":    {scaled(speech, 0.01), 9, 30},
		"speech in noise": {mixed(scaled(speech, 0.1), noise(0.005, 60)), 6, 20},
		"one word":        {prompt(t, "activated"), 6, 30},
		"white noise":     {noise(0.001, 5), -1, 1},
		"hum":             {sine(100, 0.003, 5), -1, 1},
		"silence":         {make([]float32, 50000), 25, 35},
		"a click":         {make([]float32, 100), 0, 0},
	} {
		m := NewMeter()
		m.Write(test.in)
		if d := m.Integrated() - m.Floor(); d < test.min || d > test.max {
			t.Errorf("%s: %.1f LU above its floor, want %.0f to %.0f", name, d, test.min, test.max)
		}
	}
}

// The standard's own response is that of its 48 kHz coefficients.
func TestKWeightingKeepsTheStandardResponse(t *testing.T) {
	ours, standard := newKWeighting(media.SampleRate), newKWeighting(standardRate)
	for name, pair := range map[string][2]float64{
		"b0": {standard.b0, 1.53512485958697},
		"b1": {standard.b1, -2.69169618940638},
		"b2": {standard.b2, 1.19839281085285},
		"a1": {standard.a1, -1.69065929318241},
		"a2": {standard.a2, 0.73248077421585},
		"h1": {standard.h1, -1.99004745483398},
		"h2": {standard.h2, 0.99007225036621},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s at 48 kHz is %v, the standard says %v", name, pair[0], pair[1])
		}
	}
	for hz := 20.0; hz < 8000; hz *= 1.02 {
		if d := ours.response(hz, media.SampleRate) - standard.response(hz, standardRate); math.Abs(d) > 0.07 {
			t.Errorf("%.0f Hz is %.3f dB off", hz, d)
		}
	}
}

// response is the filter's gain in decibels.
func (w *kWeighting) response(hz, rate float64) float64 {
	z := cmplx.Exp(complex(0, -2*math.Pi*hz/rate))
	c := func(v float64) complex128 { return complex(v, 0) }
	shelf := (c(w.b0) + c(w.b1)*z + c(w.b2)*z*z) / (1 + c(w.a1)*z + c(w.a2)*z*z)
	pass := (1 - 2*z + z*z) / (1 + c(w.h1)*z + c(w.h2)*z*z)
	return decibels(cmplx.Abs(shelf*pass) * math.Sqrt(w.gain2))
}
