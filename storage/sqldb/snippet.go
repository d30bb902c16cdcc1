package sqldb

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"hark/storage"
	"hark/storage/sqldb/query"
	"hark/transcribe"
)

const (
	snippetWords = 14 // in a snippet, where the message has as many
	snippetLead  = 4  // of them before the first match
)

// firstMatch returns the index of the first word in text at which a needed
// term matches. Text is words separated by single spaces.
func firstMatch(q query.Query, text []byte) (word int, found bool) {
	const enough = 512 // tokens to keep at the most
	longest := longestTerm(q)
	var tokens []string
	var owner []int // the index of the word that a token is of
	for at, read := 0, 0; ; read++ {
		next, rest, more := bytes.Cut(text, []byte(" "))
		text = rest
		tokens = query.AppendTokens(tokens, string(next))
		for len(owner) < len(tokens) {
			owner = append(owner, read)
		}
		for ; at < len(tokens) && (!more || at+longest <= len(tokens)); at++ {
			if _, ok := q.Match(tokens, at); ok {
				return owner[at], true
			}
		}
		if !more {
			return 0, false
		}
		if len(tokens) > enough {
			tokens = append(tokens[:0], tokens[at:]...)
			owner = append(owner[:0], owner[at:]...)
			at = 0
		}
	}
}

func longestTerm(q query.Query) int {
	longest := 1
	for _, t := range q.Needed {
		longest = max(longest, len(t.Words))
	}
	return longest
}

// listener holds the words around the first match.
type listener struct {
	query  query.Query
	heard  []transcribe.Word
	tokens []string
	owner  []int // the index in heard of the word that a token is of
}

// hear takes one more word.
func (l *listener) hear(w transcribe.Word) {
	l.tokens = query.AppendTokens(l.tokens, w.Text)
	for len(l.owner) < len(l.tokens) {
		l.owner = append(l.owner, len(l.heard))
	}
	l.heard = append(l.heard, w)
}

// hit describes the match whose first word is heard[first]. Its message is
// left empty.
func (l *listener) hit(first int) storage.Hit {
	if len(l.heard) == 0 {
		return storage.Hit{}
	}
	last := first
	for i, owner := range l.owner {
		if owner == first {
			if span, ok := l.query.Match(l.tokens, i); ok {
				last = l.owner[span.End-1]
				break
			}
		}
	}
	from := max(0, min(first-snippetLead, len(l.heard)-snippetWords))
	to := min(len(l.heard), from+snippetWords)
	return storage.Hit{StartMS: l.heard[first].StartMS, EndMS: l.heard[last].EndMS, Snippet: l.snippet(from, to)}
}

// snippet joins the words from..to and marks what matches among them.
func (l *listener) snippet(from, to int) storage.Snippet {
	texts := make([]string, to-from)
	starts := make([]int, to-from) // of each word in the snippet, in code points
	at := 0
	for i := range texts {
		texts[i], starts[i] = l.heard[from+i].Text, at
		at += utf8.RuneCountInString(texts[i]) + 1
	}
	s := storage.Snippet{Text: strings.Join(texts, " "), StartMS: l.heard[from].StartMS}
	for i := 0; i < len(l.tokens); i++ {
		if l.owner[i] < from || l.owner[i] >= to {
			continue
		}
		span, ok := l.query.Match(l.tokens, i)
		if !ok {
			continue
		}
		i = span.End - 1
		begin, end := l.owner[span.Start]-from, min(l.owner[i], to-1)-from
		mark := storage.Mark{Start: starts[begin], End: starts[end]}
		lead, _ := trimmed(texts[begin])
		_, length := trimmed(texts[end])
		mark.Start += lead
		mark.End += length
		if n := len(s.Marks); n > 0 && mark.Start < s.Marks[n-1].End { // two matches in one word
			s.Marks[n-1].End = max(s.Marks[n-1].End, mark.End)
			continue
		}
		s.Marks = append(s.Marks, mark)
	}
	return s
}

// trimmed says where a word's letters and digits begin, and where they end, in
// code points: punctuation around a word is not highlighted.
func trimmed(word string) (begin, end int) {
	begin = -1
	i := 0
	for _, r := range word {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			if begin < 0 {
				begin = i
			}
			end = i + 1
		}
		i++
	}
	return max(begin, 0), end
}
