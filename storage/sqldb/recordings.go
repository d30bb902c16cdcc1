package sqldb

import (
	"context"
	"time"

	"hark/storage"
)

// recordingRow is a recording that is not finished.
type recordingRow struct {
	MessageID      string `db:"message_id"`
	WorkspaceID    string `db:"workspace_id"`
	ConversationID string `db:"conversation_id"`
	AuthorID       string `db:"author_id"`
	OriginalKey    string `db:"original_key"`
	Node           string
	LeaseUntil     int64 `db:"lease_until"`
	BegunAt        int64 `db:"begun_at"`
	Captions       storage.CaptionAudience
}

const selectRecordings = `SELECT r.message_id, w.id AS workspace_id, m.conversation_id, m.author_id, m.original_key,
	r.node, r.lease_until, r.begun_at, r.captions
	FROM recordings r JOIN messages m ON m.id = r.message_id JOIN workspaces w ON w.no = r.workspace_no `

func (r recordingRow) recording() storage.LiveRecording {
	return storage.LiveRecording{
		MessageID: r.MessageID, WorkspaceID: r.WorkspaceID, ConversationID: r.ConversationID, AuthorID: r.AuthorID,
		OriginalKey: r.OriginalKey, Node: r.Node, LeaseUntil: fromMS(r.LeaseUntil), BegunAt: fromMS(r.BegunAt), Captions: r.Captions,
	}
}

// BeginRecording records that the principal begins to speak a message: it is
// listed as recording from now on, among the messages of its conversation or,
// as a draft, among the drafts of the principal. What it is a reply to, and that the principal is
// in the conversation, is checked as for a clip. It has no job until it is
// finished.
func (db *DB) BeginRecording(ctx context.Context, principal storage.Principal, r storage.NewRecording) (msg storage.Message, err error) {
	err = db.changeBy(ctx, "begin recording", principal, func(ctx context.Context, t *tx) error {
		if err := storage.CheckRecording(r); err != nil {
			return err
		}
		if _, err := t.speakable(ctx, principal, r.ConversationID); err != nil {
			return err
		}
		n, err := t.next(ctx, "last_message", 1)
		if err != nil {
			return err
		}
		err = t.insertMessage(ctx, principal, storage.NewMessage{
			ID: r.ID, ConversationID: r.ConversationID, Draft: r.Draft, Original: storage.Original{Key: r.OriginalKey},
		}, n, storage.Recording)
		if err != nil {
			return err
		}
		if !r.Unsent {
			if err := t.noteActivity(ctx, r.ConversationID); err != nil {
				return err
			}
		}
		_, err = t.Exec(ctx, `INSERT INTO recordings (message_id, workspace_no, node, lease_until, begun_at, captions) VALUES (?, ?, ?, ?, ?, ?)`,
			r.ID, t.workspaceNo, r.Node, toMS(t.now.Add(r.Lease)), toMS(t.now), r.Captions)
		if err != nil {
			return err
		}
		row, err := t.message(ctx, t.workspaceNo, principal, r.ID)
		msg = row.message()
		return err
	})
	return msg, err
}

// RenewRecordings keeps all recordings of a node for it, and returns their
// messages' ids. One that is not among them is not the node's any more: its
// message was deleted, or another node has it.
func (db *DB) RenewRecordings(ctx context.Context, node string, lease time.Duration) (held []string, err error) {
	err = db.write(ctx, "renew recordings", func(ctx context.Context, t *tx) error {
		held = nil
		return t.List(ctx, &held, `UPDATE recordings SET lease_until = ? WHERE node = ? RETURNING message_id`, toMS(t.now.Add(lease)), node)
	})
	return held, err
}

// RecordingsOf returns the recordings that a node has, the oldest first: at its
// start, those that it left behind.
func (db *DB) RecordingsOf(ctx context.Context, node string) ([]storage.LiveRecording, error) {
	return db.recordings(ctx, "list recordings of a node", `WHERE r.node = ? ORDER BY r.begun_at, r.message_id`, node)
}

// LostRecordings returns up to limit recordings whose lease ended longer ago
// than silent, the longest lost first.
func (db *DB) LostRecordings(ctx context.Context, silent time.Duration, limit int) ([]storage.LiveRecording, error) {
	return db.recordings(ctx, "list lost recordings", `WHERE r.lease_until < (SELECT `+db.conn.Dialect().NowSQL()+`) - ? ORDER BY r.lease_until, r.message_id LIMIT ?`, silent.Milliseconds(), limit)
}

func (db *DB) recordings(ctx context.Context, op, condition string, args ...any) ([]storage.LiveRecording, error) {
	var rows []recordingRow
	err := db.read(ctx, op, func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, selectRecordings+condition, args...)
	})
	list := make([]storage.LiveRecording, len(rows))
	for i, r := range rows {
		list[i] = r.recording()
	}
	return list, err
}

// ClaimRecording gives a recording to a node. Of several that claim it from the
// same node at once, one gets it. It fails with storage.ErrBusy when fromNode
// does not have it any more, or has renewed its lease, and with
// storage.ErrNotFound when it is finished or deleted. A node may claim its own,
// to make sure that it still has it.
func (db *DB) ClaimRecording(ctx context.Context, id, fromNode, node string, lease time.Duration) (storage.LiveRecording, error) {
	var row recordingRow
	err := db.write(ctx, "claim recording", func(ctx context.Context, t *tx) error {
		n, err := t.Exec(ctx, `UPDATE recordings SET node = ?, lease_until = ? WHERE message_id = ? AND node = ? AND (node = ? OR lease_until <= ?)`,
			node, toMS(t.now.Add(lease)), id, fromNode, node, toMS(t.now))
		if err != nil {
			return err
		}
		if err := t.Get(ctx, &row, selectRecordings+`WHERE r.message_id = ?`, id); err != nil {
			return err
		}
		if n == 0 {
			return storage.ErrBusy
		}
		return nil
	})
	if err != nil {
		return storage.LiveRecording{}, err
	}
	return row.recording(), nil
}

// OngoingRecordings lists who is recording in a conversation that the principal is
// in, the first to begin first. A recording whose node has fallen silent is not
// among them. Nothing is told of the messages that they become.
func (db *DB) OngoingRecordings(ctx context.Context, principal storage.Principal, conversationID string) (list []storage.OngoingRecording, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		UserID   string `db:"user_id"`
		UserName string `db:"user_name"`
		UserNo   int64  `db:"user_no"`
		BegunAt  int64  `db:"begun_at"`
		PausedAt int64  `db:"paused_at"`
	}
	err = db.read(ctx, "list ongoing recordings", func(ctx context.Context, s session) error {
		if _, err := s.conversation(ctx, no, principal, conversationID); err != nil {
			return err
		}
		return s.List(ctx, &rows, `SELECT u.id AS user_id, u.name AS user_name, u.no AS user_no, r.begun_at, r.paused_at
			FROM recordings r JOIN messages m ON m.id = r.message_id JOIN users u ON u.id = m.author_id
			WHERE r.workspace_no = ? AND m.conversation_id = ? AND r.lease_until >= (SELECT `+s.NowSQL()+`) ORDER BY r.begun_at, r.message_id`,
			no, conversationID)
	})
	for _, r := range rows {
		list = append(list, storage.OngoingRecording{
			UserID: r.UserID, UserName: r.UserName, UserNo: r.UserNo, StartedAt: fromMS(r.BegunAt), PausedAt: fromMS(r.PausedAt),
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
