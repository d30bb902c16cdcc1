package sqldb

import (
	"context"
	"errors"

	"hark/media/spans"
	"hark/storage"
	"hark/storage/sqldb/codec"
)

// isHeard is whether a member me has heard message m, of which h is what they heard.
const isHeard = `(m.author_id = me.user_id OR m.doc <= me.heard_doc OR COALESCE(h.done, FALSE))`

// counts is whether message m is one that can be heard by others, and counts as such.
const counts = `m.sent_at IS NOT NULL AND m.state <> 'recording'`

// heardSpans reads what was written of a person and a message. What is damaged says
// nothing.
func heardSpans(b []byte) (s spans.Set) {
	if s.UnmarshalBinary(b) != nil {
		return spans.Set{}
	}
	return s
}

// within is what of spans, and of where somebody was, lies in a message of a length, which
// may be another than when it was heard: while it is being spoken it is 0, for not known.
func within(durationMS int64, heard spans.Set, resumeMS int64) (spans.Set, int64) {
	if durationMS <= 0 {
		return heard, resumeMS
	}
	return heard.Intersect(spans.Of(spans.Span{ToMS: durationMS})), min(resumeMS, durationMS)
}

// Hear adds to what the principal has heard of messages. What they may not hear, or is
// there no more, is left out of the answer, as is a draft. It may be repeated, and come
// from several devices in any order.
func (db *DB) Hear(ctx context.Context, principal storage.Principal, parts []storage.HeardPart) (heard []storage.HeardMessage, err error) {
	err = db.changeBy(ctx, "note what was heard", principal, func(ctx context.Context, t *tx) error {
		heard = nil
		for _, part := range parts {
			one, err := t.hear(ctx, principal, part)
			if errors.Is(err, storage.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			heard = append(heard, one)
		}
		for i, one := range heard { // after all of it
			if heard[i].Unread, err = t.unread(ctx, principal.UserID, one.ConversationID); err != nil {
				return err
			}
		}
		return nil
	})
	return heard, err
}

// hear adds to what the principal has heard of one message.
func (t *tx) hear(ctx context.Context, principal storage.Principal, part storage.HeardPart) (storage.HeardMessage, error) {
	row, err := t.message(ctx, t.workspaceNo, principal, part.MessageID)
	if err == nil && row.Draft {
		err = storage.ErrNotFound
	}
	if err != nil {
		return storage.HeardMessage{}, err
	}
	now := storage.Heard{Done: row.Heard, At: t.now}
	now.Spans, now.ResumeMS = within(row.DurationMS, part.Spans.Union(heardSpans(row.HeardSpans)), part.ResumeMS)
	now.Spans = now.Spans.Coarse(storage.MaxHeardSpans)
	if !now.Done && row.State != storage.Recording {
		speech, err := t.speech(ctx, row)
		if err != nil {
			return storage.HeardMessage{}, err
		}
		if now.Done = storage.EnoughHeard(now.Spans, speech, row.DurationMS); now.Done {
			_, err := t.Exec(ctx, `UPDATE conversation_members SET heard_count = heard_count + 1 WHERE conversation_id = ? AND user_id = ?`, row.ConversationID, principal.UserID)
			if err != nil {
				return storage.HeardMessage{}, err
			}
		}
	}
	written, _ := now.Spans.AppendBinary([]byte{})
	// done is what counted: a message that is heard for another reason is not done by this.
	_, err = t.Exec(ctx, `INSERT INTO heard (message_id, user_id, spans, resume_ms, done, heard_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (message_id, user_id) DO UPDATE SET spans = excluded.spans, resume_ms = excluded.resume_ms, done = heard.done OR excluded.done, heard_at = excluded.heard_at`,
		row.ID, principal.UserID, written, now.ResumeMS, now.Done && !row.Heard, toMS(t.now))
	return storage.HeardMessage{ID: row.ID, ConversationID: row.ConversationID, Heard: now}, err
}

// speech is where somebody speaks in a message, as far as its transcript says.
func (t *tx) speech(ctx context.Context, row messageRow) (spans.Set, error) {
	if row.TranscriptVersion == 0 {
		return spans.Set{}, nil
	}
	var body []byte
	if err := t.Get(ctx, &body, `SELECT body FROM transcripts WHERE message_id = ? AND version = ?`, row.ID, row.TranscriptVersion); err != nil {
		return spans.Set{}, err
	}
	said, err := codec.Decode(body)
	if err != nil {
		return spans.Set{}, nil //nolint:nilerr // as if there were none; what reads the words says that they are damaged
	}
	var list []spans.Span
	for _, segment := range said.Segments {
		list = append(list, spans.Span{FromMS: segment.StartMS, ToMS: segment.EndMS})
	}
	return spans.Of(list...), nil
}

// unread is how many messages of a conversation a member has not heard.
func (s session) unread(ctx context.Context, userID, conversationID string) (n int, err error) {
	err = s.Get(ctx, &n, `SELECT c.sent_count - me.heard_count FROM conversation_members me JOIN conversations c ON c.id = me.conversation_id
		WHERE me.user_id = ? AND me.conversation_id = ?`, userID, conversationID)
	return max(0, n), err
}

// MarkHeard has all that was sent into a conversation count as heard by the principal,
// and returns the conversation. What is being spoken does not: it is sent when it ends.
func (db *DB) MarkHeard(ctx context.Context, principal storage.Principal, conversationID string) (storage.Conversation, error) {
	return db.changeHeard(ctx, "mark as heard", principal, conversationID, func(ctx context.Context, t *tx) error {
		var spoken *int64 // place of the first that is being spoken
		err := t.Get(ctx, &spoken, `SELECT MIN(m.doc) FROM recordings r JOIN messages m ON m.id = r.message_id WHERE m.conversation_id = ? AND m.sent_at IS NOT NULL`, conversationID)
		if err != nil {
			return err
		}
		until := beyond
		if spoken != nil {
			until = *spoken
		}
		// What was sent while somebody spoke is behind what they say.
		_, err = t.Exec(ctx, `INSERT INTO heard (message_id, user_id, resume_ms, done, heard_at)
			SELECT m.id, me.user_id, 0, TRUE, CAST(? AS BIGINT) FROM messages m JOIN conversation_members me ON me.conversation_id = m.conversation_id
			WHERE m.conversation_id = ? AND me.user_id = ? AND m.doc > ? AND m.author_id <> me.user_id AND `+counts+`
			ON CONFLICT (message_id, user_id) DO UPDATE SET done = TRUE`, toMS(t.now), conversationID, principal.UserID, until)
		if err != nil {
			return err
		}
		_, err = t.Exec(ctx, `UPDATE conversation_members SET
			heard_doc = (SELECT COALESCE(MAX(m.doc), 0) FROM messages m WHERE m.conversation_id = conversation_members.conversation_id AND m.doc < ?),
			heard_count = (SELECT c.sent_count FROM conversations c WHERE c.id = conversation_members.conversation_id)
			WHERE conversation_id = ? AND user_id = ?`, until, conversationID, principal.UserID)
		return err
	})
}

// MarkUnheard has a message, and what others sent into its conversation after it, count
// as not heard by the principal, and returns the conversation. What they heard of
// each is forgotten. A draft is storage.ErrNotFound.
func (db *DB) MarkUnheard(ctx context.Context, principal storage.Principal, messageID string) (c storage.Conversation, err error) {
	m, err := db.Message(ctx, principal, messageID)
	if err != nil {
		return c, err
	}
	return db.changeHeard(ctx, "mark as not heard", principal, m.ConversationID, func(ctx context.Context, t *tx) error {
		row, err := t.message(ctx, t.workspaceNo, principal, messageID)
		if err == nil && row.Draft {
			err = storage.ErrNotFound
		}
		if err != nil {
			return err
		}
		from := row.Doc // the first that is not heard
		var hidden int64
		err = t.Get(ctx, &hidden, `SELECT COALESCE(MAX(m.doc), 0) FROM messages m JOIN conversation_members me ON me.conversation_id = m.conversation_id
			WHERE me.conversation_id = ? AND me.user_id = ? AND m.sent_at < me.shown_since`, row.ConversationID, principal.UserID)
		if err != nil {
			return err
		}
		from = max(from, hidden+1)
		_, err = t.Exec(ctx, `DELETE FROM heard WHERE user_id = ? AND message_id IN (SELECT m.id FROM messages m WHERE m.conversation_id = ? AND m.doc >= ?)`,
			principal.UserID, row.ConversationID, from)
		if err != nil {
			return err
		}
		// What lies before it counts as it did: it is either up to heard_doc or by itself.
		_, err = t.Exec(ctx, `UPDATE conversation_members SET heard_doc = CASE WHEN heard_doc < ? THEN heard_doc ELSE CAST(? AS BIGINT) END
			WHERE conversation_id = ? AND user_id = ?`, from-1, from-1, row.ConversationID, principal.UserID)
		if err != nil {
			return err
		}
		return t.recountHeard(ctx, row.ConversationID, principal.UserID)
	})
}

// recountHeard counts anew what a member has not heard, which lies behind heard_doc.
func (t *tx) recountHeard(ctx context.Context, conversationID, userID string) error {
	_, err := t.Exec(ctx, `UPDATE conversation_members SET heard_count =
		(SELECT c.sent_count FROM conversations c WHERE c.id = conversation_members.conversation_id) -
		(SELECT COUNT(*) FROM messages m LEFT JOIN heard h ON h.message_id = m.id AND h.user_id = conversation_members.user_id
			WHERE m.conversation_id = conversation_members.conversation_id AND m.doc > conversation_members.heard_doc
			AND m.author_id <> conversation_members.user_id AND `+counts+` AND NOT COALESCE(h.done, FALSE))
		WHERE conversation_id = ? AND user_id = ?`, conversationID, userID)
	return err
}

// changeHeard changes what the principal has heard of a conversation, and returns that as
// it is then.
func (db *DB) changeHeard(ctx context.Context, op string, principal storage.Principal, conversationID string, fn func(context.Context, *tx) error) (storage.Conversation, error) {
	var row listedRow
	err := db.changeBy(ctx, op, principal, func(ctx context.Context, t *tx) error {
		if _, err := t.conversation(ctx, t.workspaceNo, principal, conversationID); err != nil {
			return err
		}
		if err := fn(ctx, t); err != nil {
			return err
		}
		var err error
		row, err = t.listedConversation(ctx, t.workspaceNo, principal, conversationID)
		return err
	})
	return row.conversation(principal.WorkspaceID), err
}
