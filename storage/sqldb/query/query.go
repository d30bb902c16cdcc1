// Package query reads what people type into a search box, and folds what they
// said and what they type into the same tokens.
//
// Text goes through [AppendTokens] on both ways, into the index and into a
// [Query]; the databases see only tokens, so SQLite, Postgres and the
// highlighting in Go agree on what a word is. A query is bare words, all of
// which must be there, "phrases", prefix* and -without (also -"a phrase").
// Anything that can be typed is a query; only one with nothing to look for, or
// far too long, is refused.
//
// Limits: scripts that write no spaces (Chinese, Japanese, Thai) are one token
// from one separator to the next, so there a search finds whole stretches or
// their beginnings only. The stop words are English.
package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hark/storage"
)

// The bounds of a query.
const (
	MaxRunes  = 500 // code points
	MaxTerms  = 16
	minPrefix = 2 // code points of a word that may be completed
)

// Term is a word or a phrase.
type Term struct {
	Words  []string // tokens that follow each other; never empty
	Prefix bool     // the last token is only the beginning of a word
}

// Query is what to look for. Needed is never empty: a message is a hit if it
// has each needed term and no unwanted one.
type Query struct {
	Needed   []Term
	Unwanted []Term

	// Ignored are stop words that were typed beside better words; they are
	// neither looked for nor highlighted.
	Ignored []Term
}

// Parse reads text. With completeLast, a last word that no space or quote ends
// matches as a prefix too. The error wraps [storage.ErrInvalidQuery].
func Parse(text string, completeLast bool) (Query, error) {
	if n := utf8.RuneCountInString(text); n > MaxRunes {
		return Query{}, fmt.Errorf("%w: it has %d characters; at most %d are searched", storage.ErrInvalidQuery, n, MaxRunes)
	}
	var q Query
	for p := (parser{rest: []rune(text), completeLast: completeLast}); p.next(); {
		if len(p.term.Words) == 0 {
			continue
		}
		if p.without {
			q.Unwanted = append(q.Unwanted, p.term)
		} else {
			q.Needed = append(q.Needed, p.term)
		}
	}
	if n := len(q.Needed) + len(q.Unwanted); n > MaxTerms {
		return Query{}, fmt.Errorf("%w: it has %d terms; at most %d are searched", storage.ErrInvalidQuery, n, MaxTerms)
	}
	if len(q.Needed) == 0 {
		return Query{}, fmt.Errorf("%w: it has no word to look for", storage.ErrInvalidQuery)
	}
	q.ignoreStopWords()
	return q, nil
}

// ignoreStopWords sets stop words aside, unless there is nothing else.
func (q *Query) ignoreStopWords() {
	isStop := func(t Term) bool { return len(t.Words) == 1 && !t.Prefix && Stop(t.Words[0]) }
	if !slices.ContainsFunc(q.Needed, func(t Term) bool { return !isStop(t) }) {
		return
	}
	var kept []Term
	for _, t := range q.Needed {
		if isStop(t) {
			q.Ignored = append(q.Ignored, t)
		} else {
			kept = append(kept, t)
		}
	}
	q.Needed = kept
}

// String renders the query so that Parse (without completion) reads it again
// as the same query. Ignored words are left out.
func (q Query) String() string {
	var parts []string
	for _, t := range q.Needed {
		parts = append(parts, t.String())
	}
	for _, t := range q.Unwanted {
		parts = append(parts, "-"+t.String())
	}
	return strings.Join(parts, " ")
}

// String renders the term as it would be typed.
func (t Term) String() string {
	switch {
	case t.Prefix:
		return strings.Join(t.Words, "-") + "*"
	case len(t.Words) > 1:
		return `"` + strings.Join(t.Words, " ") + `"`
	}
	return t.Words[0]
}

// parser walks over what was typed, a term at a time.
type parser struct {
	rest         []rune
	completeLast bool

	term    Term // read by the last next
	without bool
}

// next reads one term, which may come out without words; it returns false at the end.
func (p *parser) next() bool {
	for len(p.rest) > 0 && unicode.IsSpace(p.rest[0]) {
		p.rest = p.rest[1:]
	}
	if len(p.rest) == 0 {
		return false
	}
	p.without = false
	if p.rest[0] == '-' {
		p.without = true
		p.rest = p.rest[1:]
	}
	if len(p.rest) > 0 && isQuote(p.rest[0]) {
		p.phrase()
	} else {
		p.word()
	}
	return true
}

func (p *parser) phrase() {
	p.rest = p.rest[1:]
	end := slices.IndexFunc(p.rest, isQuote)
	open := end < 0
	if open {
		end = len(p.rest)
	}
	p.term = Term{Words: Tokens(string(p.rest[:end]))}
	p.rest = p.rest[min(end+1, len(p.rest)):]
	if open {
		p.complete(end)
	}
}

func (p *parser) word() {
	end := slices.IndexFunc(p.rest, func(r rune) bool { return unicode.IsSpace(r) || isQuote(r) })
	if end < 0 {
		end = len(p.rest)
	}
	typed := string(p.rest[:end])
	p.rest = p.rest[end:]
	p.term = Term{Words: Tokens(typed)}
	if strings.HasSuffix(typed, "*") {
		p.term.Prefix = p.term.completable()
	}
	p.complete(end)
}

// complete makes the term a prefix when its last word is the one being typed.
func (p *parser) complete(typed int) {
	if p.completeLast && len(p.rest) == 0 && typed > 0 && !p.without {
		p.term.Prefix = p.term.completable()
	}
}

func (t Term) completable() bool {
	return len(t.Words) > 0 && utf8.RuneCountInString(t.Words[len(t.Words)-1]) >= minPrefix
}

func isQuote(r rune) bool {
	switch r {
	case '"', '“', '”', '„', '«', '»', '＂':
		return true
	}
	return false
}
