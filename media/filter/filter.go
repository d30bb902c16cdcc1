// Package filter has the filters that decoding, hearing and rendering share: a
// high-pass that takes out what lies below a voice, and the Kaiser window that
// resampling filters are designed with.
package filter

import "math"

// HighPass is a high-pass filter of the second order (transposed direct form
// II, of the bilinear transform of the analogue prototype). Filters of higher order are several in a row. It
// belongs to one goroutine.
type HighPass struct {
	b0, b1, b2, a1, a2 float64
	s1, s2             float64
}

// NewHighPass makes a filter for sound of a rate in Hz, with its corner at hertz.
// A quality of 1/sqrt(2)
// makes it a Butterworth filter.
func NewHighPass(rate, hertz, quality float64) HighPass {
	w := 2 * math.Pi * hertz / rate
	alpha, cos := math.Sin(w)/(2*quality), math.Cos(w)
	a0 := 1 + alpha
	return HighPass{b0: (1 + cos) / 2 / a0, b1: -(1 + cos) / a0, b2: (1 + cos) / 2 / a0, a1: -2 * cos / a0, a2: (1 - alpha) / a0}
}

// Rest makes the filter as if x had always been there: sound that begins on an
// offset begins without a step.
func (h *HighPass) Rest(x float64) { h.s1, h.s2 = -h.b0*x, h.b2*x }

// Next takes a sample and returns what comes out.
func (h *HighPass) Next(x float64) float64 {
	y := h.b0*x + h.s1
	h.s1 = h.b1*x - h.a1*y + h.s2
	h.s2 = h.b2*x - h.a2*y
	return y
}
