package sherpa

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
	end := min(to*windowSamples, len(p.samples))
	part := piece{
		at:      p.at + int64(from)*windowSamples,
		samples: p.samples[from*windowSamples : end],
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
