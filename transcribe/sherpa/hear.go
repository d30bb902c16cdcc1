package sherpa

import (
	"context"

	"hark/transcribe"
)

// Second tries.
const (
	mostTries   = 2              // times that a piece is halved
	leastToCut  = 3 * sampleRate // shorter pieces are left as they are, in samples
	wordsPerSec = 8              // nobody says more, over a piece
)

// hear recognises a piece. When the recogniser loses its way, the piece is
// tried again in two halves.
func (e *Engine) hear(ctx context.Context, p piece, language string) (heard, error) {
	return e.hearAgain(ctx, p, language, hints{}, mostTries)
}

// hearAgain is hear with hints and the number of times that the piece may be
// halved.
func (e *Engine) hearAgain(ctx context.Context, p piece, language string, with hints, tries int) (heard, error) {
	h, err := e.recogniser.recognise(ctx, p.raise(), language, with)
	if err != nil || tries == 0 || len(p.samples) < leastToCut || !h.suspect(p) {
		return h, err
	}
	a, b := p.halve()
	first, err := e.hearAgain(ctx, a, language, hints{hurry: with.hurry}, tries-1)
	if err != nil {
		return heard{}, err
	}
	second, err := e.hearAgain(ctx, b, language, hints{hurry: with.hurry}, tries-1)
	if err != nil {
		return heard{}, err
	}
	return first.join(second, (b.at-p.at)*1000/sampleRate), nil
}

// suspect says whether the recogniser seems to have lost its way.
func (h heard) suspect(p piece) bool {
	seconds := float64(p.speechWindows()*windowSamples) / sampleRate
	return h.lost || float64(len(h.words)) > wordsPerSec*seconds+4
}

// join appends what was heard in the sound offset milliseconds later.
func (h heard) join(next heard, offset int64) heard {
	total := len(h.words) + len(next.words)
	joined := heard{language: h.language, lost: h.lost || next.lost, words: make([]transcribe.Word, 0, total)}
	if joined.language == "" {
		joined.language = next.language
	}
	if total > 0 {
		joined.logProb = (h.logProb*float64(len(h.words)) + next.logProb*float64(len(next.words))) / float64(total)
	}
	joined.words = append(joined.words, h.words...)
	for _, w := range next.words {
		w.StartMS += offset
		w.EndMS += offset
		joined.words = append(joined.words, w)
	}
	return joined
}
