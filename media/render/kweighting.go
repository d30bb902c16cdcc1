package render

import "math"

// kWeighting is the filter of ITU-R BS.1770-4 annex 1: a high shelf (the
// head), then a high-pass (revised low-frequency B curve).
//
// The standard gives coefficients for 48 kHz only. Those are the bilinear
// transform of an analogue prototype, whose corner frequencies, gain and
// qualities are recovered below (as in libebur128 and ffmpeg) and transformed
// again for our rate. The standard leaves its high-pass at 0.043 dB in the
// pass band; that gain is the standard's, not the prototype's, and is kept as
// it is at 48 kHz instead of growing to 0.13 dB with the lower rate. What
// remains is the bilinear warping of the shelf: at 16 kHz the response is
// within 0.07 dB of the 48 kHz one at all frequencies.
type kWeighting struct {
	b0, b1, b2, a1, a2 float64 // shelf
	h1, h2             float64 // high-pass denominator; its numerator is 1, -2, 1
	gain2              float64 // square of the high-pass's gain, applied to energies

	s1, s2, t1, t2 float64 // states, transposed direct form II
}

// The prototype, recovered from the coefficients in tables 1 and 2 of the standard.
const (
	shelfHz      = 1681.974450955533
	shelfQ       = 0.7071752369554196
	shelfGainDB  = 3.999843853973347
	shelfBand    = 0.4996667741545416 // exponent that splits the gain onto the middle coefficient
	highPassHz   = 38.13547087602444
	highPassQ    = 0.5003270373238773
	standardRate = 48000
)

// newKWeighting derives the filter for a rate in Hz.
func newKWeighting(rate float64) kWeighting {
	k := math.Tan(math.Pi * shelfHz / rate)
	high := math.Pow(10, shelfGainDB/20)
	band := math.Pow(high, shelfBand)
	a0 := 1 + k/shelfQ + k*k
	w := kWeighting{
		b0: (high + band*k/shelfQ + k*k) / a0,
		b1: 2 * (k*k - high) / a0,
		b2: (high - band*k/shelfQ + k*k) / a0,
		a1: 2 * (k*k - 1) / a0,
		a2: (1 - k/shelfQ + k*k) / a0,
	}
	k = math.Tan(math.Pi * highPassHz / rate)
	a0 = highPassA0(rate)
	w.h1 = 2 * (k*k - 1) / a0
	w.h2 = (1 - k/highPassQ + k*k) / a0
	gain := highPassA0(standardRate) / a0
	w.gain2 = gain * gain
	return w
}

// highPassA0 is the high-pass's leading denominator coefficient before it is
// normalised away.
func highPassA0(rate float64) float64 {
	k := math.Tan(math.Pi * highPassHz / rate)
	return 1 + k/highPassQ + k*k
}

// energy filters p and returns the sum of the squares of what comes out.
func (w *kWeighting) energy(p []float32) float64 {
	b0, b1, b2, a1, a2, h1, h2 := w.b0, w.b1, w.b2, w.a1, w.a2, w.h1, w.h2
	s1, s2, t1, t2 := w.s1, w.s2, w.t1, w.t2
	var sum float64
	for _, v := range p {
		x := float64(v)
		y := b0*x + s1
		s1 = b1*x + s2 - a1*y
		s2 = b2*x - a2*y
		z := y + t1
		t1 = t2 - 2*y - h1*z
		t2 = y - h2*z
		sum += z * z
	}
	w.s1, w.s2, w.t1, w.t2 = quiet(s1), quiet(s2), quiet(t1), quiet(t2)
	return sum * w.gain2
}

// quiet ends the tail of a filter in silence before it becomes denormal, where
// arithmetic is a hundred times slower.
func quiet(state float64) float64 {
	if math.Abs(state) > denormalGuard {
		return state
	}
	return 0
}
