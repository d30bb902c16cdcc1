package sqldb

import (
	"context"

	"hark/storage"
	"hark/storage/sqldb/codec"
)

// listedRow is a conversation with what was sent into it last.
type listedRow struct {
	conversationRow
	LastID         string           `db:"last_id"` // empty means that nothing was
	LastAuthorID   string           `db:"last_author_id"`
	LastAuthorName string           `db:"last_author_name"`
	LastAuthorNo   int64            `db:"last_author_no"`
	LastAuthorKind storage.UserKind `db:"last_author_kind"`
	LastTitle      string           `db:"last_title"`
	LastCreatedAt  int64            `db:"last_created_at"`
	LastDurationMS int64            `db:"last_duration_ms"`
	LastHead       []byte           `db:"last_head"` // of the transcript's blob
}

// withLastMessage puts what was sent last beside conversations that a query
// selects as selectConversations does: a lookup in an index for each of them,
// so the query should be of one page.
func withLastMessage(conversations statement) statement {
	return statement{text: `SELECT c.*, COALESCE(m.id, '') AS last_id, COALESCE(m.author_id, '') AS last_author_id, COALESCE(u.name, '') AS last_author_name, COALESCE(u.no, 0) AS last_author_no, COALESCE(u.kind, '') AS last_author_kind,
		COALESCE(m.title, '') AS last_title, COALESCE(m.sent_at, 0) AS last_created_at, COALESCE(m.duration_ms, 0) AS last_duration_ms,
		SUBSTR(t.body, 1, 320) AS last_head
		FROM (`}.with(conversations).and(`) c
		LEFT JOIN messages m ON m.doc = (SELECT s.doc FROM messages s WHERE s.conversation_id = c.id AND s.state <> 'recording' AND s.sent_at >= c.shown_since ORDER BY s.doc DESC LIMIT 1)
		LEFT JOIN users u ON u.id = m.author_id
		LEFT JOIN transcripts t ON t.message_id = m.id AND t.version = m.transcript_version`)
}

func (r listedRow) conversation(workspaceID string) storage.Conversation {
	c := r.conversationRow.conversation(workspaceID)
	if r.LastID != "" {
		c.LastMessage = &storage.LastMessage{
			ID: r.LastID, AuthorID: r.LastAuthorID, AuthorName: r.LastAuthorName, AuthorNo: r.LastAuthorNo, AuthorKind: r.LastAuthorKind, Title: r.LastTitle,
			FirstWords: codec.FirstWords(r.LastHead), DurationMS: r.LastDurationMS, CreatedAt: fromMS(r.LastCreatedAt),
		}
	}
	return c
}

// listedConversation reads a conversation with what was sent into it last.
func (s session) listedConversation(ctx context.Context, workspaceNo int64, principal storage.Principal, id string) (row listedRow, err error) {
	err = s.getOne(ctx, &row, withLastMessage(selectConversations(principal, workspaceNo).and(` AND c.id = ?`, id)))
	return row, err
}
