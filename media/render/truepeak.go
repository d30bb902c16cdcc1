package render

import (
	"math"

	"hark/media/filter"
)

// SilenceDBTP is the true peak given to digital silence. One step of 16 bits
// is -90.3 dBTP.
const SilenceDBTP = -100.0

const (
	taps       = 24  // samples that one interpolated value is made of
	halfTaps   = 12  // the values lie between the two samples in the middle
	kaiserBeta = 7.0 // trades the reach of the interpolator's pass band against ripple
	peakRun    = 16  // samples that are skipped together when they cannot hold a peak
	peakChunk  = 1024
)

// interpolator gives the sound between samples, by windowed sinc at four times
// the rate (ITU-R BS.1770-4 annex 2). As with any meter at that rate a sine
// near 6 kHz may read 0.4 dB low at worst, one below 3 kHz 0.1 dB.
type interpolator struct {
	quarter, half [taps]float32 // weights for 1/4 and 1/2 of the way; 3/4 is quarter reversed
	bound         float32       // no interpolated value exceeds bound times the largest sample
}

func newInterpolator() *interpolator {
	var f interpolator
	f.quarter = windowedSinc(0.25)
	f.half = windowedSinc(0.5)
	f.bound = max(absSum(f.quarter), absSum(f.half), 1)
	return &f
}

// windowedSinc returns the weights for the point at fraction of the way
// between samples halfTaps-1 and halfTaps of a window of taps.
func windowedSinc(fraction float64) (w [taps]float32) {
	var v [taps]float64
	var sum float64
	kaiser := filter.Kaiser(kaiserBeta)
	for i := range v {
		t := float64(i-(halfTaps-1)) - fraction
		v[i] = math.Sin(math.Pi*t) / (math.Pi * t) * kaiser(t/halfTaps)
		sum += v[i]
	}
	for i := range w {
		w[i] = float32(v[i] / sum)
	}
	return w
}

func absSum(w [taps]float32) (sum float32) {
	for _, v := range w {
		sum += float32(math.Abs(float64(v)))
	}
	return sum
}

// peak returns the largest magnitude from the sample at halfTaps-1 of w up to
// the next one.
func (f *interpolator) peak(w *[taps]float32) float32 {
	var a, b, c float32
	for i, x := range w {
		a += f.quarter[i] * x
		b += f.half[i] * x
		c += f.quarter[taps-1-i] * x
	}
	return max(abs(w[halfTaps-1]), abs(a), abs(b), abs(c))
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// peakMeter finds the true peak of a sound. Stretches that are too quiet to
// hold a new peak are passed over, which makes it nearly free on speech.
type peakMeter struct {
	interp *interpolator
	buf    [taps - 1 + peakChunk]float32 // the last taps-1 samples, then the newest
	peak   float32
}

func newPeakMeter() *peakMeter { return &peakMeter{interp: newInterpolator()} }

// write adds samples.
func (m *peakMeter) write(p []float32) {
	for len(p) > 0 {
		n := copy(m.buf[taps-1:], p)
		m.scan(m.buf[:taps-1+n])
		copy(m.buf[:], m.buf[n:taps-1+n])
		p = p[n:]
	}
}

// scan looks at every window of taps samples in buf.
func (m *peakMeter) scan(buf []float32) {
	if magnitude(buf)*m.interp.bound <= m.peak {
		return
	}
	for from := 0; from+taps <= len(buf); from += peakRun {
		to := min(from+peakRun, len(buf)-taps+1)
		if magnitude(buf[from:to+taps-1])*m.interp.bound <= m.peak {
			continue
		}
		for i := from; i < to; i++ {
			m.peak = max(m.peak, m.interp.peak((*[taps]float32)(buf[i:])))
		}
	}
}

// dbtp returns the true peak of all that was written, in dBTP, at least
// [SilenceDBTP].
func (m *peakMeter) dbtp() float64 {
	rest := *m // the last samples have neighbours only in the silence that follows
	rest.write(make([]float32, taps))
	return max(SilenceDBTP, decibels(float64(rest.peak)))
}

// decibels converts an amplitude, factor the other way.
func decibels(amplitude float64) float64 { return 20 * math.Log10(amplitude) }
func factor(db float64) float64          { return math.Pow(10, db/20) }
