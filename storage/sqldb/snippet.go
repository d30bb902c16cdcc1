package sqldb

import (
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

// listener goes through the words of a message until it has heard the first
// match and the words around it.
type listener struct {
	query query.Query
	words wordReader

	heard  []transcribe.Word
	tokens []string
	owner  []int // the index in heard of the word that a token is of

	found bool
	first query.Span // the first match, in tokens
}

// listen reads as many words as the snippet needs.
func (l *listener) listen() {
	longest := 1
	for _, t := range l.query.Needed {
		longest = max(longest, len(t.Words))
	}
	for at := 0; !l.found; {
		more := l.read()
		for ; !l.found && at < len(l.tokens) && (!more || at+longest <= len(l.tokens)); at++ {
			l.first, l.found = l.query.Match(l.tokens, at)
		}
		if !more {
			return
		}
	}
	enough := l.owner[l.first.Start] + snippetWords + longest
	for len(l.heard) < enough && l.read() {
		continue
	}
}

// read hears one more word; false at the end.
func (l *listener) read() bool {
	w, ok := l.words.next()
	if !ok {
		return false
	}
	l.tokens = query.AppendTokens(l.tokens, w.Text)
	for len(l.owner) < len(l.tokens) {
		l.owner = append(l.owner, len(l.heard))
	}
	l.heard = append(l.heard, w)
	return true
}

// hit describes what was heard. Its message is left empty.
func (l *listener) hit() storage.Hit {
	if len(l.heard) == 0 {
		return storage.Hit{}
	}
	first, last := 0, 0
	if l.found {
		first, last = l.owner[l.first.Start], l.owner[l.first.End-1]
	}
	from := max(0, min(first-snippetLead, len(l.heard)-snippetWords))
	to := min(len(l.heard), from+snippetWords)
	hit := storage.Hit{StartMS: l.heard[first].StartMS, EndMS: l.heard[last].EndMS}
	hit.Snippet = l.snippet(from, to)
	return hit
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
