package search

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hark/storage/sqldb/codec"
	"hark/storage/sqldb/search/query"
)

const (
	maxIndexed = 250_000 // tokens of one message that are indexed: more than a day of speech
	maxRepeats = 100     // words of one message whose count is kept for ranking
)

// document is a message as the index takes it.
type document struct {
	Message

	tokens  []string
	units   []string // the distinct tokens, and pairs of stop words that follow each other; sorted
	links   []string // the distinct other pairs of which one is a stop word; sorted
	repeats string   // " word:count" of the tokens said more than once, the most frequent first
}

// titleEnd stands between a title and what was said, so that no phrase is found
// across. Nobody can look for it: letters of private use are no words.
const titleEnd = "\ue000"

// newDocument folds a title, and the words of a transcript's blob; nil for a
// message without one.
func newDocument(m Message, title string, body []byte) document {
	d := document{Message: m}
	if d.tokens = query.Tokens(title); len(d.tokens) > 0 {
		d.tokens = append(d.tokens, titleEnd)
	}
	words, _ := codec.Open(body) // what is damaged has none
	for word := range bytes.SplitSeq(words.Text(), []byte(" ")) {
		if len(d.tokens) < maxIndexed {
			d.tokens = query.AppendTokens(d.tokens, string(word))
		}
	}
	counts, links := map[string]int{}, map[string]bool{}
	for i, token := range d.tokens {
		if token == titleEnd {
			continue
		}
		counts[token]++
		if i == 0 || d.tokens[i-1] == titleEnd {
			continue
		}
		before := d.tokens[i-1]
		switch {
		case query.Stop(before) && query.Stop(token):
			counts[pair(before, token)] = 1
		case linked(before, token):
			links[pair(before, token)] = true
		}
	}
	d.links = slices.Sorted(maps.Keys(links))
	d.units = slices.Sorted(maps.Keys(counts))
	d.repeats = repeats(counts)
	return d
}

// pair is the unit that stands for two stop words that follow each other. A
// phrase of stop words, each of which is in most messages, is found by those.
func pair(a, b string) string { return a + " " + b }

// linked says whether the pair of two tokens is in the index of Postgres, which
// knows no positions.
func linked(a, b string) bool { return query.Stop(a) || query.Stop(b) }

func isPair(unit string) bool { return strings.Contains(unit, " ") }

// repeats renders the words that are said more than once. It is what ranking
// reads of each hit, so it is kept short.
func repeats(counts map[string]int) string {
	var words []string
	for w, n := range counts {
		if n > 1 {
			words = append(words, w)
		}
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var b strings.Builder
	for _, w := range words[:min(len(words), maxRepeats)] {
		b.WriteString(" " + w + ":" + strconv.Itoa(counts[w]))
	}
	return b.String()
}

// saidTimes returns how often repeats has the word, or a word that begins with it;
// 1 when it is not there.
func saidTimes(repeats, word string, prefix bool) int {
	at := strings.Index(repeats, " "+word)
	for at >= 0 {
		rest := repeats[at+1+len(word):]
		name, _, _ := strings.Cut(rest, " ")
		tail, count, _ := strings.Cut(name, ":")
		if n, err := strconv.Atoi(count); err == nil && (tail == "" || prefix) {
			return n
		}
		next := strings.Index(rest, " "+word)
		if next < 0 {
			break
		}
		at += 1 + len(word) + next
	}
	return 1
}
