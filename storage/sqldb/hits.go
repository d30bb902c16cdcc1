package sqldb

import (
	"context"
	"fmt"

	"hark/storage"
	"hark/storage/sqldb/query"
)

// hits loads the picked messages and finds in them where the words are said.
func (r searchRun) hits(ctx context.Context, f finding, picked []candidate) ([]storage.Hit, error) {
	if len(picked) == 0 {
		return nil, nil
	}
	args := []any{r.actor.UserID, r.workspaceNo}
	for _, c := range picked {
		args = append(args, c.Doc)
	}
	var rows []struct {
		messageRow
		Body []byte
	}
	err := r.list(ctx, &rows, `SELECT `+messageColumns+`, (SELECT t.body FROM transcripts t
		WHERE t.message_id = m.id AND t.version = m.transcript_version) AS body `+fromMessages+` AND m.doc IN `+tuples(1, len(picked)), args...)
	if err != nil {
		return nil, err
	}
	byDoc := make(map[int64]storage.Hit, len(rows))
	for _, row := range rows {
		hit, err := spotHit(f.query, row.Body)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", row.ID, err)
		}
		hit.Message = row.message()
		byDoc[row.Doc] = hit
	}
	var hits []storage.Hit
	for _, c := range picked {
		if hit, there := byDoc[c.Doc]; there { // it may have been deleted meanwhile
			hits = append(hits, hit)
		}
	}
	return hits, nil
}

// spotHit finds the first match in a transcript's blob and cuts the snippet
// around it. Without a match, which takes a transcript that is longer than
// what is indexed, the snippet is the beginning.
func spotHit(q query.Query, body []byte) (storage.Hit, error) {
	text, times, _, err := splitBody(body)
	if err != nil {
		return storage.Hit{}, err
	}
	first, _ := firstMatch(q, text)
	words := wordReader{text: text, times: times}
	skipped := max(0, first-snippetWords)
	words.skip(skipped)
	l := listener{query: q}
	for range first - skipped + snippetWords + longestTerm(q) {
		w, ok := words.next()
		if !ok {
			break
		}
		l.hear(w)
	}
	if words.bad || len(l.heard) <= first-skipped && len(text) > 0 {
		return storage.Hit{}, errBody
	}
	return l.hit(first - skipped), nil
}
