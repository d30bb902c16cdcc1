package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

// maxVector bounds the words of a tsvector in bytes; Postgres allows 1 MiB.
const maxVector = 900_000

// postgres keeps the index in a column of search_docs.
type postgres struct{}

func (postgres) index(ctx context.Context, s conn.Session, d document) error {
	_, err := s.Exec(ctx, `INSERT INTO search_docs (doc, workspace_no, conversation_no, author_no, recorded_at, tokens, repeats, terms, said)
		VALUES (?, ?, ?, ?, ?, ?, ?, CAST(? AS tsvector), ?)`, d.Doc, d.WorkspaceNo, d.ConversationNo, d.AuthorNo, d.RecordedAt,
		len(d.tokens), d.repeats, vector(d), " "+strings.Join(d.tokens, " ")+" ")
	return err
}

// vector renders the terms column. Tokens hold nothing that would need escaping.
func vector(d document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "'c:%d' 'u:%d'", d.ConversationNo, d.AuthorNo)
	for _, u := range slices.Concat(d.units, d.links) {
		if b.Len() > maxVector {
			break
		}
		b.WriteString(" '" + u + "'")
	}
	return b.String()
}

func (postgres) unindex(ctx context.Context, s conn.Session, condition string, args ...any) error {
	_, err := s.Exec(ctx, `DELETE FROM search_docs WHERE `+condition, args...)
	return err
}

// find has Postgres walk back from the newest message where hits are common,
// and gather all hits from the GIN index where they are not. Words that are
// common but hardly ever said together would make it walk back over the whole
// workspace: it gives up when it should long have found enough, and gathers the
// others.
//
// Postgres would choose for itself, but by statistics that know no rare words.
// ts_match_vq is what @@ calls, and uses no index; doc + 0 is an order that no
// index has.
func (p postgres) find(ctx context.Context, s conn.Session, f Finding, limit int) ([]Candidate, error) {
	if f.walk == 0 {
		return p.gather(ctx, s, f, limit)
	}
	end := min(f.below, f.last+1) - f.walk
	first, _ := Docs(f.scope.WorkspaceNo)
	found, err := p.walk(ctx, s, f, end, limit)
	if err != nil || len(found) == limit || end <= first {
		return found, err
	}
	f.below = end
	more, err := p.gather(ctx, s, f, limit-len(found))
	return append(found, more...), err
}

// walk returns hits down to the doc end.
func (postgres) walk(ctx context.Context, s conn.Session, f Finding, end int64, limit int) ([]Candidate, error) {
	return candidates(ctx, s, f, `doc >= ? AND ts_match_vq(terms, CAST(? AS tsquery))`, []any{end, matchTSQuery(f)}, `doc`, limit)
}

// gather returns hits however old they are.
func (postgres) gather(ctx context.Context, s conn.Session, f Finding, limit int) ([]Candidate, error) {
	return candidates(ctx, s, f, `terms @@ CAST(? AS tsquery)`, []any{matchTSQuery(f)}, `doc + 0`, limit)
}

// candidates lists the newest hits of those rows of search_docs that the conditions name.
func candidates(ctx context.Context, s conn.Session, f Finding, conditions string, args []any, order string, limit int) ([]Candidate, error) {
	among, nos := s.Among("conversation_no", f.scope.Conversations)
	conditions, args = conditions+` AND workspace_no = ? AND doc < ? AND `+among, append(args, f.scope.WorkspaceNo, f.below, nos)
	if f.scope.After != 0 {
		conditions, args = conditions+` AND recorded_at >= ?`, append(args, f.scope.After)
	}
	if f.scope.Before != 0 {
		conditions, args = conditions+` AND recorded_at < ?`, append(args, f.scope.Before)
	}
	conditions, args = appendPhrases(conditions, args, f.query.Needed, `said LIKE ?`, true)
	conditions, args = appendPhrases(conditions, args, f.query.Unwanted, `said NOT LIKE ?`, false)
	conditions, args = f.scope.shown("search_docs", conditions, args)
	var found []Candidate
	err := s.List(ctx, &found, `SELECT doc, tokens, repeats FROM search_docs
		WHERE `+conditions+` ORDER BY `+order+` DESC LIMIT ?`, append(args, limit)...)
	return found, err
}

// matchTSQuery renders a finding as a tsquery. It holds for every hit; phrases
// are then looked for in what holds.
func matchTSQuery(f Finding) string {
	var all []string
	for _, term := range f.query.Needed {
		for _, lexeme := range lexemes(term) {
			all = append(all, "'"+lexeme+"'")
		}
		if term.Prefix {
			all = append(all, "'"+term.Words[len(term.Words)-1]+"':*")
		}
	}
	for _, term := range f.query.Unwanted {
		if len(term.Words) == 1 && term.Prefix {
			all = append(all, "!'"+term.Words[0]+"':*")
		} else if len(term.Words) == 1 {
			all = append(all, "!'"+term.Words[0]+"'")
		}
	}
	if len(f.scope.Conversations) <= maxPlaces {
		places := make([]string, len(f.scope.Conversations))
		for i, no := range f.scope.Conversations {
			places[i] = fmt.Sprintf("'c:%d'", no)
		}
		all = append(all, "("+strings.Join(places, "|")+")")
	}
	if f.scope.AuthorNo != 0 {
		all = append(all, fmt.Sprintf("'u:%d'", f.scope.AuthorNo))
	}
	return strings.Join(all, "&")
}

// lexemes returns what stands in the terms of a message that has the term: a
// phrase's linked pairs, and its words that are in none. The last word of a
// prefix is not among them.
func lexemes(term query.Term) []string {
	whole := term.Words
	if term.Prefix {
		whole = whole[:len(whole)-1]
	}
	var list []string
	for i, w := range whole {
		before := i > 0 && linked(whole[i-1], w)
		if before {
			list = append(list, pair(whole[i-1], w))
		}
		if !before && (i+1 == len(whole) || !linked(w, whole[i+1])) {
			list = append(list, w)
		}
	}
	return list
}

// appendPhrases adds a condition for each phrase that its lexemes do not
// already decide.
func appendPhrases(conditions string, args []any, terms []query.Term, like string, decided bool) (string, []any) {
	for _, term := range terms {
		if len(term.Words) == 1 || decided && len(term.Words) == 2 && !term.Prefix && linked(term.Words[0], term.Words[1]) {
			continue
		}
		pattern := "% " + strings.Join(term.Words, " ") + " %"
		if term.Prefix {
			pattern = "% " + strings.Join(term.Words, " ") + "%"
		}
		conditions, args = conditions+` AND `+like, append(args, pattern)
	}
	return conditions, args
}
