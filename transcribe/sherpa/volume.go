package sherpa

import "math"

// Loudness that recognisers and the detector are used to, as a peak, and how
// much a faint voice is raised towards it at most (32 dB).
const (
	usualPeak = 0.5
	mostGain  = 40
)

// volume follows the loudness of a clip, so that the detector hears a voice
// on a faint recording as well as a near one. Loud sound lowers the gain at
// once; after it the gain comes back slowly, so that the pauses of a loud
// clip stay quiet.
type volume struct {
	peak float32
}

// recovery is the share of the peak that is left after one window: half in
// about ten seconds.
const recovery = 0.9978

// follow takes the next window and returns the gain to hear it with.
func (v *volume) follow(window []float32) float32 {
	v.peak = max(v.peak*recovery, peakOf(window))
	return min(max(usualPeak/max(v.peak, 1e-6), 1), mostGain)
}

// raise returns the piece's samples, amplified when its speech is faint. Loud
// sound is left as it is. The samples are the piece's own.
func (p piece) raise() []float32 {
	var peak float32
	for _, r := range p.speech {
		from := min(max(r.from, 0)*windowSamples, len(p.samples))
		to := min(r.to*windowSamples, len(p.samples))
		peak = max(peak, peakOf(p.samples[from:max(from, to)]))
	}
	gain := min(usualPeak/max(peak, 1e-6), mostGain)
	if gain <= 1 {
		return p.samples
	}
	louder := make([]float32, len(p.samples))
	for i, s := range p.samples {
		louder[i] = min(max(s*gain, -1), 1)
	}
	return louder
}

func peakOf(samples []float32) float32 {
	var peak float32
	for _, s := range samples {
		peak = max(peak, s, -s)
	}
	return peak
}

func rms(samples []float32) float32 {
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return float32(math.Sqrt(sum / float64(max(len(samples), 1))))
}
