package sqldb

import (
	"context"
	"fmt"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search"
)

// hits loads the picked messages and finds in them where the words are said.
func (r searchRun) hits(ctx context.Context, f search.Finding, picked []search.Candidate) ([]storage.Hit, error) {
	if len(picked) == 0 {
		return nil, nil
	}
	var docs []any
	for _, c := range picked {
		docs = append(docs, c.Doc)
	}
	var rows []struct {
		messageRow
		Body []byte
	}
	err := r.listAll(ctx, &rows, statement{text: `SELECT ` + messageColumns + `, (SELECT t.body FROM transcripts t
		WHERE t.message_id = m.id AND t.version = m.transcript_version) AS body`}.
		with(visibleMessages(r.principal, r.workspaceNo)).and(` AND m.doc IN `+conn.Tuples(1, len(docs)), docs...))
	if err != nil {
		return nil, err
	}
	byDoc := make(map[int64]storage.Hit, len(rows))
	for _, row := range rows {
		hit, err := search.Spot(f.Query(), row.Body)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", row.ID, err)
		}
		hit.Message, hit.TitleMarks = row.message(), search.TitleMarks(f.Query(), row.Title)
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
