package moonshine

import (
	"bytes"
	"math"
	"strings"
	"unicode"

	"hark/media/transcript"
)

// wordTokens is a word and the tokens it was said with.
type wordTokens struct {
	text        string
	first, last int // indices of its tokens, inclusive
	end         int // index after the last token that is more than punctuation
}

// words joins tokens to words. A word begins after white space, wherever that
// stands; what is not valid UTF-8 is dropped, as are control characters.
func (v vocabulary) words(tokens []int) []wordTokens {
	var words []wordTokens
	var word []byte
	var first, last int
	end := func() {
		if text := printable(word); text != "" {
			words = append(words, wordTokens{text: modern(text), first: first, last: last, end: v.spoken(tokens, first, last)})
		}
		word = word[:0]
	}
	for i, token := range tokens {
		for _, b := range v[token] {
			if b == ' ' || '\t' <= b && b <= '\r' {
				end()
				continue
			}
			if len(word) == 0 {
				first = i
			}
			word = append(word, b)
			last = i
		}
	}
	end()
	return words
}

// spoken returns the index after the last token, of those from first to last,
// that is more than punctuation; never first itself.
func (v vocabulary) spoken(tokens []int, first, last int) int {
	for last > first && !v.isSpoken(tokens[last]) {
		last--
	}
	return last + 1
}

// isSpoken says whether a token is more than punctuation.
func (v vocabulary) isSpoken(token int) bool {
	return bytes.ContainsFunc(v[token], func(r rune) bool { return !unicode.IsPunct(r) && !unicode.IsSpace(r) })
}

// printable returns what of the bytes can be printed without white space.
func printable(word []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(word), ""))
}

// oldSpellings are words as old books have them, from which the models learnt
// to write so now and then. Nobody looks for them that way.
var oldSpellings = strings.NewReplacer("to-day", "today", "to-morrow", "tomorrow", "to-night", "tonight", "good-bye", "goodbye",
	"To-day", "Today", "To-morrow", "Tomorrow", "To-night", "Tonight", "Good-bye", "Goodbye")

// modern spells a word as is done today.
func modern(word string) string {
	if core := strings.TrimLeftFunc(word, unicode.IsPunct); strings.HasPrefix(core, "to-") || strings.HasPrefix(core, "To-") || strings.HasPrefix(strings.ToLower(core), "good-bye") {
		return oldSpellings.Replace(word)
	}
	return word
}

// result turns what was said into words with times within the sound.
func (m *Model) result(s *spoken, samples []float32) Result {
	result := Result{Tokens: s.tokens, Looped: s.looped, Truncated: s.truncated, Insisted: s.insisted}
	if len(s.tokens) == 0 {
		return result
	}
	var sum float64
	for _, p := range s.logProbs {
		sum += p
	}
	result.AvgLogProb = sum / float64(len(s.logProbs))
	words := m.vocab.words(s.tokens)
	if len(words) == 0 {
		return result
	}
	spans := align(&s.attention, words, samples)
	for i, w := range words {
		result.Words = append(result.Words, transcript.Word{
			Text: w.text, StartMS: spans[i].start, EndMS: spans[i].end,
			Confidence: m.confidence(s, w),
		})
	}
	return result
}

// confidence is the probability of a word given those before it: the product
// of its tokens'. Punctuation within and after it does not count, for a comma
// in doubt is no word in doubt.
func (m *Model) confidence(s *spoken, w wordTokens) float64 {
	sum := s.logProbs[w.first]
	for i := w.first + 1; i <= w.last; i++ {
		if m.vocab.isSpoken(s.tokens[i]) {
			sum += s.logProbs[i]
		}
	}
	return math.Exp(sum)
}
