package sqldb

import (
	"context"

	"hark/storage"
	"hark/transcribe"
)

// MigrateTo stops at a version, for tests that begin with an older schema.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	provider, err := db.migrator()
	if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	return err
}

// MigrateBack goes back to an older version.
func (db *DB) MigrateBack(ctx context.Context, version int64) error {
	provider, err := db.migrator()
	if err == nil {
		_, err = provider.DownTo(ctx, version)
	}
	return err
}

// AcceptAt1 records a message as version 1 of the schema had it: waiting for
// its job or, with a transcript, ready.
func (db *DB) AcceptAt1(ctx context.Context, actor storage.Actor, m storage.NewMessage, transcript *transcribe.Transcript) error {
	return db.change(ctx, "accept message", actor.WorkspaceID, func(ctx context.Context, t *tx) error {
		n, err := t.next(ctx, "last_message", 1)
		if err != nil {
			return err
		}
		state, job := storage.Received, "waiting"
		if transcript != nil {
			state, job = storage.Ready, "done"
		}
		_, err = t.exec(ctx, `INSERT INTO messages (id, doc, workspace_no, conversation_id, author_id, title, reply_to, reply_at_ms,
				recorded_at, created_at, updated_at, state, duration_ms, original_key, original_format, original_bytes,
				original_sha256, original_filename, rendition_key)
			VALUES (?, ?, ?, ?, ?, '', '', 0, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?)`, m.ID, t.workspaceNo<<docBits|n, t.workspaceNo, m.ConversationID,
			actor.UserID, toMS(t.now), toMS(t.now), toMS(t.now), state, m.Original.Key, m.Original.Format, m.Original.Bytes,
			m.Original.SHA256, m.Original.Filename, "renditions/"+m.ID)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO jobs (id, workspace_no, message_id, priority, state, run_at, waiting_since, created_at)
			VALUES (?, ?, ?, 0, ?, ?, ?, ?)`, m.ID, t.workspaceNo, m.ID, job, toMS(t.now), toMS(t.now), toMS(t.now))
		if err != nil || transcript == nil {
			return err
		}
		row, err := t.indexedMessage(ctx, m.ID)
		if err != nil {
			return err
		}
		return t.putTranscript(ctx, row, transcript)
	})
}

// DoomedAgain lists the objects that are named again later.
func (db *DB) DoomedAgain(ctx context.Context) (keys []string, err error) {
	err = db.read(ctx, "list doomed objects", func(ctx context.Context, s session) error {
		return s.list(ctx, &keys, `SELECT key FROM doomed_objects WHERE due_at > `+s.dialect.now())
	})
	return keys, err
}

// LexiconRows counts the rows of the lexicon and of its trigrams.
func (db *DB) LexiconRows(ctx context.Context) (words, trigrams int, err error) {
	err = db.read(ctx, "count lexicon", func(ctx context.Context, s session) error {
		if err := s.get(ctx, &words, `SELECT COUNT(*) FROM lexicon`); err != nil {
			return err
		}
		return s.get(ctx, &trigrams, `SELECT COUNT(*) FROM lexicon_trigrams`)
	})
	return words, trigrams, err
}

// IndexRows counts the messages in the index.
func (db *DB) IndexRows(ctx context.Context) (n int, err error) {
	err = db.read(ctx, "count index", func(ctx context.Context, s session) error {
		return s.get(ctx, &n, `SELECT COUNT(*) FROM search_docs`)
	})
	return n, err
}

// EndWaits makes every waiting job due now, as if its wait were over.
func (db *DB) EndWaits(ctx context.Context) error {
	return db.write(ctx, "end waits", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE jobs SET run_at = 0 WHERE state = 'waiting'`)
		return err
	})
}

// Exec runs a statement.
func (db *DB) Exec(ctx context.Context, query string, args ...any) error {
	return db.write(ctx, "exec", func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, query, args...)
		return err
	})
}

// HoldWorkspace has a workspace locked while fn runs.
func (db *DB) HoldWorkspace(ctx context.Context, workspaceID string, fn func()) error {
	return db.change(ctx, "hold workspace", workspaceID, func(context.Context, *tx) error {
		fn()
		return nil
	})
}

// HoldConnection has a connection in use while fn runs.
func (db *DB) HoldConnection(ctx context.Context, fn func()) error {
	return db.write(ctx, "hold connection", func(context.Context, *tx) error {
		fn()
		return nil
	})
}

// DropConnections closes the connections that are not in use.
func (db *DB) DropConnections() { db.dropIdle() }
