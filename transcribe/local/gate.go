package local

import (
	"math"
	"strings"

	"hark/transcribe/lang"
	"hark/transcribe/local/vad"
)

// What a recogniser must show before its words are believed. Real words, down
// to a single letter on a telephone line, were heard with a mean log-probability
// above -1.2 in sound of which the detector was at least half sure.
const (
	leastLogProb = -1.5 // below: no clear speech gives that
	weakLogProb  = -0.9 // below: the detector must be sure
	sureSpeech   = 0.6  // mean probability of speech of which the detector is sure
	leastPeak    = 4e-4 // sound that never rises above this is the noise of a converter
	fewWords     = 3    // so few are what recognisers invent

	leastInvented = 8 // windows of speech that the shortest of those takes; a knock has fewer
)

// believed says whether what was heard in a piece was said by somebody, and
// not made up by a recogniser that was given noise, music or next to nothing.
func believed(rules *lang.Rules, p piece, h heard) bool {
	said := phrase(h)
	invented := rules.Invented(said)
	if strings.TrimSpace(said) == "" || vad.Peak(p.samples) < leastPeak {
		return false
	}
	sure := p.sureness() >= sureSpeech
	switch {
	case h.insisted && (!sure || invented):
		return false
	case invented && p.speechWindows() < leastInvented:
		return false
	case h.logProb < leastLogProb:
		return false
	case h.logProb < weakLogProb && !sure:
		return false
	case len(h.words) <= fewWords && invented:
		return sure || h.logProb > weakLogProb/3 && h.logProb < 0
	}
	return true
}

// sureness is the mean probability of speech where there is speech; 0 for a
// sound that stays the same, such as a hum or a tone, whatever the detector
// takes it for.
func (p piece) sureness() float32 {
	if p.steady() {
		return 0
	}
	var sum float32
	for _, s := range p.speech {
		for _, prob := range p.prob[s.from:min(s.to, len(p.prob))] {
			sum += prob
		}
	}
	return sum / float32(max(p.speechWindows(), 1))
}

// A sound is steady when its level, window by window, deviates by less than
// this from its mean, in dB. That of a voice does by eight or so.
const steadyDeviation = 1.5

// leastSteady is how many windows it takes to tell.
const leastSteady = 20

// steady says whether the sound where there is speech stays the same.
func (p piece) steady() bool {
	var n, sum, squares float64
	levels := p.levels()
	for _, s := range p.speech {
		for _, l := range levels[min(s.from, len(levels)):min(s.to, len(levels))] {
			level := 20 * math.Log10(max(float64(l), 1e-6))
			n, sum, squares = n+1, sum+level, squares+level*level
		}
	}
	return n >= leastSteady && squares/n-sum/n*sum/n < steadyDeviation*steadyDeviation
}

func phrase(h heard) string {
	var text []byte
	for i, w := range h.words {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(text, lang.Bare(w.Text)...)
	}
	return string(text)
}
