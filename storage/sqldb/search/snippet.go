package search

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/sqldb/search/query"
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

// excerpt holds the words around the first match.
type excerpt struct {
	query  query.Query
	words  []transcript.Word
	tokens []string
	owner  []int // the index in words of the word that a token is of

	before, after bool // whether there are others before these words, and after
}

// add takes one more word.
func (e *excerpt) add(w transcript.Word) {
	e.tokens = query.AppendTokens(e.tokens, w.Text)
	for len(e.owner) < len(e.tokens) {
		e.owner = append(e.owner, len(e.words))
	}
	e.words = append(e.words, w)
}

// hit describes the match whose first word is words[first]. Its message is
// left empty.
func (e *excerpt) hit(first int) storage.Hit {
	if len(e.words) == 0 {
		return storage.Hit{}
	}
	last := first
	for i, owner := range e.owner {
		if owner == first {
			if span, ok := e.query.Match(e.tokens, i); ok {
				last = e.owner[span.End-1]
				break
			}
		}
	}
	from := max(0, min(first-snippetLead, len(e.words)-snippetWords))
	to := min(len(e.words), from+snippetWords)
	return storage.Hit{StartMS: e.words[first].StartMS, EndMS: e.words[last].EndMS, Snippet: e.snippet(from, to)}
}

// opening is the hit of a message in which no match is said: it was found by
// its title, or listed.
func (e *excerpt) opening() storage.Hit {
	return storage.Hit{Snippet: e.snippet(0, min(len(e.words), snippetWords))}
}

// TitleMarks says what of a title matches.
func TitleMarks(q query.Query, title string) []storage.Mark {
	e := excerpt{query: q}
	for word := range strings.SplitSeq(title, " ") {
		e.add(transcript.Word{Text: word})
	}
	return e.snippet(0, len(e.words)).Marks
}

// snippet joins the words from..to and marks what matches among them. Where
// there are more it has an ellipsis.
func (e *excerpt) snippet(from, to int) storage.Snippet {
	texts := make([]string, to-from)
	starts := make([]int, to-from) // of each word in the snippet, in code points
	lead, at := "", 0
	if e.before || from > 0 {
		lead, at = storage.Ellipsis, utf8.RuneCountInString(storage.Ellipsis)
	}
	for i := range texts {
		texts[i], starts[i] = e.words[from+i].Text, at
		at += utf8.RuneCountInString(texts[i]) + 1
	}
	s := storage.Snippet{Text: lead + strings.Join(texts, " ")}
	if from < to {
		s.StartMS = e.words[from].StartMS
	}
	if e.after || to < len(e.words) {
		s.Text = storage.WithEllipsis(s.Text)
	}
	for i := 0; i < len(e.tokens); i++ {
		if e.owner[i] < from || e.owner[i] >= to {
			continue
		}
		span, ok := e.query.Match(e.tokens, i)
		if !ok {
			continue
		}
		i = span.End - 1
		begin, end := e.owner[span.Start]-from, min(e.owner[i], to-1)-from
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
