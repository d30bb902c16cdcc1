package openai

import (
	"strings"
	"unicode"
)

// alignWindow is how far ahead, in words, the two lists are searched for the
// next word they share.
const alignWindow = 8

// timedWord is a word of the server's list with its repaired time.
type timedWord struct {
	key        string // see wordKey
	start, end int64
	known      bool
	confidence float64
}

// timeWords reads the server's words. One whose times are missing or do not
// span anything stays in the list, without them: it still helps to align.
func timeWords(words []wireWord, length int64) []timedWord {
	out := make([]timedWord, 0, len(words))
	for _, w := range words {
		t := timedWord{key: wordKey(w.Word)}
		if t.key == "" {
			continue
		}
		start, ok1 := ms(w.Start, length)
		end, ok2 := ms(w.End, length)
		t.start, t.end, t.known = start, end, ok1 && ok2 && end > start
		if p := w.Probability; p.ok && p.value > 0 {
			t.confidence = min(p.value, 1)
		}
		out = append(out, t)
	}
	return out
}

// align gives the tokens of a text the times of the server's words. The two
// say the same, but not letter by letter: OpenAI's words come without
// punctuation, others split at hyphens and apostrophes. So both lists are
// walked to the next word they share, and what lies between in one shares the
// time of what lies between in the other.
func align(tokens []*token, words []timedWord) {
	keys := make([]string, len(tokens))
	for i, t := range tokens {
		keys[i] = wordKey(t.text)
	}
	for len(tokens) > 0 && len(words) > 0 {
		i, j, ok := nextShared(keys, words)
		if !ok { // different words: take them for one another, and go on
			share(tokens[:1], words[:1])
			tokens, keys, words = tokens[1:], keys[1:], words[1:]
			continue
		}
		share(tokens[:i], words[:j])
		share(tokens[i:i+1], words[j:j+1])
		tokens, keys, words = tokens[i+1:], keys[i+1:], words[j+1:]
	}
}

// nextShared finds the nearest word that is in both lists.
func nextShared(keys []string, words []timedWord) (i, j int, ok bool) {
	for sum := 0; sum <= 2*alignWindow; sum++ {
		for i := max(0, sum-alignWindow); i <= min(sum, alignWindow) && i < len(keys); i++ {
			if j := sum - i; j < len(words) && keys[i] != "" && keys[i] == words[j].key {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// share lays tokens over the time that words take, by length.
func share(tokens []*token, words []timedWord) {
	if len(tokens) == 0 || len(words) == 0 || !words[0].known || !words[len(words)-1].known {
		return
	}
	start, end := words[0].start, words[len(words)-1].end
	if end <= start {
		return
	}
	run := make([]token, len(tokens))
	for i, t := range tokens {
		run[i].text = t.text
	}
	spread(run, start, end)
	for i, t := range tokens {
		t.start, t.end, t.known = run[i].start, run[i].end, true
		t.confidence = least(words)
	}
}

// least is the confidence of the word the server is least sure of; 0 when it
// does not say.
func least(words []timedWord) float64 {
	c := words[0].confidence
	for _, w := range words {
		c = min(c, w.confidence)
	}
	return c
}

// wordKey is what two spellings of a word share: its letters and digits, in
// lower case.
func wordKey(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
}
