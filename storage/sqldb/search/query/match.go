package query

import (
	"slices"
	"strings"
)

// Span is the half-open range [Start, End) of tokens that a term matches.
type Span struct {
	Start, End int
}

// Match returns the first needed term that matches at token i, as the range of
// tokens that it covers. Of several, the longest wins.
func (q Query) Match(tokens []string, i int) (Span, bool) {
	best := Span{i, i}
	for _, t := range q.Needed {
		if end := i + len(t.Words); end > best.End && t.matches(tokens[i:]) {
			best.End = end
		}
	}
	return best, best.End > i
}

// matches says whether tokens begins with the term.
func (t Term) matches(tokens []string) bool {
	if len(tokens) < len(t.Words) {
		return false
	}
	last := len(t.Words) - 1
	for j, w := range t.Words {
		if tokens[j] != w && (j != last || !t.Prefix || !strings.HasPrefix(tokens[j], w)) {
			return false
		}
	}
	return true
}

// Calls says whether a name, by its tokens, is one that the query asks for: it
// has each needed term somewhere, and no unwanted one.
func (q Query) Calls(tokens []string) bool {
	has := func(t Term) bool {
		for i := range tokens {
			if t.matches(tokens[i:]) {
				return true
			}
		}
		return false
	}
	for _, t := range q.Needed {
		if !has(t) {
			return false
		}
	}
	return !slices.ContainsFunc(q.Unwanted, has)
}
