package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/cursor"
	"hark/storage/sqldb/search"
	"hark/storage/sqldb/search/query"
)

const (
	standardHits = 20 // a page
	mostHits     = 100
)

// searchPlace is a place in the hits of a search.
type searchPlace struct {
	search.Place
	Text string `json:"q,omitempty"` // the corrected query, if it was corrected
}

// Search finds messages by their titles and what is said in them, in the
// conversations that the principal is in. See package query for how the text is
// read; a text with nothing to look for is storage.ErrInvalidQuery, unless it is
// empty and the query is limited: that lists all messages within the limits, the
// newest first. Pages hold 20 hits unless asked otherwise, 100 at the most; of
// the hits in order of relevance only the newest 2,000 are ranked.
//
// When nothing is found, words that nobody said in those conversations are
// taken to be misspelt, and Results.Corrected says what was searched instead.
func (db *DB) Search(ctx context.Context, principal storage.Principal, q storage.Query) (storage.Results, error) {
	parsed, err := parse(q)
	if err != nil {
		return storage.Results{}, fmt.Errorf("search: %w", err)
	}
	no, seal, err := db.pages(ctx, principal)
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
		run := searchRun{session: s, seal: seal, workspaceNo: no, principal: principal, asked: q}
		results, err = run.search(ctx, parsed)
		return err
	})
	return results, err
}

// parse reads the words of a query. One that only lists has none.
func parse(q storage.Query) (query.Query, error) {
	if strings.TrimSpace(q.Text) == "" && q.Limited() {
		return query.Query{}, nil
	}
	return query.Parse(q.Text)
}

// searchRun is one search under way.
type searchRun struct {
	session
	seal        *cursor.Seal
	workspaceNo int64
	principal   storage.Principal
	asked       storage.Query
}

func (r searchRun) search(ctx context.Context, parsed query.Query) (storage.Results, error) {
	var after *searchPlace
	if r.asked.Page.Cursor != "" {
		after = new(searchPlace)
		if err := r.seal.Open(r.listName(), r.asked.Page.Cursor, after); err != nil {
			return storage.Results{}, err
		}
		if after.Text != "" {
			var err error
			if parsed, err = query.Parse(after.Text); err != nil {
				return storage.Results{}, errors.Join(storage.ErrBadCursor, err)
			}
		}
	}
	in, ok, err := r.scope(ctx)
	if err != nil {
		return storage.Results{}, err
	}
	var f search.Finding
	if ok {
		if f, err = search.Measure(ctx, r.Session, in.Scope, parsed); err != nil {
			return storage.Results{}, err
		}
	}
	if after != nil && ok {
		return r.page(ctx, in, f, after, after.Text)
	}
	var results storage.Results
	if ok {
		if results, err = r.page(ctx, in, f, nil, ""); err != nil {
			return storage.Results{}, err
		}
	}
	if !r.asked.Limited() {
		if results.Conversations, results.People, err = r.called(ctx, parsed); err != nil {
			return storage.Results{}, err
		}
	}
	if ok && len(results.Hits)+len(results.Conversations)+len(results.People) == 0 {
		return r.searchCorrected(ctx, in, f)
	}
	return results, nil
}

// searchCorrected searches what may have been meant, the likeliest first, and
// gives up when nothing of it is found.
func (r searchRun) searchCorrected(ctx context.Context, in scope, f search.Finding) (storage.Results, error) {
	if len(f.Query().Needed) == 0 {
		return storage.Results{}, nil
	}
	corrections, err := f.Corrections(ctx, r.Session)
	if err != nil {
		return storage.Results{}, err
	}
	for _, c := range corrections {
		corrected, err := search.Measure(ctx, r.Session, in.Scope, c)
		if err != nil {
			return storage.Results{}, err
		}
		results, err := r.page(ctx, in, corrected, nil, c.String())
		if err != nil || len(results.Hits) > 0 {
			return results, err
		}
	}
	return storage.Results{}, nil
}

