package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hark/storage"
)

// event notes what a change did; it is numbered and written when the change ends.
func (t *tx) event(typ storage.EventType, conversationID, messageID string, data map[string]any) {
	var raw json.RawMessage
	if len(data) > 0 {
		raw, _ = json.Marshal(data) // strings and numbers cannot fail
	}
	t.events = append(t.events, storage.Event{
		WorkspaceID: t.workspaceID, Type: typ, ConversationID: conversationID, MessageID: messageID, Data: raw, At: t.now,
	})
}

// eventFor notes what only the named users may hear of.
func (t *tx) eventFor(userIDs []string, typ storage.EventType, conversationID string) {
	if t.audiences == nil {
		t.audiences = map[int]string{}
	}
	t.audiences[len(t.events)] = "," + strings.Join(userIDs, ",") + ","
	t.event(typ, conversationID, "", nil)
}

// writeEvents numbers and writes what was noted.
func (t *tx) writeEvents(ctx context.Context) ([]storage.Event, error) {
	for i := range t.events {
		t.events[i].Seq = t.lastEvent + int64(i) + 1
	}
	err := inChunks(len(t.events), 500, func(from, to int) error {
		var args []any
		for i, e := range t.events[from:to] {
			args = append(args, t.workspaceNo, e.Seq, e.Type, e.ConversationID, e.MessageID, t.audiences[from+i], string(e.Data), toMS(e.At))
		}
		_, err := t.exec(ctx, `INSERT INTO events (workspace_no, seq, type, conversation_id, message_id, audience, data, at) VALUES `+
			tuples(to-from, 8), args...)
		return err
	})
	if err != nil || len(t.events) == 0 {
		return t.events, err
	}
	_, err = t.exec(ctx, `UPDATE workspaces SET last_event = ? WHERE no = ?`, t.lastEvent+int64(len(t.events)), t.workspaceNo)
	return t.events, err
}

// inChunks calls fn for ranges of at most size until n is covered.
func inChunks(n, size int, fn func(from, to int) error) error {
	for from := 0; from < n; from += size {
		if err := fn(from, min(from+size, n)); err != nil {
			return err
		}
	}
	return nil
}

// tuples renders n tuples of width placeholders: (?,?),(?,?).
func tuples(n, width int) string {
	tuple := "(" + strings.TrimSuffix(strings.Repeat("?,", width), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(tuple+",", n), ",")
}

// audible is the condition under which ? (a user id, twice) may hear of an
// event e: to be in its conversation or, where only some may hear, one of them.
const audible = `(e.audience = '' AND EXISTS (SELECT 1 FROM conversation_members me
	WHERE me.conversation_id = e.conversation_id AND me.user_id = ?) OR e.audience LIKE '%,' || ? || ',%')`

// EventsAfter returns what happened after the event numbered afterSeq as far
// as the actor may know of it, oldest first, at most limit (0 means 500).
// Events that the actor may not hear of leave gaps in Seq. It fails with
// storage.ErrExpired when events after afterSeq have been swept already: the
// caller must then read afresh, and go on from [DB.LastSeq].
func (db *DB) EventsAfter(ctx context.Context, actor storage.Actor, afterSeq int64, limit int) ([]storage.Event, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 500
	}
	var rows []struct {
		Seq            int64
		Type           storage.EventType
		ConversationID string `db:"conversation_id"`
		MessageID      string `db:"message_id"`
		Data           string
		At             int64
	}
	err = db.read(ctx, "read events", func(ctx context.Context, s session) error {
		var swept int64
		if err := s.get(ctx, &swept, `SELECT swept_event FROM workspaces WHERE no = ?`, no); err != nil {
			return err
		}
		if afterSeq < swept {
			return fmt.Errorf("event %d: %w", afterSeq, storage.ErrExpired)
		}
		return s.list(ctx, &rows, `SELECT e.seq, e.type, e.conversation_id, e.message_id, e.data, e.at FROM events e
			WHERE e.workspace_no = ? AND e.seq > ? AND `+audible+` ORDER BY e.seq LIMIT ?`,
			no, afterSeq, actor.UserID, actor.UserID, limit)
	})
	if err != nil {
		return nil, err
	}
	events := make([]storage.Event, len(rows))
	for i, r := range rows {
		events[i] = storage.Event{
			WorkspaceID: actor.WorkspaceID, Seq: r.Seq, Type: r.Type,
			ConversationID: r.ConversationID, MessageID: r.MessageID, At: fromMS(r.At),
		}
		if r.Data != "" {
			events[i].Data = json.RawMessage(r.Data)
		}
	}
	return events, nil
}

// LastSeq returns the number of the newest event in the actor's workspace; 0
// means that nothing happened yet.
func (db *DB) LastSeq(ctx context.Context, actor storage.Actor) (int64, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return 0, err
	}
	var seq int64
	err = db.read(ctx, "read last event", func(ctx context.Context, s session) error {
		return s.get(ctx, &seq, `SELECT last_event FROM workspaces WHERE no = ?`, no)
	})
	return seq, err
}

// CanHear says whether the actor is in the conversation, and so may be told
// what happens in it.
func (db *DB) CanHear(ctx context.Context, actor storage.Actor, conversationID string) (bool, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return false, err
	}
	var n int
	err = db.read(ctx, "check membership", func(ctx context.Context, s session) error {
		return s.get(ctx, &n, `SELECT COUNT(*) FROM conversations c JOIN conversation_members me ON me.conversation_id = c.id
			WHERE c.workspace_no = ? AND c.id = ? AND me.user_id = ?`, no, conversationID, actor.UserID)
	})
	return n > 0, err
}

// CanHearEvent says whether the actor may be told of a live event. It knows,
// as CanHear cannot, who was in a conversation that is gone.
func (db *DB) CanHearEvent(ctx context.Context, actor storage.Actor, e storage.Event) (bool, error) {
	if e.Seq == 0 || e.Type != storage.ConversationDeleted {
		return db.CanHear(ctx, actor, e.ConversationID)
	}
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return false, err
	}
	var n int
	err = db.read(ctx, "check audience", func(ctx context.Context, s session) error {
		return s.get(ctx, &n, `SELECT COUNT(*) FROM events e WHERE e.workspace_no = ? AND e.seq = ? AND `+audible,
			no, e.Seq, actor.UserID, actor.UserID)
	})
	return n > 0, err
}

// SweepEvents forgets events older than keep, and returns how many. Listeners
// that were away for longer must read afresh.
func (db *DB) SweepEvents(ctx context.Context, keep time.Duration) (int64, error) {
	workspaces, err := db.Workspaces(ctx)
	if err != nil {
		return 0, err
	}
	var swept int64
	for _, w := range workspaces {
		err := db.change(ctx, "sweep events", w.ID, func(ctx context.Context, t *tx) error {
			before := toMS(t.now.Add(-keep))
			var last int64
			if err := t.get(ctx, &last, `SELECT COALESCE(MAX(seq), 0) FROM events WHERE workspace_no = ? AND at < ?`,
				t.workspaceNo, before); err != nil || last == 0 {
				return err
			}
			n, err := t.exec(ctx, `DELETE FROM events WHERE workspace_no = ? AND seq <= ?`, t.workspaceNo, last)
			if err != nil {
				return err
			}
			swept += n
			_, err = t.exec(ctx, `UPDATE workspaces SET swept_event = ? WHERE no = ?`, last, t.workspaceNo)
			return err
		})
		if err != nil {
			return swept, err
		}
	}
	return swept, nil
}
