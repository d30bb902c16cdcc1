package search

import (
	"cmp"
	"context"
	"slices"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

// Place is a place in hits that are ranked. Its zero value is before the first.
type Place struct {
	Below   int64   `json:"b"`           // messages from here on came after the first page
	Weights []int64 `json:"w,omitempty"` // what the terms weighed on the first page
	Score   int64   `json:"s,omitempty"` // of the last hit shown
	Doc     int64   `json:"d"`           // of the last hit shown
	Total   int     `json:"t"`
}

// After is the place behind a hit.
func (p Place) After(c Candidate) Place {
	p.Doc, p.Score = c.Doc, c.score
	return p
}

// Newest returns the newest hits below a doc, newest first, at most limit of
// them; below 0 means all.
func (f Finding) Newest(ctx context.Context, s conn.Session, below int64, limit int) ([]Candidate, error) {
	if below != 0 {
		f.below = below
	}
	return indexOf(s).find(ctx, s, f, limit)
}

// Best returns the hits after a place, nil for the first, in order of rank, at
// most limit of them. The place that it returns is that of the first page. A
// place of another query is storage.ErrBadCursor.
func (f Finding) Best(ctx context.Context, s conn.Session, after *Place, limit int) ([]Candidate, Place, error) {
	var place Place
	if after != nil {
		place = *after
		f.below = place.Below
	} else {
		place.Weights = f.weights()
	}
	if len(place.Weights) != len(f.query.Needed) {
		return nil, place, storage.ErrBadCursor
	}
	found, err := f.window(ctx, s)
	if err != nil || len(found) == 0 {
		return nil, place, err
	}
	place.Below, place.Total = newestOf(found)+1, min(len(found), storage.MaxTotal)
	f.rank(found, place.Weights)
	from := 0
	if after != nil {
		last := Candidate{score: after.Score, Doc: after.Doc}
		for from < len(found) && compareRank(found[from], last) <= 0 {
			from++
		}
	}
	return found[from:min(len(found), from+limit)], place, nil
}

// window returns the newest hits, which are ranked. Those with the last word as
// it was typed are among them even if many newer ones have longer words that
// begin with it.
func (f Finding) window(ctx context.Context, s conn.Session) ([]Candidate, error) {
	found, err := indexOf(s).find(ctx, s, f, window)
	if err != nil || !f.query.Completed {
		return found, err
	}
	if f, err = f.asking(ctx, s, f.query.Whole()); err != nil {
		return nil, err
	}
	whole, err := indexOf(s).find(ctx, s, f, window)
	at := make(map[int64]int, len(found))
	for i, c := range found {
		at[c.Doc] = i
	}
	for _, c := range whole {
		i, there := at[c.Doc]
		if !there {
			i, found = len(found), append(found, c)
		}
		found[i].whole = true
	}
	return found, err
}

func newestOf(found []Candidate) int64 {
	return slices.MaxFunc(found, func(a, b Candidate) int { return cmp.Compare(a.Doc, b.Doc) }).Doc
}
