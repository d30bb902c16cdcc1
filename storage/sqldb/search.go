package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/storage"
	"hark/storage/sqldb/query"
)

const (
	standardHits = 20 // a page
	mostHits     = 100
)

// searchPlace is a place in the hits of a search.
type searchPlace struct {
	Below   int64   `json:"b"`           // messages from here on came after the first page
	Weights []int64 `json:"w,omitempty"` // what the terms weighed on the first page
	Score   int64   `json:"s,omitempty"` // of the last hit shown
	Doc     int64   `json:"d"`           // of the last hit shown
	Total   int     `json:"t"`
	Text    string  `json:"q,omitempty"` // the corrected query, if it was corrected
}

// Search finds messages by what is said in them, in the conversations that the
// actor is in. See package query for how the text is read; a text with nothing
// to look for is storage.ErrInvalidQuery. Pages hold 20 hits unless asked
// otherwise, 100 at the most; of the hits in order of relevance only the newest
// 2,000 are ranked.
//
// When nothing is found, words that nobody said in those conversations are
// taken to be misspelt, and Results.Corrected says what was searched instead.
func (db *DB) Search(ctx context.Context, actor storage.Actor, q storage.Query) (storage.Results, error) {
	parsed, err := query.Parse(q.Text, q.CompleteLast)
	if err != nil {
		return storage.Results{}, fmt.Errorf("search: %w", err)
	}
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return storage.Results{}, err
	}
	seal, err := db.cursors(ctx)
	if err != nil {
		return storage.Results{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	select {
	case db.searching <- struct{}{}:
		defer func() { <-db.searching }()
	case <-ctx.Done():
		return storage.Results{}, fmt.Errorf("search: wait for others: %w", context.Cause(ctx))
	}
	var results storage.Results
	err = db.read(ctx, "search", func(ctx context.Context, s session) error {
		run := searchRun{session: s, seal: seal, workspaceNo: no, actor: actor, asked: q}
		results, err = run.search(ctx, parsed)
		return err
	})
	return results, err
}

// searchRun is one search under way.
type searchRun struct {
	session
	seal        *cursorSeal
	workspaceNo int64
	actor       storage.Actor
	asked       storage.Query
}

func (r searchRun) search(ctx context.Context, parsed query.Query) (storage.Results, error) {
	var after *searchPlace
	if r.asked.Page.Cursor != "" {
		after = new(searchPlace)
		if err := r.seal.open(r.listName(), r.asked.Page.Cursor, after); err != nil {
			return storage.Results{}, err
		}
		if after.Text != "" {
			var err error
			if parsed, err = query.Parse(after.Text, false); err != nil {
				return storage.Results{}, errors.Join(storage.ErrBadCursor, err)
			}
		}
	}
	f, ok, err := r.finding(ctx, r.workspaceNo, r.actor, r.asked, parsed)
	if err != nil || !ok {
		return storage.Results{}, err
	}
	if after != nil {
		return r.page(ctx, f, after, after.Text)
	}
	results, err := r.page(ctx, f, nil, "")
	if err != nil || len(results.Hits) > 0 {
		return results, err
	}
	return r.searchCorrected(ctx, f)
}

// searchCorrected searches what may have been meant, the likeliest first, and
// gives up when nothing of it is found.
func (r searchRun) searchCorrected(ctx context.Context, f finding) (storage.Results, error) {
	corrections, err := r.corrections(ctx, f)
	if err != nil {
		return storage.Results{}, err
	}
	for _, c := range corrections {
		f.query = c
		if err := r.measure(ctx, &f); err != nil {
			return storage.Results{}, err
		}
		results, err := r.page(ctx, f, nil, c.String())
		if err != nil || len(results.Hits) > 0 {
			return results, err
		}
	}
	return storage.Results{}, nil
}

// page returns the hits after a place, nil for the first. corrected is what
// the query was corrected to, empty if it was not.
func (r searchRun) page(ctx context.Context, f finding, after *searchPlace, corrected string) (storage.Results, error) {
	limit := pageLimit(r.asked.Page, standardHits, mostHits)
	var picked []candidate
	var place searchPlace
	var err error
	if r.asked.Sort == storage.Newest {
		picked, place, err = r.newest(ctx, f, after, limit)
	} else {
		picked, place, err = r.best(ctx, f, after, limit)
	}
	if err != nil {
		return storage.Results{}, err
	}
	results := storage.Results{Total: place.Total, Corrected: corrected}
	if len(picked) > limit {
		picked = picked[:limit]
		place.Text, place.Doc, place.Score = corrected, picked[limit-1].Doc, picked[limit-1].score
		if results.NextCursor, err = r.seal.close(r.listName(), place); err != nil {
			return storage.Results{}, err
		}
	}
	results.Hits, err = r.hits(ctx, f, picked)
	return results, err
}

// newest returns one hit more than limit, if there is one, in order of time.
func (r searchRun) newest(ctx context.Context, f finding, after *searchPlace, limit int) ([]candidate, searchPlace, error) {
	if after != nil {
		f.below = after.Doc
		found, err := r.dialect.find(ctx, r.session, f, limit+1)
		return found, *after, err
	}
	found, err := r.dialect.find(ctx, r.session, f, storage.MaxTotal+1)
	place := searchPlace{Total: min(len(found), storage.MaxTotal)}
	return found[:min(len(found), limit+1)], place, err
}

// best returns one hit more than limit, if there is one, in order of rank.
func (r searchRun) best(ctx context.Context, f finding, after *searchPlace, limit int) ([]candidate, searchPlace, error) {
	var place searchPlace
	if after != nil {
		place = *after
		f.below = place.Below
	} else {
		place.Weights = f.weights()
	}
	if len(place.Weights) != len(f.query.Needed) {
		return nil, place, storage.ErrBadCursor
	}
	found, err := r.dialect.find(ctx, r.session, f, window)
	if err != nil || len(found) == 0 {
		return nil, place, err
	}
	place.Below, place.Total = found[0].Doc+1, min(len(found), storage.MaxTotal)
	f.rank(found, place.Weights)
	from := 0
	if after != nil {
		last := candidate{score: after.Score, Doc: after.Doc}
		for from < len(found) && compareRank(found[from], last) <= 0 {
			from++
		}
	}
	return found[from:min(len(found), from+limit+1)], place, nil
}

// listName names all that must be the same on every page.
func (r searchRun) listName() string {
	q := r.asked
	return fmt.Sprintf("search %s %q %q %q %s %s %q %t", r.actor.UserID, q.Text, q.Conversation, q.From,
		q.After.UTC().Format(time.RFC3339Nano), q.Before.UTC().Format(time.RFC3339Nano), q.Sort, q.CompleteLast)
}
