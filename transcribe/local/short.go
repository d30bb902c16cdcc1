package local

import (
	"context"
	"math"

	"hark/transcribe/local/vad"
)

// shortSpeech is how much speech a piece has that is heard in several ways.
const shortSpeech = sampleRate * 8 / 10 / vad.WindowSamples

// short says whether there is so little speech in the piece that a recogniser
// has too little to go by.
func (p piece) short() bool { return p.speechWindows() <= shortSpeech }

// sharpness says how much more an answer counts of which the recogniser is
// surer: its probability to this power.
const sharpness = 2

// nothingSaid is what it counts that a recogniser makes nothing of a form.
const nothingSaid = 0.05

// leastShare is the share of the vote that an answer needs where the detector
// isn't sure that anybody speaks.
const leastShare = 0.4

// A vote is over when the first two forms say the same, each with at least this
// mean log-probability.
const agreedLogProb = -0.4

// votingForms are the forms that vote, in their order.
var votingForms = []func(piece) form{
	func(p piece) form { return p.padded(padSamples, padSamples) },
	piece.plain,
	func(p piece) form { return p.repeated(3) },
	func(p piece) form { return p.stretched(1.15) },
	func(p piece) form { return p.stretched(0.87) },
	func(p piece) form { return p.repeated(2) },
	func(p piece) form { return p.padded(padSamples*3/2, padSamples/4) },
	func(p piece) form { return p.padded(padSamples, padSamples*5/2) },
	func(p piece) form { return p.padded(padSamples*3/2, padSamples*5/2) },
}

// vote hears a short piece in several ways and takes what most of them say,
// each counting as much as the recogniser is sure: what was said stays the
// same when there is more silence around it, when it is said slower or again
// and again; what a recogniser makes up changes.
func (a *asking) vote(ctx context.Context, p piece, with hints) (heard, error) {
	var poll []ballot
	for i, as := range votingForms {
		if i > 0 && !a.patient() {
			break
		}
		with.insist = 0
		if i == 0 && p.sureness() >= sureSpeech {
			with.insist = 1
		}
		h, err := a.ask(ctx, as(p), with)
		if err != nil {
			return heard{}, err
		}
		poll = count(poll, p, h)
		if i == 1 && len(poll) == 1 && len(poll[0].best.words) > 0 && poll[0].weight > 2*math.Exp(sharpness*agreedLogProb) {
			break
		}
	}
	best, total := 0, 0.0
	for i, b := range poll {
		total += b.weight
		if b.weight > poll[best].weight {
			best = i
		}
	}
	if poll[best].weight < leastShare*total && p.sureness() < sureSpeech {
		return heard{language: poll[best].best.language}, nil
	}
	return poll[best].best, nil
}

// ballot is an answer and how many gave it.
type ballot struct {
	phrase string
	weight float64
	best   heard // of those who gave it, the surest
}

// count adds an answer to the others.
func count(poll []ballot, p piece, h heard) []ballot {
	weight := math.Exp(sharpness * h.logProb)
	if len(h.words) == 0 || h.lost || p.overfull(h) {
		weight, h = nothingSaid, heard{language: h.language}
	}
	said := phrase(h)
	for i := range poll {
		if b := &poll[i]; b.phrase == said {
			if b.weight += weight; h.logProb > b.best.logProb {
				b.best = h
			}
			return poll
		}
	}
	return append(poll, ballot{said, weight, h})
}
