package local

import (
	"strings"

	"hark/media/transcript"
	"hark/transcribe/lang"
)

// How long a segment may be: what is pleasant as a caption.
const (
	mostLetters = 200  // bytes of text
	mostMS      = 15e3 // milliseconds
	longPauseMS = 2000 // a silence that ends a segment whatever the punctuation
	shortWords  = 1    // a sentence of so few words joins its neighbour when close
	closeMS     = 300  // how close that is
)

// sentences divides words into segments: at the ends of sentences and at long
// silences, and where that leaves too much, at the best place inside.
func sentences(words []transcript.Word) []transcript.Segment {
	var segments []transcript.Segment
	start := 0
	for i := range words {
		if i+1 < len(words) && !endsSegment(words, start, i) {
			continue
		}
		for _, part := range divide(words[start : i+1]) {
			segments = append(segments, transcript.NewSegment(part))
		}
		start = i + 1
	}
	return segments
}

// endsSegment says whether a segment that begins with the word at start ends
// with the one at i.
func endsSegment(words []transcript.Word, start, i int) bool {
	gap := words[i+1].StartMS - words[i].EndMS
	if gap >= longPauseMS {
		return true
	}
	if !lang.EndsSentence(words[i].Text) || lang.Abbreviated(words[i].Text) {
		return false
	}
	return i-start >= shortWords || gap >= closeMS
}

// divide parts words that are too many for one segment: at the longest pause
// or after the clause nearest to the middle, again and again.
func divide(words []transcript.Word) [][]transcript.Word {
	letters := 0
	for _, w := range words {
		letters += len(w.Text) + 1
	}
	length := words[len(words)-1].EndMS - words[0].StartMS
	if len(words) < 4 || letters <= mostLetters && length <= mostMS {
		return [][]transcript.Word{words}
	}
	best, bestScore := len(words)/2, -1.0
	for i := 1; i < len(words); i++ {
		if score := breakScore(words, i, length); score > bestScore {
			best, bestScore = i, score
		}
	}
	return append(divide(words[:best:best]), divide(words[best:])...)
}

// breakScore says how good a place to break is before word i: a pause and a
// comma count, and the more so the nearer they are to the middle.
func breakScore(words []transcript.Word, i int, length int64) float64 {
	score := 0.1 + float64(min(words[i].StartMS-words[i-1].EndMS, 1000))/1000
	switch last := words[i-1].Text; {
	case strings.HasSuffix(last, ";"), strings.HasSuffix(last, ":"):
		score += 0.6
	case strings.HasSuffix(last, ","):
		score += 0.4
	}
	before := float64(words[i].StartMS-words[0].StartMS) / float64(max(length, 1))
	return score * min(before, 1-before)
}
