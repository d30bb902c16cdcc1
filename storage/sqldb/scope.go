package sqldb

import (
	"context"

	"hark/storage"
	"hark/storage/sqldb/search"
)

// scope is where a search looks, as the index and as the records have it.
type scope struct {
	search.Scope
	conversation string // the id of the one asked for; empty means all of the principal's
	author       string // a user's id; empty means anybody
}

// add has the search look into a conversation, as far back as it is shown.
func (in *scope) add(no, shownSince int64) {
	in.Conversations = append(in.Conversations, no)
	if shownSince > 0 {
		if in.ShownSince == nil {
			in.ShownSince = map[int64]int64{}
		}
		in.ShownSince[no] = shownSince
	}
}

// scope resolves what the query names, as far as the principal may see it. It
// returns false when there is nothing to look through.
func (r searchRun) scope(ctx context.Context) (in scope, ok bool, err error) {
	in.WorkspaceNo, in.Reader, in.After, in.Before = r.workspaceNo, r.principal.UserID, toMS(r.asked.After), toMS(r.asked.Before)
	if r.asked.Conversation != "" {
		row, err := r.conversation(ctx, r.workspaceNo, r.principal, r.asked.Conversation)
		if err != nil {
			return in, false, err
		}
		in.conversation = row.ID
		in.add(row.No, row.ShownSince)
	} else {
		var rows []conversationRow
		err := r.listAll(ctx, &rows, statement{text: `SELECT c.no, me.shown_since`}.with(visibleConversations(r.principal, r.workspaceNo)))
		if err != nil || len(rows) == 0 {
			return in, false, err
		}
		for _, row := range rows {
			in.add(row.No, row.ShownSince)
		}
	}
	if r.asked.From != "" {
		var authors []int64
		err := r.List(ctx, &authors, `SELECT no FROM users WHERE id = ? AND workspace_no = ?`, r.asked.From, r.workspaceNo)
		if err != nil || len(authors) == 0 {
			return in, false, err
		}
		in.author, in.AuthorNo = r.asked.From, authors[0]
	}
	return in, true, nil
}

// everything lists the messages of a scope below a doc, 0 for all, whatever is
// said in them, the newest first. What is being spoken is not among them, nor
// are drafts. The CROSS JOIN keeps SQLite from looking through the members
// first.
func (r searchRun) everything(ctx context.Context, in scope, below int64, limit int) ([]search.Candidate, error) {
	first, end := search.Docs(in.WorkspaceNo)
	if below != 0 {
		end = below
	}
	within := statement{text: `SELECT m.doc FROM messages m CROSS JOIN `}.with(visible(r.principal)).
		and(` me WHERE me.conversation_id = m.conversation_id AND (m.sent_at >= me.shown_since OR m.author_id = me.user_id) AND m.doc >= ? AND m.doc < ? AND m.workspace_no = ? AND m.state <> ? AND m.sent_at IS NOT NULL`,
			first, end, in.WorkspaceNo, storage.Recording)
	if in.conversation != "" {
		within = within.and(` AND m.conversation_id = ?`, in.conversation)
	}
	if in.author != "" {
		within = within.and(` AND m.author_id = ?`, in.author)
	}
	if in.After != 0 {
		within = within.and(` AND m.recorded_at >= ?`, in.After)
	}
	if in.Before != 0 {
		within = within.and(` AND m.recorded_at < ?`, in.Before)
	}
	var found []search.Candidate
	err := r.listAll(ctx, &found, within.and(` ORDER BY m.doc DESC LIMIT ?`, limit))
	return found, err
}
