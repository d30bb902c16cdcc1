// Package query reads what people type into a search box, and folds what they
// said and what they type into the same tokens.
//
// Text goes through [AppendTokens] on both ways, into the index and into a
// [Query]; the databases see only tokens, so SQLite, Postgres and the
// highlighting in Go agree on what a word is. A query is bare words, all of
// which must be there, "phrases", prefix* and -without (also -"a phrase"). The
// last word always matches words that begin with it too, since nobody can tell
// whether it is still being typed: the same text finds the same, typed or read
// from a link. A closing quote ends that. Anything that can be typed is a query;
// only one with nothing to look for, or far too long, is refused.
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

	// Completed says that the last of Needed is a Prefix because it was typed
	// last, not because a star stands behind it.
	Completed bool
}

// Parse reads text. The error wraps [storage.ErrInvalidQuery].
func Parse(text string) (Query, error) {
	if n := utf8.RuneCountInString(text); n > MaxRunes {
		return Query{}, fmt.Errorf("%w: it has %d characters; at most %d are searched", storage.ErrInvalidQuery, n, MaxRunes)
	}
	var q Query
	open := false // whether the last term is one to complete
	for p := (parser{rest: []rune(strings.TrimSpace(text))}); p.next(); {
		if len(p.term.Words) == 0 {
			continue
		}
		open = p.open && !p.without
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
	last := q.Needed[len(q.Needed)-1]
	q.ignoreStopWords()
	if open && (!isStop(last) || len(q.Ignored) == 0) {
		q.complete()
	}
	return q, nil
}

func isStop(t Term) bool { return len(t.Words) == 1 && !t.Prefix && Stop(t.Words[0]) }

// complete makes the last term a prefix. Of one letter too many words begin.
func (q *Query) complete() {
	if last := &q.Needed[len(q.Needed)-1]; !last.Prefix && last.completable() {
		last.Prefix, q.Completed = true, true
	}
}

// Whole is the query without what a completed word may be the beginning of.
func (q Query) Whole() Query {
	if q.Completed {
		q.Needed = slices.Clone(q.Needed)
		q.Needed[len(q.Needed)-1].Prefix = false
		q.Completed = false
	}
	return q
}

// ignoreStopWords sets stop words aside, unless there is nothing else.
func (q *Query) ignoreStopWords() {
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

// String renders the query so that Parse reads it again as the same query.
// Ignored words are left out.
func (q Query) String() string {
	var needed, unwanted []string
	for _, t := range q.Needed {
		needed = append(needed, t.String())
	}
	for _, t := range q.Unwanted {
		unwanted = append(unwanted, "-"+t.String())
	}
	switch last := q.Needed[len(q.Needed)-1]; {
	case q.Completed:
		needed[len(needed)-1] = strings.Join(last.Words, "-")
		return strings.Join(append(unwanted, needed...), " ")
	case len(unwanted) == 0 && len(last.Words) == 1 && !last.Prefix && last.completable():
		needed[len(needed)-1] = `"` + last.Words[0] + `"`
	}
	return strings.Join(append(needed, unwanted...), " ")
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
	rest []rune

	term    Term // read by the last next
	without bool
	open    bool // neither a quote nor a star ends it
}

// next reads one term, which may come out without words; it returns false at the end.
func (p *parser) next() bool {
	for len(p.rest) > 0 && unicode.IsSpace(p.rest[0]) {
		p.rest = p.rest[1:]
	}
	if len(p.rest) == 0 {
		return false
	}
	p.without, p.open = false, false
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
	if p.open = end < 0; p.open {
		end = len(p.rest)
	}
	p.term = Term{Words: Tokens(string(p.rest[:end]))}
	p.rest = p.rest[min(end+1, len(p.rest)):]
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
	} else {
		p.open = true
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
