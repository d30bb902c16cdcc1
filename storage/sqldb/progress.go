package sqldb

import (
	"context"

	"hark/storage"
)

// SaveProgress keeps how far the attempt is with its message, 0 to 1, for who
// asks, and returns the event that is to pass, for who listens, without its
// data. It keeps no event. storage.ErrStale when the attempt is over, or the message is ready
// without it, so that nobody sees a message that is done go back.
func (db *DB) SaveProgress(ctx context.Context, task storage.Task, fraction float64) (passing storage.Event, err error) {
	err = db.write(ctx, "save progress", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `UPDATE messages SET progress = ? WHERE id = ? AND state <> ? AND EXISTS
			(SELECT 1 FROM jobs WHERE id = ? AND attempt = ? AND state = 'running')`,
			min(max(fraction, 0), 1), task.MessageID, storage.Ready, task.ID, task.Attempt)
		if err == nil && n == 0 {
			return storage.ErrStale
		}
		if err != nil {
			return err
		}
		var m messageRef
		err = t.Get(ctx, &m, `SELECT id, conversation_id, author_id, sent_at IS NULL AS draft, COALESCE(sent_at, 0) AS sent_at FROM messages WHERE id = ?`, task.MessageID)
		passing = storage.Event{
			WorkspaceID: task.WorkspaceID, Type: storage.MessageProgress, ConversationID: m.ConversationID, MessageID: m.ID, At: t.now, SentAt: m.SentAt,
		}
		if m.Draft {
			passing.OnlyFor = m.AuthorID
		}
		return err
	})
	return passing, err
}
