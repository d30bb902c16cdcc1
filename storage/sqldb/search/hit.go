package search

import (
	"hark/storage"
	"hark/storage/sqldb/codec"
	"hark/storage/sqldb/search/query"
)

// Spot finds the first match in a transcript's blob, which may be nil, and
// cuts the snippet around it. Without a match the snippet is the beginning: the
// words stand in the title, or past what is indexed. The hit's message is left
// empty.
func Spot(q query.Query, body []byte) (storage.Hit, error) {
	if body == nil {
		return storage.Hit{}, nil
	}
	words, err := codec.Open(body)
	if err != nil {
		return storage.Hit{}, err
	}
	text := words.Text()
	first, found := 0, false
	if len(q.Needed) > 0 {
		first, found = firstMatch(q, text)
	}
	skipped := max(0, first-snippetWords)
	words.Skip(skipped)
	e := excerpt{query: q, before: skipped > 0}
	for range first - skipped + snippetWords + longestTerm(q) {
		w, ok := words.Next()
		if !ok {
			break
		}
		e.add(w)
	}
	if words.Damaged() || len(e.words) <= first-skipped && len(text) > 0 {
		return storage.Hit{}, codec.ErrDamaged
	}
	if e.after = len(words.Text()) > 0; !found {
		return e.opening(), nil
	}
	return e.hit(first - skipped), nil
}
