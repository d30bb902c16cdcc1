package sqldb

import (
	"context"
	"fmt"

	"hark/storage"
	"hark/transcribe"
)

func (s session) message(ctx context.Context, workspaceNo int64, actor storage.Actor, id string) (row messageRow, err error) {
	err = s.get(ctx, &row, selectMessages+` AND m.id = ?`, actor.UserID, workspaceNo, id)
	return row, err
}

// anyMessage reads a message for Hark itself, whoever may hear it.
func (s session) anyMessage(ctx context.Context, id string) (row messageRow, err error) {
	err = s.get(ctx, &row, `SELECT `+messageColumns+`, m.waveform FROM messages m JOIN workspaces w ON w.no = m.workspace_no
		JOIN users u ON u.id = m.author_id WHERE m.id = ?`, id)
	return row, err
}

// ownMessage reads a message that the actor may change: one's own, or any for
// owners and admins.
func (t *tx) ownMessage(ctx context.Context, actor storage.Actor, id string) (messageRow, error) {
	row, err := t.message(ctx, t.workspaceNo, actor, id)
	if err == nil && row.AuthorID != actor.UserID && !rules(actor) {
		err = storage.ErrForbidden
	}
	return row, err
}

// Message returns a message of a conversation that the actor is in.
func (db *DB) Message(ctx context.Context, actor storage.Actor, id string) (storage.Message, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return storage.Message{}, err
	}
	var row messageRow
	err = db.read(ctx, "read message", func(ctx context.Context, s session) error {
		row, err = s.message(ctx, no, actor, id)
		return err
	})
	return row.message(), err
}

// UpdateMessage changes what the patch names. The author, owners and admins
// may; others who hear the message get storage.ErrForbidden.
func (db *DB) UpdateMessage(ctx context.Context, actor storage.Actor, id string, patch storage.MessagePatch) (storage.Message, error) {
	var row messageRow
	err := db.change(ctx, "update message", actor.WorkspaceID, func(ctx context.Context, t *tx) (err error) {
		if row, err = t.ownMessage(ctx, actor, id); err != nil || patch.Title == nil {
			return err
		}
		row.Title, row.UpdatedAt = clean(*patch.Title), toMS(t.now)
		t.event(storage.MessageUpdated, row.ConversationID, id, map[string]any{"state": row.State})
		_, err = t.exec(ctx, `UPDATE messages SET title = ?, updated_at = ?, revision = revision + 1 WHERE id = ?`, row.Title, row.UpdatedAt, id)
		return err
	})
	return row.message(), err
}

// DeleteMessage deletes a message with its job, its transcripts and their
// place in the index; its objects are doomed. The author, owners and admins may.
// What a worker still saves of it is refused with storage.ErrStale, and a
// recorder finds it gone.
func (db *DB) DeleteMessage(ctx context.Context, actor storage.Actor, id string) error {
	return db.change(ctx, "delete message", actor.WorkspaceID, func(ctx context.Context, t *tx) error {
		row, err := t.ownMessage(ctx, actor, id)
		if err != nil {
			return err
		}
		return t.deleteMessage(ctx, row)
	})
}

func (t *tx) deleteMessage(ctx context.Context, row messageRow) error {
	if err := t.doom(ctx, `id = ?`, row.ID); err != nil {
		return err
	}
	indexed, err := t.indexedMessage(ctx, row.ID)
	if err != nil {
		return err
	}
	if err := t.unindex(ctx, indexed); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM messages WHERE id = ?`, row.ID); err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE conversations SET last_message_at =
		(SELECT COALESCE(MAX(created_at), 0) FROM messages WHERE conversation_id = ?) WHERE id = ?`, row.ConversationID, row.ConversationID)
	t.event(storage.MessageDeleted, row.ConversationID, row.ID, nil)
	return err
}

// RetryMessage has a message worked on again that failed, or that is ready and
// could be better. One that is being recorded, is waiting or is being worked on
// is storage.ErrConflict.
// What was made of it stays until it is replaced.
func (db *DB) RetryMessage(ctx context.Context, actor storage.Actor, id string) (storage.Message, storage.JobRef, error) {
	var row messageRow
	var job jobRow
	err := db.change(ctx, "retry message", actor.WorkspaceID, func(ctx context.Context, t *tx) (err error) {
		if row, err = t.ownMessage(ctx, actor, id); err != nil {
			return err
		}
		if row.State != storage.Failed && row.State != storage.Ready {
			return storage.ErrConflict
		}
		if job, err = t.jobOf(ctx, id); err != nil {
			return err
		}
		if job.open() {
			return storage.ErrConflict // the job of a message that was ready when its recording ended
		}
		_, err = t.exec(ctx, `UPDATE jobs SET state = 'waiting', have_transcript = ?, tries = 0, lost = 0, run_at = ?, waiting_since = ?, published_at = 0 WHERE id = ?`,
			false, toMS(t.now), toMS(t.now), job.ID)
		if err != nil {
			return err
		}
		if err := t.setState(ctx, id, row.ConversationID, storage.Received, ""); err != nil {
			return err
		}
		row, err = t.message(ctx, t.workspaceNo, actor, id)
		return err
	})
	return row.message(), job.ref(), err
}

// Transcript returns the newest transcript of a message that the actor may
// hear; storage.ErrNotFound when there is none yet.
func (db *DB) Transcript(ctx context.Context, actor storage.Actor, messageID string) (storage.VersionedTranscript, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return storage.VersionedTranscript{}, err
	}
	var row transcriptRow
	err = db.read(ctx, "read transcript", func(ctx context.Context, s session) error {
		m, err := s.message(ctx, no, actor, messageID)
		if err != nil {
			return err
		}
		return s.get(ctx, &row, `SELECT version, language, engine, model, created_at, body FROM transcripts
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
	segments, err := unpackSegments(r.Body)
	return storage.StoredTranscript{
		Version: r.Version, CreatedAt: fromMS(r.CreatedAt),
		Transcript: transcribe.Transcript{Language: r.Language, Engine: r.Engine, Model: r.Model, Segments: segments},
	}, err
}
