package sqldb

import (
	"context"
	"fmt"

	"hark/storage"
	"hark/storage/sqldb/codec"
)

func (s session) message(ctx context.Context, workspaceNo int64, principal storage.Principal, id string) (row messageRow, err error) {
	err = s.getOne(ctx, &row, selectMessages(principal, workspaceNo).and(` AND m.id = ?`, id))
	return row, err
}

// anyMessage reads a message for Hark itself, whoever may hear it.
func (s session) anyMessage(ctx context.Context, id string) (row messageRow, err error) {
	err = s.Get(ctx, &row, `SELECT `+messageColumns+`, m.waveform FROM messages m JOIN workspaces w ON w.no = m.workspace_no
		JOIN users u ON u.id = m.author_id WHERE m.id = ? AND `+notDeleted, id)
	return row, err
}

// ownMessage reads a message that the principal may change: one's own, or any for
// owners and admins.
func (t *tx) ownMessage(ctx context.Context, principal storage.Principal, id string) (messageRow, error) {
	row, err := t.message(ctx, t.workspaceNo, principal, id)
	if err == nil && !storage.MayChangeMessage(principal, row.AuthorID) {
		err = storage.ErrForbidden
	}
	return row, err
}

// Message returns a message of a conversation that the principal is in.
func (db *DB) Message(ctx context.Context, principal storage.Principal, id string) (storage.Message, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return storage.Message{}, err
	}
	var row messageRow
	err = db.read(ctx, "read message", func(ctx context.Context, s session) error {
		row, err = s.message(ctx, no, principal, id)
		return err
	})
	return row.message(), err
}

// UpdateMessage changes what the patch names. The author, owners and admins
// may; others who hear the message get storage.ErrForbidden.
func (db *DB) UpdateMessage(ctx context.Context, principal storage.Principal, id string, patch storage.MessagePatch) (storage.Message, error) {
	var row messageRow
	err := db.changeBy(ctx, "update message", principal, func(ctx context.Context, t *tx) (err error) {
		if row, err = t.ownMessage(ctx, principal, id); err != nil || patch.Title == nil {
			return err
		}
		row.Title, row.UpdatedAt = clean(*patch.Title), toMS(t.now)
		t.messageEvent(storage.MessageUpdated, row.ref(), map[string]any{"state": row.State})
		_, err = t.Exec(ctx, `UPDATE messages SET title = ?, updated_at = ?, revision = revision + 1 WHERE id = ?`, row.Title, row.UpdatedAt, id)
		if err != nil || row.State == storage.Recording { // which is found when it has ended
			return err
		}
		return t.reindexTitle(ctx, id)
	})
	return row.message(), err
}

// DeleteMessage deletes a message with its job, its transcripts and their
// place in the index; its objects are queued for deletion. The author, owners and admins may.
// What a worker still saves of it is refused with storage.ErrStale, and a
// recorder finds it gone.
func (db *DB) DeleteMessage(ctx context.Context, principal storage.Principal, id string) error {
	return db.changeBy(ctx, "delete message", principal, func(ctx context.Context, t *tx) error {
		row, err := t.ownMessage(ctx, principal, id)
		if err != nil {
			return err
		}
		if !row.Draft { // which nobody else ever heard
			t.audit(ctx, principal, storage.AuditMessageDeleted, onMessage(id, row.ConversationID), map[string]string{"author_id": row.AuthorID})
		}
		return t.deleteMessage(ctx, row)
	})
}

func (t *tx) deleteMessage(ctx context.Context, row messageRow) error {
	if err := t.queueDeletion(ctx, `id = ?`, row.ID); err != nil {
		return err
	}
	indexed, err := t.indexedMessage(ctx, row.ID)
	if err != nil {
		return err
	}
	if err := t.unindex(ctx, indexed); err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `DELETE FROM messages WHERE id = ?`, row.ID); err != nil {
		return err
	}
	t.messageEvent(storage.MessageDeleted, row.ref(), nil)
	return t.forgetActivity(ctx, row.ConversationID)
}

// forgetActivity has a conversation's newest message be one that is there.
func (t *tx) forgetActivity(ctx context.Context, conversationID string) error {
	_, err := t.Exec(ctx, `UPDATE conversations SET last_message_at =
		(SELECT COALESCE(MAX(sent_at), 0) FROM messages WHERE conversation_id = ?) WHERE id = ?`, conversationID, conversationID)
	return err
}

// RetryMessage has a message worked on again that failed, or that is ready and
// could be better. One that is being recorded, is waiting or is being worked on
// is storage.ErrConflict.
// What was made of it stays until it is replaced.
func (db *DB) RetryMessage(ctx context.Context, principal storage.Principal, id string) (storage.Message, error) {
	var row messageRow
	err := db.changeBy(ctx, "retry message", principal, func(ctx context.Context, t *tx) (err error) {
		if row, err = t.ownMessage(ctx, principal, id); err != nil {
			return err
		}
		if row.State != storage.Failed && row.State != storage.Ready {
			return storage.ErrConflict
		}
		job, err := t.jobOf(ctx, storage.Transcribe, id)
		if err != nil {
			return err
		}
		if job.open() {
			return storage.ErrConflict // the job of a message that was ready when its recording ended
		}
		job.HaveTranscript = false
		if err := t.reopen(ctx, job); err != nil {
			return err
		}
		if err := t.setState(ctx, row.ref(), storage.Received, ""); err != nil {
			return err
		}
		row, err = t.message(ctx, t.workspaceNo, principal, id)
		return err
	})
	return row.message(), err
}

// Transcript returns the newest transcript of a message that the principal may
// hear; storage.ErrNotFound when there is none yet.
func (db *DB) Transcript(ctx context.Context, principal storage.Principal, messageID string) (storage.VersionedTranscript, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return storage.VersionedTranscript{}, err
	}
	var row transcriptRow
	err = db.read(ctx, "read transcript", func(ctx context.Context, s session) error {
		m, err := s.message(ctx, no, principal, messageID)
		if err != nil {
			return err
		}
		return s.Get(ctx, &row, `SELECT version, language, engine, model, created_at, body FROM transcripts
			WHERE message_id = ? AND version = ?`, messageID, m.TranscriptVersion)
	})
	if err != nil {
		return storage.VersionedTranscript{}, err
	}
	t, err := row.stored()
	if err != nil {
		return storage.VersionedTranscript{}, fmt.Errorf("read transcript of %s: %w", messageID, err)
	}
	return storage.VersionedTranscript{Transcript: t.Transcript, MessageID: messageID, Version: t.Version, CreatedAt: t.CreatedAt}, nil
}

type transcriptRow struct {
	Version   int
	Language  string
	Engine    string
	Model     string
	CreatedAt int64 `db:"created_at"`
	Body      []byte
}

// stored is the transcript as it was saved.
func (r transcriptRow) stored() (storage.StoredTranscript, error) {
	t, err := codec.Decode(r.Body)
	t.Language, t.Engine, t.Model = r.Language, r.Engine, r.Model
	return storage.StoredTranscript{Version: r.Version, CreatedAt: fromMS(r.CreatedAt), Transcript: t}, err
}
