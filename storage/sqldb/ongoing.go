package sqldb

import (
	"context"

	"hark/storage"
)

// OngoingRecordings lists who is recording in a conversation that the principal is
// in, the first to begin first. A recording whose node has fallen silent is not
// among them. Nothing is told of the messages that they become.
func (db *DB) OngoingRecordings(ctx context.Context, principal storage.Principal, conversationID string) (list []storage.OngoingRecording, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		UserID   string           `db:"user_id"`
		UserName string           `db:"user_name"`
		UserNo   int64            `db:"user_no"`
		UserKind storage.UserKind `db:"user_kind"`
		BegunAt  int64            `db:"begun_at"`
		PausedAt int64            `db:"paused_at"`
	}
	err = db.read(ctx, "list ongoing recordings", func(ctx context.Context, s session) error {
		if _, err := s.conversation(ctx, no, principal, conversationID); err != nil {
			return err
		}
		return s.List(ctx, &rows, `SELECT u.id AS user_id, u.name AS user_name, u.no AS user_no, u.kind AS user_kind, r.begun_at, r.paused_at
			FROM recordings r JOIN messages m ON m.id = r.message_id JOIN users u ON u.id = m.author_id
			WHERE r.workspace_no = ? AND m.conversation_id = ? AND r.lease_until >= (SELECT `+s.NowSQL()+`) ORDER BY r.begun_at, r.message_id`,
			no, conversationID)
	})
	for _, r := range rows {
		list = append(list, storage.OngoingRecording{
			UserID: r.UserID, UserName: r.UserName, UserNo: r.UserNo, UserKind: r.UserKind, StartedAt: fromMS(r.BegunAt), PausedAt: fromMS(r.PausedAt),
		})
	}
	return list, err
}

// PauseRecording notes that the speaker of a node's recording has paused, or
// goes on. Said again, it changes nothing. It fails with storage.ErrStale when
// the node does not have the recording any more.
func (db *DB) PauseRecording(ctx context.Context, id, node string, paused bool) error {
	return db.write(ctx, "pause recording", func(ctx context.Context, t *tx) error {
		var before int64
		if err := t.Get(ctx, &before, `SELECT paused_at FROM recordings WHERE message_id = ? AND node = ?`, id, node); err != nil {
			return staleUnless(err)
		}
		if before > 0 == paused {
			return nil
		}
		var at int64
		if paused {
			at = toMS(t.now)
		}
		_, err := t.Exec(ctx, `UPDATE recordings SET paused_at = ? WHERE message_id = ? AND node = ?`, at, id, node)
		return err
	})
}
