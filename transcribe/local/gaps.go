package local

import (
	"hark/media/transcript"
	"hark/transcribe/local/vad"
)

// When speech that was not understood is reported.
const (
	sureGap  = 0.75 // mean probability of speech: music and wind stay below
	leastGap = 16   // windows of it, half a second
	joinGap  = 15   // windows between two stretches that are reported as one
)

// gapsOf are the stretches of a piece in which somebody surely speaks and
// nothing was understood, with times from the clip's start. taken says whether
// what was heard is in the transcript.
func gapsOf(p piece, h heard, taken bool) []transcript.Gap {
	if p.sureness() < sureGap {
		return nil
	}
	if taken && p.missing(h) <= mostUnexplained {
		return nil
	}
	if !taken {
		h = heard{}
	}
	var gaps []transcript.Gap
	var sure, quiet int
	var open span
	end := func() {
		if sure >= leastGap {
			gaps = append(gaps, transcript.Gap{
				StartMS: (p.at + int64(open.from)*vad.WindowSamples) * 1000 / sampleRate,
				EndMS:   (p.at + int64(open.to)*vad.WindowSamples) * 1000 / sampleRate,
				Reason:  transcript.NotUnderstood,
			})
		}
		sure = 0
	}
	for w, unexplained := range p.unexplained(h) {
		switch {
		case unexplained && sure == 0:
			open, sure, quiet = span{w, w + 1}, 1, 0
		case unexplained:
			open.to, sure, quiet = w+1, sure+1, 0
		case sure > 0:
			if quiet++; quiet > joinGap || p.prob[w] >= vad.Sure { // a word explains it
				end()
			}
		}
	}
	end()
	return gaps
}

// When the language of a clip is in doubt: the mean log-probability of what
// was said in it.
const (
	foreignLogProb = -0.45
	leastToTell    = 2.5 // seconds of sure speech to tell by
)

// doubt gathers how well the model understands a clip.
type doubt struct {
	sum, seconds float64
}

// hear counts a piece.
func (d *doubt) hear(p piece, h heard) {
	if p.sureness() < sureSpeech || len(h.words) == 0 || h.logProb == 0 {
		return
	}
	seconds := float64(p.speechWindows()*vad.WindowSamples) / sampleRate
	d.sum += h.logProb * seconds
	d.seconds += seconds
}

// foreign says whether the clip is probably in another language than the
// model's.
func (d *doubt) foreign() bool {
	return d.seconds >= leastToTell && d.sum/d.seconds < foreignLogProb
}
