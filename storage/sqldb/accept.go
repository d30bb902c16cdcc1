package sqldb

import (
	"context"
	"errors"
	"fmt"

	"hark/storage"
	"hark/storage/sqldb/conn"
	"hark/storage/sqldb/search"
)

// Accept records a clip whose bytes are kept: the message, its job and its
// event, in one transaction. When Accept returns, they are on the disk.
//
// A request that comes again under the same idempotency key gives the message
// that the first one made, and created is false; another request under the key
// of an earlier one is a storage.KeyReusedError, and one whose message has been
// deleted meanwhile is storage.ErrKeySpent. Keys are a user's own.
func (db *DB) Accept(ctx context.Context, principal storage.Principal, m storage.NewMessage) (msg storage.Message, created bool, err error) {
	err = db.changeBy(ctx, "accept message", principal, func(ctx context.Context, t *tx) error {
		created = false
		if m.IdempotencyKey != "" {
			earlier, err := t.byKey(ctx, principal, m.IdempotencyKey)
			if err == nil {
				if earlier.RequestHash != m.RequestHash {
					return &storage.KeyReusedError{MessageID: earlier.MessageID}
				}
				msg, err = t.acceptedBefore(ctx, principal, earlier.MessageID)
				return err
			} else if !errors.Is(err, storage.ErrNotFound) {
				return err
			}
		}
		if _, err := t.speakable(ctx, principal, m.ConversationID); err != nil {
			return err
		}
		n, err := t.next(ctx, "last_message", 1)
		if err != nil {
			return err
		}
		if err := t.insertMessage(ctx, principal, m, n, storage.Received); err != nil {
			return err
		}
		if !m.Unsent {
			if err := t.noteActivity(ctx, m.ConversationID); err != nil {
				return err
			}
		}
		if err := t.addUsage(ctx, principal.UserID, m.Original.Bytes); err != nil {
			return err
		}
		if err := t.messageJob(ctx, m.ID, principal.UserID, m.Priority, "waiting", false); err != nil {
			return err
		}
		if err := t.reindexTitle(ctx, m.ID); err != nil {
			return err
		}
		row, err := t.message(ctx, t.workspaceNo, principal, m.ID)
		msg, created = row.message(), err == nil
		return err
	})
	return msg, created, err
}

// keyRow is what was done under an idempotency key.
type keyRow struct {
	RequestHash string `db:"request_hash"`
	MessageID   string `db:"message_id"`
}

func (s session) byKey(ctx context.Context, principal storage.Principal, key string) (row keyRow, err error) {
	err = s.Get(ctx, &row, `SELECT request_hash, message_id FROM idempotency_keys WHERE user_id = ? AND key = ?`, principal.UserID, clean(key))
	return row, err
}

// spent says of a key that its message is not there.
func spent(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return storage.ErrKeySpent
	}
	return err
}

// acceptedBefore reads the message that an earlier, equal request made.
func (t *tx) acceptedBefore(ctx context.Context, principal storage.Principal, messageID string) (storage.Message, error) {
	row, err := t.message(ctx, t.workspaceNo, principal, messageID)
	return row.message(), spent(err)
}

// insertMessage writes the message as the workspace's nth, its key and its event.
// Where its rendition will be is known before any worker begins. All its
// objects lie below its own prefix, so that deleting it deletes whatever anybody
// puts there.
func (t *tx) insertMessage(ctx context.Context, principal storage.Principal, m storage.NewMessage, n int64, state storage.State) error {
	k, ok := storage.ParseKey(m.Original.Key)
	if !ok || k.Kind != storage.OriginalObject || k.Workspace != t.workspaceID || k.Message != m.ID {
		return fmt.Errorf("key %q is not one of message %s", m.Original.Key, m.ID)
	}
	if m.ReplyTo != "" {
		var conversation string
		err := t.Get(ctx, &conversation, `SELECT m.conversation_id FROM messages m JOIN conversation_members me ON me.conversation_id = m.conversation_id
			WHERE m.id = ? AND me.user_id = ? AND m.sent_at >= CASE WHEN m.author_id = me.user_id THEN 0 ELSE me.shown_since END`, m.ReplyTo, principal.UserID)
		if err == nil && conversation != m.ConversationID {
			err = storage.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("reply_to: %w", err)
		}
	}
	ref := messageRef{ID: m.ID, ConversationID: m.ConversationID, AuthorID: principal.UserID, Draft: m.Unsent}
	var sent *int64 // NULL
	if !m.Unsent {
		ref.SentAt = toMS(t.now)
		sent = &ref.SentAt
	}
	_, err := t.Exec(ctx, `INSERT INTO messages (id, doc, workspace_no, conversation_id, author_id, title, reply_to, reply_at_ms,
			recorded_at, created_at, updated_at, sent_at, state, duration_ms, original_key, original_format, original_bytes,
			original_sha256, original_filename, rendition_key)
		VALUES `+conn.Tuples(1, 20), m.ID, search.Doc(t.workspaceNo, n), t.workspaceNo, m.ConversationID, principal.UserID, clean(m.Title), m.ReplyTo, m.ReplyAtMS,
		t.recorded(m), toMS(t.now), toMS(t.now), sent, state, m.DurationMS, m.Original.Key, m.Original.Format, m.Original.Bytes,
		m.Original.SHA256, clean(m.Original.Filename), storage.RenditionKey(m.Original.Key))
	if err != nil {
		return err
	}
	if m.IdempotencyKey != "" {
		_, err = t.Exec(ctx, `INSERT INTO idempotency_keys (user_id, key, request_hash, message_id, created_at) VALUES (?, ?, ?, ?, ?)`,
			principal.UserID, clean(m.IdempotencyKey), m.RequestHash, m.ID, toMS(t.now))
		if err != nil {
			return err
		}
	}
	t.messageEvent(storage.MessageCreated, ref, map[string]any{"state": state})
	return nil
}

// recorded is when the message says it was spoken. A clock that is ahead of the
// database's says nothing better than now.
func (t *tx) recorded(m storage.NewMessage) int64 {
	if m.RecordedAt.IsZero() || m.RecordedAt.After(t.now) {
		return toMS(t.now)
	}
	return toMS(m.RecordedAt)
}

// noteActivity has a conversation's newest message be one of now.
func (t *tx) noteActivity(ctx context.Context, conversationID string) error {
	_, err := t.Exec(ctx, `UPDATE conversations SET active_at = ?, last_message_at = ? WHERE id = ?`, toMS(t.now), toMS(t.now), conversationID)
	return err
}

// MessageByKey returns the message that the principal made under an idempotency
// key, and the hash of the request that made it; storage.ErrNotFound when the
// key is fresh, and storage.ErrKeySpent when the message is gone.
func (db *DB) MessageByKey(ctx context.Context, principal storage.Principal, idempotencyKey string) (msg storage.Message, requestHash string, err error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return msg, "", err
	}
	err = db.read(ctx, "find message by key", func(ctx context.Context, s session) error {
		key, err := s.byKey(ctx, principal, idempotencyKey)
		if err != nil {
			return err
		}
		row, err := s.message(ctx, no, principal, key.MessageID)
		msg, requestHash = row.message(), key.RequestHash
		return spent(err)
	})
	return msg, requestHash, err
}