// page returns the hits after a place, nil for the first. corrected is what
// the query was corrected to, empty if it was not.
func (r searchRun) page(ctx context.Context, in scope, f search.Finding, after *searchPlace, corrected string) (storage.Results, error) {
	if f.Hopeless() {
		return storage.Results{}, nil
	}
	limit := pageLimit(r.asked.Page, standardHits, mostHits)
	var start *search.Place
	if after != nil {
		start = &after.Place
	}
	var picked []search.Candidate
	var place search.Place
	var err error
	if r.asked.Sort == storage.Newest || len(f.Query().Needed) == 0 {
		picked, place, err = r.newest(ctx, in, f, start, limit+1)
	} else {
		picked, place, err = f.Best(ctx, r.Session, start, limit+1)
	}
	if err != nil {
		return storage.Results{}, err
	}
	results := storage.Results{Total: place.Total, Corrected: corrected}
	if len(picked) > limit {
		picked = picked[:limit]
		results.NextCursor, err = r.seal.Close(r.listName(), searchPlace{place.After(picked[limit-1]), corrected})
		if err != nil {
			return storage.Results{}, err
		}
	}
	results.Hits, err = r.hits(ctx, f, picked)
	return results, err
}

// newest returns up to limit hits in order of time.
func (r searchRun) newest(ctx context.Context, in scope, f search.Finding, after *search.Place, limit int) ([]search.Candidate, search.Place, error) {
	if after != nil {
		found, err := r.find(ctx, in, f, after.Doc, limit)
		return found, *after, err
	}
	found, err := r.find(ctx, in, f, 0, storage.MaxTotal+1)
	place := search.Place{Total: min(len(found), storage.MaxTotal)}
	return found[:min(len(found), limit)], place, err
}

// find returns the newest hits below a doc, 0 for all, newest first; all
// messages for no words.
func (r searchRun) find(ctx context.Context, in scope, f search.Finding, below int64, limit int) ([]search.Candidate, error) {
	if len(f.Query().Needed) == 0 {
		return r.everything(ctx, in, below, limit)
	}
	return f.Newest(ctx, r.Session, below, limit)
}

// listName names all that must be the same on every page.
func (r searchRun) listName() string {
	q := r.asked
	return fmt.Sprintf("search %s %q %q %q %s %s %q", r.principal.UserID, q.Text, q.Conversation, q.From,
		q.After.UTC().Format(time.RFC3339Nano), q.Before.UTC().Format(time.RFC3339Nano), q.Sort)
}

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

// mostCalled bounds the conversations and the people that a search names.
const mostCalled = 5

// called returns the conversations and the people that the words name, of those
// that the principal may see. A direct conversation without a title is called by
// who is in it, the principal apart.
func (r searchRun) called(ctx context.Context, q query.Query) ([]storage.Conversation, []storage.User, error) {
	conversations, err := r.calledConversations(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	people, err := r.calledPeople(ctx, q)
	return conversations, people, err
}

// calledConversations names the last active first.
func (r searchRun) calledConversations(ctx context.Context, q query.Query) ([]storage.Conversation, error) {
	var rows []struct{ ID, Title, Name string }
	seen := statement{text: `SELECT c.id, c.title, c.active_at, me.user_id AS me`}.with(visibleConversations(r.principal, r.workspaceNo))
	err := r.listAll(ctx, &rows, statement{text: `SELECT c.id, c.title, COALESCE(u.name, '') AS name FROM (`}.with(seen).and(`) c
		LEFT JOIN conversation_members other ON other.conversation_id = c.id AND c.title = '' AND other.user_id <> c.me
		LEFT JOIN users u ON u.id = other.user_id ORDER BY c.active_at DESC, c.id`))
	if err != nil {
		return nil, err
	}
	var ids []any
	for i := 0; i < len(rows) && len(ids) < mostCalled; {
		id, name := rows[i].ID, rows[i].Title
		for ; i < len(rows) && rows[i].ID == id; i++ {
			name += " " + rows[i].Name
		}
		if q.Calls(query.Tokens(name)) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var found []conversationRow
	err = r.listAll(ctx, &found, selectConversations(r.principal, r.workspaceNo).and(` AND c.id IN `+conn.Tuples(1, len(ids))+` ORDER BY c.active_at DESC, c.id`, ids...))
	var list []storage.Conversation
	for _, row := range found {
		list = append(list, row.conversation(r.principal.WorkspaceID))
	}
	return list, err
}

// calledPeople names people in the order in which they came.
func (r searchRun) calledPeople(ctx context.Context, q query.Query) ([]storage.User, error) {
	rows, err := r.usersKnown(ctx, r.workspaceNo, r.principal)
	var people []storage.User
	for _, row := range rows {
		if len(people) < mostCalled && q.Calls(query.Tokens(row.Name)) {
			people = append(people, row.user(r.principal.WorkspaceID))
		}
	}
	return people, err
}
