package sqldb

import (
	"context"

	"hark/storage"
	"hark/transcribe/pipeline"
)

// SaveProgress keeps how far the attempt is with its message, 0 to 1, for who
// asks, and returns the message's conversation, for who listens. It makes no
// event. storage.ErrStale when the attempt is over, or the message is ready
// without it, so that nobody sees a message that is done go back.
func (db *DB) SaveProgress(ctx context.Context, task pipeline.Task, fraction float64) (conversationID string, err error) {
	err = db.write(ctx, "save progress", func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `UPDATE messages SET progress = ? WHERE id = ? AND state <> ? AND EXISTS
			(SELECT 1 FROM jobs WHERE id = ? AND attempt = ? AND state = 'running')`,
			min(max(fraction, 0), 1), task.MessageID, storage.Ready, task.JobID, task.Attempt)
		if err == nil && n == 0 {
			return storage.ErrStale
		}
		if err != nil {
			return err
		}
		return t.get(ctx, &conversationID, `SELECT conversation_id FROM messages WHERE id = ?`, task.MessageID)
	})
	return conversationID, err
}
