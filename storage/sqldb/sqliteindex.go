package sqldb

import (
	"context"
	"fmt"
	"strings"

	"hark/storage/sqldb/query"
)

func (sqlite) index(ctx context.Context, s session, d document) error {
	_, err := s.exec(ctx, `INSERT INTO search_docs (doc, workspace_no, conversation_no, author_no, recorded_at, tokens, repeats)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, d.doc, d.workspaceNo, d.conversationNo, d.authorNo, d.recordedAt, len(d.tokens), d.repeats)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO search_index (rowid, body, place) VALUES (?, ?, ?)`,
		d.doc, strings.Join(d.tokens, " "), fmt.Sprintf("c%d u%d", d.conversationNo, d.authorNo))
	return err
}

func (sqlite) unindex(ctx context.Context, s session, condition string, args ...any) error {
	if _, err := s.exec(ctx, `DELETE FROM search_index WHERE rowid IN (SELECT doc FROM search_docs WHERE `+condition+`)`, args...); err != nil {
		return err
	}
	_, err := s.exec(ctx, `DELETE FROM search_docs WHERE `+condition, args...)
	return err
}

// find walks the index from the newest message of the workspace backwards and
// stops when it has enough. The CROSS JOIN keeps SQLite from walking
// search_docs instead.
func (sqlite) find(ctx context.Context, s session, f finding, limit int) ([]candidate, error) {
	among, nos := f.among(s, "d.conversation_no")
	conditions, args := among, []any{matchFTS5(f), f.workspaceNo << docBits, f.below - 1, nos}
	if f.after != 0 {
		conditions, args = conditions+` AND d.recorded_at >= ?`, append(args, f.after)
	}
	if f.before != 0 {
		conditions, args = conditions+` AND d.recorded_at < ?`, append(args, f.before)
	}
	var found []candidate
	err := s.list(ctx, &found, `SELECT d.doc, d.tokens, d.repeats FROM search_index i CROSS JOIN search_docs d
		WHERE i.search_index MATCH ? AND i.rowid BETWEEN ? AND ? AND d.doc = i.rowid AND `+conditions+`
		ORDER BY i.rowid DESC LIMIT ?`, append(args, limit)...)
	return found, err
}

// matchFTS5 renders a finding in the query language of FTS5. Tokens hold
// nothing that could end a string there.
func matchFTS5(f finding) string {
	match := `body : ` + joinFTS5(f.query.Needed, " AND ")
	if len(f.query.Unwanted) > 0 {
		match = `body : (` + joinFTS5(f.query.Needed, " AND ") + ` NOT ` + joinFTS5(f.query.Unwanted, " OR ") + `)`
	}
	if len(f.conversations) <= maxPlaces {
		places := make([]string, len(f.conversations))
		for i, no := range f.conversations {
			places[i] = fmt.Sprintf(`"c%d"`, no)
		}
		match += ` AND place : (` + strings.Join(places, " OR ") + `)`
	}
	if f.authorNo != 0 {
		match += fmt.Sprintf(` AND place : "u%d"`, f.authorNo)
	}
	return match
}

func joinFTS5(terms []query.Term, operator string) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = `"` + strings.Join(t.Words, " ") + `"`
		if t.Prefix {
			parts[i] += `*`
		}
	}
	return `(` + strings.Join(parts, operator) + `)`
}
