package transcript

import (
	"strings"
	"unicode/utf8"
)

// Spread makes words of a text whose words have no times of their own, sharing
// the span from startMS to endMS among them by their length: the best guess
// there is without the sound. It returns nil for a text without words. A span
// that ends before it starts counts as empty.
func Spread(text string, startMS, endMS int64) []Word {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return nil
	}
	words := make([]Word, len(fields))
	for i, f := range fields {
		words[i].Text = f
	}
	SpreadTimes(words, startMS, endMS)
	return words
}

// SpreadTimes sets the times of words that have none, as [Spread] does. The
// words then lie back to back from startMS to endMS.
func SpreadTimes(words []Word, startMS, endMS int64) {
	span := float64(max(endMS-startMS, 0))
	var total, done int
	for _, w := range words {
		total += spokenLength(w.Text)
	}
	for i := range words {
		words[i].StartMS = startMS + int64(span*float64(done)/float64(total))
		done += spokenLength(words[i].Text)
		words[i].EndMS = startMS + int64(span*float64(done)/float64(total))
	}
}

// spokenLength is a word's share of the time: its letters, and one for the gap.
func spokenLength(word string) int {
	return utf8.RuneCountInString(word) + 1
}
