package local

import (
	"unicode/utf8"

	"hark/media/transcript"
	"hark/transcribe/lang"
	"hark/transcribe/local/vad"
)

// How much sure speech a word explains, in seconds: few people draw one out
// for longer, and a figure stands for as many words as it has digits.
const (
	wordAtLeast = 0.5
	perLetter   = 0.1
	perDigit    = 0.4
)

// mostUnexplained is how many seconds of speech may be explained by no word of
// an answer that is believed to be all that was said.
const mostUnexplained = 1.0

// unexplained returns, window by window, where the detector is sure that
// somebody speaks and h has no word that takes that long.
func (p piece) unexplained(h heard) []bool {
	open := make([]bool, len(p.prob))
	for _, s := range p.speech {
		for w := s.from; w < min(s.to, len(open)); w++ {
			open[w] = p.prob[w] >= vad.Sure
		}
	}
	for _, word := range h.words {
		left := explains(word)
		from, to := windowAt(word.StartMS), windowAt(word.EndMS)+1
		// A word is heard somewhat earlier or later than it is spoken.
		for w := max(from-slack, 0); w < min(to+slack, len(open)) && left > 0; w++ {
			if open[w] {
				open[w] = false
				left--
			}
		}
	}
	return open
}

// slack is how many windows a word's time may be off.
const slack = 4

func windowAt(ms int64) int { return int(ms * sampleRate / 1000 / vad.WindowSamples) }

// explains is how many windows of speech a word takes at the most.
func explains(w transcript.Word) int {
	seconds := wordAtLeast
	for _, r := range w.Text {
		if r >= '0' && r <= '9' {
			seconds += perDigit
		} else if r < utf8.RuneSelf {
			seconds += perLetter
		} else {
			seconds += 2 * perLetter
		}
	}
	return int(seconds * sampleRate / vad.WindowSamples)
}

// missing is how many seconds of sure speech h does not explain.
func (p piece) missing(h heard) float64 {
	n := 0
	for _, open := range p.unexplained(h) {
		if open {
			n++
		}
	}
	return float64(n*vad.WindowSamples) / sampleRate
}

// mostLettersPerSec is how many letters a second nobody says.
const mostLettersPerSec = 28

// overfull says whether an answer is more than can be said in the piece.
func (p piece) overfull(h heard) bool {
	letters := 0
	for _, w := range h.words {
		letters += len(lang.Bare(w.Text))
	}
	return float64(letters-8) > mostLettersPerSec*float64(p.speechWindows()*vad.WindowSamples)/sampleRate
}
