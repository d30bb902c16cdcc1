package decode

import (
	"math"

	"hark/media/filter"
)

const (
	// stopband is how far in dB what lies above the new half rate is pushed
	// down, and with it every alias.
	stopband = 90
	// transition is the part of the passband given up for the filter's slope:
	// to 16 kHz, all is flat up to 7 kHz and gone at 8.
	transition = 1.0 / 8
	// maxFilter is the most coefficients of a filter with all its phases: all
	// common rates stay below. Others get fewer phases and interpolation
	// between neighbours, whose error lies below the stopband.
	maxFilter          = 1 << 17
	interpolatedPhases = 256  // at 48 kHz and below
	resampleBlock      = 2048 // samples worked on at a time
)

// resampler changes the rate of one channel by a ratio of whole numbers with a
// polyphase FIR filter: a sinc under a Kaiser window (Kaiser 1974; Crochiere
// and Rabiner, Multirate Digital Signal Processing, chapter 4). Its delay is
// taken out: sample 0 stays at time 0. After construction it allocates nothing.
type resampler struct {
	up, down int // output rate : input rate, in lowest terms
	taps     int // filter length in input samples; a multiple of 8
	phases   int // filter phases over one input sample
	filter   []float32

	buf   []float32 // input; the filter's window starts at buf[at]
	at    int
	frac  int // position between two input samples, in 1/up
	in    int64
	out   []float32
	given int64
	emit  func([]float32)
}

// newResampler makes a resampler from one rate to another, both in Hz, that
// calls emit with blocks of samples.
func newResampler(from, to int, emit func([]float32)) *resampler {
	g := gcd(from, to)
	r := &resampler{up: to / g, down: from / g, emit: emit}
	edge := 0.5 * math.Min(1, float64(to)/float64(from)) // in cycles per input sample
	taps := (stopband - 7.95) / (14.36 * edge * transition)
	r.taps = (int(taps) + 8) / 8 * 8
	r.phases = r.up
	if r.phases*r.taps > maxFilter {
		r.phases = interpolatedPhases * min(from, 48000) / from
	}
	r.design(edge * (1 - transition/2))
	r.buf = make([]float32, r.taps/2-1, r.taps+resampleBlock)
	r.out = make([]float32, 0, resampleBlock)
	return r
}

// design computes the filter's phases for a cutoff in cycles per input sample.
// One phase more than needed closes the circle for interpolation.
func (r *resampler) design(cutoff float64) {
	beta := 0.1102 * (stopband - 8.7)
	r.filter = make([]float32, (r.phases+1)*r.taps)
	half := float64(r.taps) / 2
	row, kaiser := make([]float64, r.taps), filter.Kaiser(beta)
	for p := range r.phases + 1 {
		sum := 0.0
		for j := range row {
			t := float64(j+1) - half - float64(p)/float64(r.phases)
			row[j] = sinc(2*cutoff*t) * kaiser(t/half)
			sum += row[j]
		}
		for j, h := range row {
			r.filter[p*r.taps+j] = float32(h / sum)
		}
	}
}

// clone returns a resampler that has heard the same and calls another emit.
func (r *resampler) clone(emit func([]float32)) *resampler {
	c := *r
	c.emit = emit
	c.buf = append(make([]float32, 0, cap(r.buf)), r.buf...)
	c.out = append(make([]float32, 0, cap(r.out)), r.out...)
	return &c
}

// write takes input.
func (r *resampler) write(p []float32) {
	r.in += int64(len(p))
	r.feed(p)
}

func (r *resampler) feed(p []float32) {
	for len(p) > 0 {
		n := min(len(p), cap(r.buf)-len(r.buf))
		r.buf = append(r.buf, p[:n]...)
		p = p[n:]
		r.run(math.MaxInt64)
	}
}

// flush gives out the rest, as if silence followed: in all, as many samples as
// the input lasts.
func (r *resampler) flush() {
	total := (r.in*int64(r.up) + int64(r.down) - 1) / int64(r.down)
	for r.given < total {
		n := min(resampleBlock, cap(r.buf)-len(r.buf))
		r.buf = r.buf[:len(r.buf)+n]
		clear(r.buf[len(r.buf)-n:])
		r.run(total)
	}
}

// run computes all outputs, up to a total, whose window is in the buffer, and
// then moves what is still needed to the buffer's start.
func (r *resampler) run(total int64) {
	for r.at+r.taps <= len(r.buf) && r.given < total {
		r.out = append(r.out, r.sample())
		r.given++
		r.frac += r.down
		r.at += r.frac / r.up
		r.frac %= r.up
		if len(r.out) == cap(r.out) {
			r.emit(r.out)
			r.out = r.out[:0]
		}
	}
	r.emit(r.out)
	r.out = r.out[:0]
	keep := min(r.at, len(r.buf))
	r.buf = r.buf[:copy(r.buf, r.buf[keep:])]
	r.at -= keep
}

// sample computes the output at the present position.
func (r *resampler) sample() float32 {
	window := r.buf[r.at : r.at+r.taps]
	if r.phases == r.up {
		return dot(window, r.filter[r.frac*r.taps:])
	}
	exact := float32(r.frac) * float32(r.phases) / float32(r.up)
	p := min(int(exact), r.phases-1)
	a, b := dot(window, r.filter[p*r.taps:]), dot(window, r.filter[(p+1)*r.taps:])
	return a + (b-a)*(exact-float32(p))
}

// dot multiplies a with the beginning of b. The length of a is a multiple of 8.
// Several sums keep the processor's units busy.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	for b = b[:len(a)]; len(a) >= 8 && len(b) >= 8; a, b = a[8:], b[8:] {
		s0 += a[0]*b[0] + a[4]*b[4]
		s1 += a[1]*b[1] + a[5]*b[5]
		s2 += a[2]*b[2] + a[6]*b[6]
		s3 += a[3]*b[3] + a[7]*b[7]
	}
	return s0 + s1 + s2 + s3
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
