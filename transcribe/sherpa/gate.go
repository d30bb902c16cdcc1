package sherpa

// What a recogniser must show before its words are believed. Real words, down
// to a single letter on a telephone line, were heard with a mean log-probability
// above -1.2 in sound of which the detector was at least half sure.
const (
	leastLogProb = -1.5 // below: no clear speech gives that
	weakLogProb  = -0.9 // below: the detector must be sure
	sureSpeech   = 0.6  // mean probability of speech of which the detector is sure
	leastPeak    = 4e-4 // sound that never rises above this is the noise of a converter
	fewWords     = 3    // so few are what recognisers invent
)

// invented lists what recognisers that were trained on films say to noise.
var invented = map[string]bool{
	"you": true, "thank you": true, "thanks for watching": true, "thank you for watching": true,
	"bye": true, "so": true, "okay": true, "oh": true, "uh": true, "um": true, "hmm": true, "mm": true,
}

// believed says whether what was heard in a piece was said by somebody, and
// not made up by a recogniser that was given noise, music or next to nothing.
func believed(p piece, h heard) bool {
	if len(h.words) == 0 || peakOf(p.samples) < leastPeak {
		return false
	}
	sure := p.sureness() >= sureSpeech
	switch {
	case h.logProb < leastLogProb:
		return false
	case h.logProb < weakLogProb && !sure:
		return false
	case len(h.words) <= fewWords && invented[phrase(h)]:
		return sure || h.logProb > weakLogProb/3 && h.logProb < 0
	}
	return true
}

// sureness is the mean probability of speech where there is speech.
func (p piece) sureness() float32 {
	var sum float32
	for _, s := range p.speech {
		for _, prob := range p.prob[s.from:min(s.to, len(p.prob))] {
			sum += prob
		}
	}
	return sum / float32(max(p.speechWindows(), 1))
}

func phrase(h heard) string {
	var text []byte
	for i, w := range h.words {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(text, bareWord(w.Text)...)
	}
	return string(text)
}
