package search

import (
	"context"
	"fmt"
	"strings"

	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

// sqlite keeps the index in a table of FTS5.
type sqlite struct{}

func (sqlite) index(ctx context.Context, s conn.Session, d document) error {
	_, err := s.Exec(ctx, `INSERT INTO search_docs (doc, workspace_no, conversation_no, author_no, recorded_at, tokens, repeats)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, d.Doc, d.WorkspaceNo, d.ConversationNo, d.AuthorNo, d.RecordedAt, len(d.tokens), d.repeats)
	if err != nil {
		return err
	}
	_, err = s.Exec(ctx, `INSERT INTO search_index (rowid, body, place) VALUES (?, ?, ?)`,
		d.Doc, strings.Join(d.tokens, " "), fmt.Sprintf("c%d u%d", d.ConversationNo, d.AuthorNo))
	return err
}

func (sqlite) unindex(ctx context.Context, s conn.Session, condition string, args ...any) error {
	if _, err := s.Exec(ctx, `DELETE FROM search_index WHERE rowid IN (SELECT doc FROM search_docs WHERE `+condition+`)`, args...); err != nil {
		return err
	}
	_, err := s.Exec(ctx, `DELETE FROM search_docs WHERE `+condition, args...)
	return err
}

// find walks the index from the newest message of the workspace backwards and
// stops when it has enough. The CROSS JOIN keeps SQLite from walking
// search_docs instead.
func (sqlite) find(ctx context.Context, s conn.Session, f Finding, limit int) ([]Candidate, error) {
	first, _ := Docs(f.scope.WorkspaceNo)
	among, nos := s.Among("d.conversation_no", f.scope.Conversations)
	conditions, args := among, []any{matchFTS5(f), first, f.below - 1, nos}
	if f.scope.After != 0 {
		conditions, args = conditions+` AND d.recorded_at >= ?`, append(args, f.scope.After)
	}
	if f.scope.Before != 0 {
		conditions, args = conditions+` AND d.recorded_at < ?`, append(args, f.scope.Before)
	}
	conditions, args = f.scope.shown("d", conditions, args)
	var found []Candidate
	err := s.List(ctx, &found, `SELECT d.doc, d.tokens, d.repeats FROM search_index i CROSS JOIN search_docs d
		WHERE i.search_index MATCH ? AND i.rowid BETWEEN ? AND ? AND d.doc = i.rowid AND `+conditions+`
		ORDER BY i.rowid DESC LIMIT ?`, append(args, limit)...)
	return found, err
}

// matchFTS5 renders a finding in the query language of FTS5. Tokens hold
// nothing that could end a string there.
func matchFTS5(f Finding) string {
	match := `body : ` + joinFTS5(f.query.Needed, " AND ")
	if len(f.query.Unwanted) > 0 {
		match = `body : (` + joinFTS5(f.query.Needed, " AND ") + ` NOT ` + joinFTS5(f.query.Unwanted, " OR ") + `)`
	}
	if len(f.scope.Conversations) <= maxPlaces {
		places := make([]string, len(f.scope.Conversations))
		for i, no := range f.scope.Conversations {
			places[i] = fmt.Sprintf(`"c%d"`, no)
		}
		match += ` AND place : (` + strings.Join(places, " OR ") + `)`
	}
	if f.scope.AuthorNo != 0 {
		match += fmt.Sprintf(` AND place : "u%d"`, f.scope.AuthorNo)
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
