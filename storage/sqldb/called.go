package sqldb

import (
	"context"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search/query"
)

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
