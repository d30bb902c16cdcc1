package render

import (
	"math"

	"hark/media"
)

const (
	bins = media.WaveformPeaks

	// waveformFloor is the amplitude (-46 dBFS) below which a loudest peak is
	// no longer drawn at full height: the hum of an empty room stays low
	// instead of looking like speech.
	waveformFloor = 0.005

	// fineBins bounds the memory of a Waveform (100 kB). When they are full
	// they are merged in pairs, so at least half are always in use, and each
	// of the 100 bins is made of at least 128 of them.
	fineBins = 256 * bins
)

// Waveform reduces a sound of any length, not known beforehand, to
// [media.WaveformPeaks] peaks, each of an equal share of the time. Memory is bounded. The edges
// between bins are exact up to 1.6 s of sound, and after that within 0.4 % of
// a bin. The zero value is ready. It is not safe for concurrent use.
type Waveform struct {
	fine   []float32 // largest magnitude of each run of step samples
	step   int       // samples in a fine bin, a power of two; 0 before the first write
	loud   float32   // largest magnitude of the run being filled
	filled int       // samples in the run being filled, below step
}

// Write adds samples.
func (w *Waveform) Write(p []float32) {
	if w.step == 0 {
		w.step = 1
		w.fine = make([]float32, 0, fineBins)
	}
	for len(p) > 0 {
		n := min(len(p), w.step-w.filled)
		w.loud = max(w.loud, magnitude(p[:n]))
		w.filled += n
		p = p[n:]
		if w.filled == w.step {
			w.push()
		}
	}
}

// push closes the run being filled.
func (w *Waveform) push() {
	w.fine = append(w.fine, w.loud)
	w.loud, w.filled = 0, 0
	if len(w.fine) < fineBins {
		return
	}
	for i := range fineBins / 2 {
		w.fine[i] = max(w.fine[2*i], w.fine[2*i+1])
	}
	w.fine = w.fine[:fineBins/2]
	w.step *= 2
}

// Peaks returns the largest magnitude in each of [media.WaveformPeaks] equal shares of the
// time, divided by the largest of all, so that the loudest is 1, and rounded
// to three decimals. A sound that never rises above -46 dBFS is divided by
// that instead, so that near silence looks like it; silence and no sound at
// all are all zeros. The waveform may be written to afterwards.
func (w *Waveform) Peaks() []float64 {
	peaks := make([]float64, bins)
	fine := w.fine
	samples := len(fine) * w.step
	if w.filled > 0 {
		fine = append(fine[:len(fine):len(fine)], w.loud)
		samples += w.filled
	}
	if samples == 0 {
		return peaks
	}
	scale := max(float64(magnitude(fine)), waveformFloor)
	for i := range peaks {
		from, to := w.share(i, samples)
		if i == bins-1 {
			to = len(fine)
		}
		peaks[i] = math.Round(1000*float64(magnitude(fine[from:to]))/scale) / 1000
	}
	return peaks
}

// share returns the fine bins [from, to) whose middle falls into bin i, or,
// where the sound is so short that there is none, the one around bin i's own
// middle.
func (w *Waveform) share(i, samples int) (from, to int) {
	firstPast := func(edge int) int { // the first fine bin with its middle at or past edge*samples/bins
		return max(0, ceilDiv(2*edge*samples-bins*w.step, 2*bins*w.step))
	}
	from, to = firstPast(i), firstPast(i+1)
	if from >= to {
		from = (2*i + 1) * samples / (2 * bins * w.step)
		to = from + 1
	}
	return from, to
}

// ceilDiv returns a/b rounded up, for positive b.
func ceilDiv(a, b int) int {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// magnitude returns the largest absolute value in p.
func magnitude(p []float32) float32 {
	var m uint32 // floats without their sign order like their bits
	for _, x := range p {
		m = max(m, math.Float32bits(x)&^(1<<31))
	}
	return math.Float32frombits(m)
}
