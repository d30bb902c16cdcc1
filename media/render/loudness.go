package render

import (
	"math"

	"hark/media"
)

// SilenceLUFS is the loudness given to sound in which nothing rises above the
// absolute gate of BS.1770: no measured loudness is lower.
const SilenceLUFS = -70.0

const (
	stepSamples   = media.SampleRate / 10 // gating blocks start every 100 ms
	stepsPerBlock = 4                     // and last 400 ms
	relativeGate  = -10.0                 // LU below the mean of what passes the absolute gate
	floorShare    = 10                    // one step in ten is at the floor or below
	lowestFloor   = -100.0
	floorBins     = int(histogramTop-lowestFloor) + 1

	histogramTop    = 10.0 // LUFS; louder blocks share the last bin
	binsPerLU       = 20
	histogramBins   = int((histogramTop - SilenceLUFS) * binsPerLU)
	loudnessOffset  = -0.691 // dB, of BS.1770-4 equation 2
	denormalGuard   = 1e-30
	energyUnderflow = 1e-10 // -100 LUFS
)

// Meter measures the integrated loudness of mono sound at 16 kHz (EBU R 128,
// ITU-R BS.1770-4 annex 1): K-weighting, blocks of 400 ms that overlap by
// 75 %, an absolute gate at -70 LUFS and a relative one 10 LU below the mean.
//
// Gated blocks are kept as a histogram of 0.05 LU with the exact energy of
// each bin, so memory is 26 kB for any length and only the place of the
// relative gate is rounded. The mono channel counts once, as in ffmpeg: a
// 1 kHz sine at full scale is -3.0 LUFS. A Meter is not safe for concurrent
// use; samples must be finite.
type Meter struct {
	weight kWeighting

	step   float64                // weighted energy of the 100 ms being filled
	filled int                    // samples of it
	recent [stepsPerBlock]float64 // energies of the newest full steps, as a ring
	steps  int64                  // full steps so far

	floors   [floorBins]int64       // steps in each LU from lowestFloor up
	counts   [histogramBins]int64   // blocks in each bin
	energies [histogramBins]float64 // sum of their mean squares
}

// NewMeter returns a Meter that has heard nothing.
func NewMeter() *Meter {
	return &Meter{weight: newKWeighting(media.SampleRate)}
}

// Write adds samples.
func (m *Meter) Write(p []float32) {
	for len(p) > 0 {
		n := min(len(p), stepSamples-m.filled)
		m.step += m.weight.energy(p[:n])
		m.filled += n
		p = p[n:]
		if m.filled == stepSamples {
			m.endStep()
		}
	}
}

// endStep closes 100 ms and counts the block that ends with them.
func (m *Meter) endStep() {
	m.recent[m.steps%stepsPerBlock] = m.step
	m.steps++
	floor := math.Round(loudness(m.step/stepSamples) - lowestFloor)
	m.floors[int(max(0, min(floor, float64(floorBins-1))))]++
	m.step, m.filled = 0, 0
	if m.steps < stepsPerBlock {
		return
	}
	var sum float64
	for _, e := range m.recent {
		sum += e
	}
	energy := sum / (stepsPerBlock * stepSamples)
	level := loudness(energy)
	if level <= SilenceLUFS {
		return
	}
	bin := min(int((level-SilenceLUFS)*binsPerLU), histogramBins-1)
	m.counts[bin]++
	m.energies[bin] += energy
}

// Integrated returns the loudness of all that was written, in LUFS, or
// [SilenceLUFS] when nothing passes the gates. As the standard says, a block
// that is not full at the end does not count; but sound shorter than one
// block, on which the standard is silent, is measured as a single block of its
// own length.
func (m *Meter) Integrated() float64 {
	if m.steps < stepsPerBlock {
		return m.short()
	}
	count, sum := m.above(0)
	if count == 0 {
		return SilenceLUFS
	}
	count, sum = m.above(math.Pow(10, relativeGate/10) * sum / float64(count))
	return gated(sum / float64(count))
}

// above adds up the bins whose mean energy is at least threshold.
func (m *Meter) above(threshold float64) (count int64, sum float64) {
	for i, n := range m.counts {
		if n > 0 && m.energies[i] >= threshold*float64(n) {
			count += n
			sum += m.energies[i]
		}
	}
	return count, sum
}

// Floor returns the loudness, in LUFS, that one step of 100 ms in ten does not
// exceed, gated or not, to the nearest LU: what is left in the gaps of speech.
// Speech is 9 to 25 LU above its floor, a steady noise less than 1. It is at
// least -100, and the integrated loudness when there is no full step.
func (m *Meter) Floor() float64 {
	if m.steps == 0 {
		return m.short()
	}
	var seen int64
	for i, n := range m.floors {
		if seen += n; seen*floorShare > m.steps {
			return lowestFloor + float64(i)
		}
	}
	return histogramTop
}

// short measures less than one block.
func (m *Meter) short() float64 {
	sum, samples := m.step, m.filled
	for _, e := range m.recent[:m.steps] {
		sum += e
		samples += stepSamples
	}
	if samples == 0 {
		return SilenceLUFS
	}
	return gated(sum / float64(samples))
}

// loudness converts a weighted mean square to LUFS, about -100 at least.
func loudness(meanSquare float64) float64 {
	if !(meanSquare > energyUnderflow) {
		meanSquare = energyUnderflow
	}
	return loudnessOffset + 10*math.Log10(meanSquare)
}

// gated is the loudness of what passes the absolute gate.
func gated(meanSquare float64) float64 { return max(SilenceLUFS, loudness(meanSquare)) }
