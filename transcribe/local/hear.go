package local

import (
	"context"
	"sync/atomic"

	"hark/media/transcript"
)

// Second tries.
const (
	mostTries  = 4                    // one more than the times that a piece is halved
	leastToCut = sampleRate * 12 / 10 // shorter pieces are left as they are, in samples
	lastResort = 4                    // number of the try that is made only when no other accounts for the piece
)

// hear recognises a piece.
//
// What a recogniser answers is not simply believed. Where it loses its way, or
// ends though speech goes on that none of its words explains (explain.go), the
// piece is heard again: with silence around it, with more tokens demanded, a little faster,
// word by word, and in halves. The answer that leaves least of the speech
// unexplained is taken. Very short speech is heard in several ways, which vote
// (short.go). Of that, only the halves are for recognisers that take as long for
// a word as for half a minute.
func (a *asking) hear(ctx context.Context, p piece) (heard, error) {
	return a.hearAgain(ctx, p, hints{}, mostTries)
}

// hearAgain is hear with hints and the number of times that the piece may be
// cut; with none, the recogniser is asked once.
func (a *asking) hearAgain(ctx context.Context, p piece, with hints, tries int) (heard, error) {
	if tries == 0 {
		return a.ask(ctx, p.plain(), with)
	}
	if tries == mostTries {
		a.heard.Add(int64(len(p.samples)))
	}
	hurry := hints{hurry: with.hurry}
	if p.short() && !a.engine.terse {
		return a.vote(ctx, p, hurry)
	}
	best, err := a.ask(ctx, p.plain(), with)
	if err != nil || p.accounts(best) {
		return best, err
	}
	tokens := best.tokens // a draft for the plain sound
	best, err = a.again(ctx, p, best, hurry, tries)
	best.tokens = tokens
	return best, err
}

// again hears a piece in other forms and in parts, and returns the best of
// these answers and the one that is there. It is cut only if no answer for the
// whole of it accounts for it.
func (a *asking) again(ctx context.Context, p piece, best heard, with hints, tries int) (heard, error) {
	type question func() (heard, error)
	first := best
	whole := []question{
		func() (heard, error) { return a.ask(ctx, p.padded(padSamples/2, padSamples/2), with) },
		func() (heard, error) { return a.ask(ctx, p.padded(padSamples, padSamples), with.insisting(1)) },
		func() (heard, error) { return a.ask(ctx, p.plain(), with.insisting(len(first.tokens)+1)) },
		func() (heard, error) { return a.ask(ctx, p.stretched(0.93), with.insisting(1)) },
	}
	cut := []question{
		func() (heard, error) { return a.parts(ctx, p.words(), with, tries) },
		func() (heard, error) { return a.parts(ctx, p.halves(), with, tries) },
	}
	if a.engine.terse {
		whole, cut = nil, cut[1:]
	}
	for _, questions := range [][]question{whole, cut} {
		if p.accounts(best) && !best.insisted {
			break
		}
		for _, ask := range questions {
			if !a.patient() {
				return best, nil
			}
			h, err := ask()
			if err != nil {
				return first, err
			}
			if p.score(h) > p.score(best) {
				best = h
			}
		}
	}
	return best, nil
}

// asking is how the pieces of one clip are put to the recogniser. It is safe
// for concurrent use.
type asking struct {
	engine   *Engine
	language string

	heard atomic.Int64 // samples of the pieces that were heard
	asked atomic.Int64 // samples that the recogniser was given
}

// How much of a clip may be heard again, so that one in which nothing can be
// understood takes a few times as long as another and no more: so many times
// its speech, and so many samples at any rate.
const (
	mostAsked  = 4
	leastAsked = 180 * sampleRate
)

// patient says whether there may be more questions than one about a piece.
func (a *asking) patient() bool { return a.asked.Load() < mostAsked*a.heard.Load()+leastAsked }

// ask has the recogniser hear a form of a piece. Times are those of the piece.
func (a *asking) ask(ctx context.Context, f form, with hints) (heard, error) {
	a.asked.Add(int64(len(f.samples)))
	h, err := a.engine.recogniser.recognise(ctx, f.samples, a.language, with)
	if err != nil {
		return heard{}, err
	}
	return f.undo(h), nil
}

// parts hears the parts of a piece, each as a piece of its own. Nothing is
// heard in fewer than two, nor in what is short already.
func (a *asking) parts(ctx context.Context, parts []piece, with hints, tries int) (h heard, err error) {
	last := parts[len(parts)-1]
	if len(parts) < 2 || last.at+int64(len(last.samples))-parts[0].at < leastToCut || tries <= 1 {
		return heard{}, nil
	}
	for _, part := range parts {
		next, err := a.hearAgain(ctx, part, with, tries-1)
		if err != nil {
			return heard{}, err
		}
		h = h.join(next, (part.at-parts[0].at)*1000/sampleRate)
	}
	return h, nil
}

// accounts says whether h is all that was said in the piece, as far as can be
// onDone: the recogniser did not lose its way, said no more than anyone can, and
// left no speech unexplained.
func (p piece) accounts(h heard) bool {
	if h.lost || p.overfull(h) {
		return false
	}
	return p.sureness() < sureSpeech || len(h.words) > 0 && p.missing(h) <= mostUnexplained
}

// score says how good an answer is: the more of the speech it explains, and
// the surer the recogniser was, the better.
func (p piece) score(h heard) float64 {
	score := 2*h.logProb - p.missing(h)
	if len(h.words) == 0 {
		score -= 2
	}
	if h.lost || p.overfull(h) {
		score--
	}
	if h.insisted || h.parts {
		score -= 0.3
	}
	return score
}

// join appends what was heard in the sound offset milliseconds later.
func (h heard) join(next heard, offset int64) heard {
	total := len(h.words) + len(next.words)
	joined := heard{language: h.language, parts: true, insisted: h.insisted || next.insisted, lost: h.lost || next.lost, words: make([]transcript.Word, 0, total)}
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
