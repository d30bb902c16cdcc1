package local

import (
	"math"
	"slices"

	"hark/transcribe/local/vad"
)

// span is a stretch of windows, from inclusive to exclusive.
type span struct{ from, to int }

func (s span) length() int { return s.to - s.from }

// piece is a stretch of sound to be recognised at once: speech, the pauses
// within it, and a little of the true sound around it.
type piece struct {
	at      int64     // of the first sample, in samples from the clip's start
	samples []float32 // never written to
	prob    []float32 // of speech in each window
	speech  []span    // windows with speech, counted from the piece's first; never empty
	pause   int       // windows of silence since the speech before; 0 after a cut inside speech
}

// speechWindows is how many windows of the piece have speech.
func (p piece) speechWindows() int {
	total := 0
	for _, s := range p.speech {
		total += s.length()
	}
	return total
}

// What parts two words that are said one by one: so many windows in a row in
// which it is so much quieter than in the loudest; and how long the words are
// at least, in windows.
const (
	leastPause = 2
	pauseLevel = 0.06
	leastWord  = 8
)

// levels are the RMS of the piece's windows, of which there is at least one.
func (p piece) levels() []float32 {
	levels := make([]float32, len(p.samples)/vad.WindowSamples)
	for w := range levels {
		levels[w] = rms(p.samples[w*vad.WindowSamples:][:vad.WindowSamples])
	}
	return levels
}

// words are the parts of a piece that short pauses part.
func (p piece) words() []piece {
	levels := p.levels()
	loudest := slices.Max(levels)
	var parts []piece
	from, quiet := 0, 0
	for w, level := range levels {
		if level < pauseLevel*loudest {
			quiet++
			continue
		}
		if middle := w - quiet/2; quiet >= leastPause && middle-from >= leastWord && from+quiet < w && len(levels)-middle >= leastWord {
			parts = append(parts, p.part(from, middle))
			from = middle
		}
		quiet = 0
	}
	return append(parts, p.part(from, len(p.prob)))
}

// halves are the two parts that halve makes.
func (p piece) halves() []piece {
	a, b := p.halve()
	return []piece{a, b}
}

// halve parts a piece at a pause of its middle half, or at the window there
// that is least like speech; of two as good, at the one nearer to the middle.
func (p piece) halve() (piece, piece) {
	windows := len(p.prob)
	from, to := windows/4, windows-windows/4
	at, best := windows/2, float32(-1)
	for w := from; w < to; w++ {
		quiet := min(float32(w), float32(windows-w)) / float32(windows)
		for i := max(w-4, 0); i < min(w+4, windows); i++ {
			quiet += 1 - p.prob[i]
		}
		if quiet > best {
			at, best = w, quiet
		}
	}
	return p.part(0, at), p.part(at, windows)
}

// part is the piece between two windows.
func (p piece) part(from, to int) piece {
	end := min(to*vad.WindowSamples, len(p.samples))
	part := piece{
		at:      p.at + int64(from)*vad.WindowSamples,
		samples: p.samples[from*vad.WindowSamples : end],
		prob:    p.prob[from:to],
	}
	if from == 0 {
		part.pause = p.pause
	}
	for _, s := range p.speech {
		if cut := (span{max(s.from, from) - from, min(s.to, to) - from}); cut.length() > 0 {
			part.speech = append(part.speech, cut)
		}
	}
	if len(part.speech) == 0 {
		part.speech = []span{{0, to - from}}
	}
	return part
}

// raise returns the piece's samples, amplified when its speech is faint. Loud
// sound is left as it is. The samples are the piece's own.
func (p piece) raise() []float32 {
	var peak float32
	for _, r := range p.speech {
		from := min(max(r.from, 0)*vad.WindowSamples, len(p.samples))
		to := min(r.to*vad.WindowSamples, len(p.samples))
		peak = max(peak, vad.Peak(p.samples[from:max(from, to)]))
	}
	gain := vad.Gain(peak)
	if gain == 1 {
		return p.samples
	}
	louder := make([]float32, len(p.samples))
	for i, s := range p.samples {
		louder[i] = min(max(s*gain, -1), 1)
	}
	return louder
}

func rms(samples []float32) float32 {
	var sum float64
	for _, s := range samples {
		sum += float64(s) * float64(s)
	}
	return float32(math.Sqrt(sum / float64(max(len(samples), 1))))
}
