package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
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
func (t *tx) eventFor(userIDs []string, typ storage.EventType, conversationID, messageID string, data map[string]any) {
	t.eventTo(audience(userIDs), typ, conversationID, messageID, data)
	if len(userIDs) == 1 {
		t.events[len(t.events)-1].OnlyFor = userIDs[0]
	}
}

// eventTo notes what only an audience may hear of.
func (t *tx) eventTo(audience string, typ storage.EventType, conversationID, messageID string, data map[string]any) {
	if t.audiences == nil {
		t.audiences = map[int]string{}
	}
	t.audiences[len(t.events)] = audience
	t.event(typ, conversationID, messageID, data)
}

func audience(userIDs []string) string { return "," + strings.Join(userIDs, ",") + "," }

// personEvent notes what all may hear of who know the user: guests if they
// share a conversation.
func (t *tx) personEvent(ctx context.Context, typ storage.EventType, u storage.User) error {
	rules, err := t.rules(ctx)
	if err != nil {
		return err
	}
	var guests []string
	err = t.List(ctx, &guests, `SELECT DISTINCT u.id FROM users u JOIN conversation_members his ON his.user_id = u.id
		JOIN conversation_members theirs ON theirs.conversation_id = his.conversation_id
		WHERE u.workspace_no = ? AND u.role = ? AND (theirs.user_id = ? OR u.id = ?)`, t.workspaceNo, storage.Guest, u.ID, u.ID)
	if err != nil {
		return err
	}
	who := storage.Principal{UserID: u.ID, Kind: u.Kind, Role: u.Role, Rules: rules}
	if !storage.MaySeeEveryone(who) && !slices.Contains(guests, u.ID) { // who is a guest, or has become one, is told of it too
		guests = append(guests, u.ID)
	}
	data := map[string]any{
		"user_id": u.ID, "name": u.Name, "role": u.Role, "kind": u.Kind, "disabled": u.Disabled,
		"picture_version": storage.KeyVersion(u.PictureKey), "pronunciation_version": storage.KeyVersion(u.PronunciationKey),
	}
	t.eventTo(storage.Everyone+audience(guests), typ, "", "", data)
	if storage.MaySeeEveryone(storage.Principal{Role: storage.RoleMember, Rules: rules}) {
		return nil
	}
	var shared []string // members know only whom they meet, and are too many to be named
	err = t.List(ctx, &shared, `SELECT c.id FROM conversations c JOIN conversation_members m ON m.conversation_id = c.id
		WHERE m.user_id = ? AND c.deleted_at = 0 ORDER BY c.no`, u.ID)
	for _, id := range shared {
		t.event(typ, id, "", data)
	}
	return err
}

// workspaceEvent notes that the workspace, which has these rules, has another name or
// other rules: everybody hears of it.
func (t *tx) workspaceEvent(ctx context.Context, rules storage.Rules, data map[string]any) error {
	var users []struct {
		ID   string
		Role storage.Role
	}
	err := t.List(ctx, &users, `SELECT id, role FROM users WHERE workspace_no = ? AND disabled_at = 0 ORDER BY no`, t.workspaceNo)
	var unmet []string // who are not among those that know everybody
	for _, u := range users {
		if !storage.MaySeeEveryone(storage.Principal{UserID: u.ID, Role: u.Role, Rules: rules}) {
			unmet = append(unmet, u.ID)
		}
	}
	t.eventTo(storage.Everyone+audience(unmet), storage.WorkspaceUpdated, "", "", data)
	return err
}

// draftEvents are what changes of messages are called while they are drafts.
var draftEvents = map[storage.EventType]storage.EventType{
	storage.MessageCreated: storage.DraftCreated,
	storage.MessageUpdated: storage.DraftUpdated,
	storage.MessageDeleted: storage.DraftDeleted,
}

// messageEvent notes what was done to a message. Of a draft, its author alone
// is told.
func (t *tx) messageEvent(typ storage.EventType, m messageRef, data map[string]any) {
	if !m.Draft {
		t.event(typ, m.ConversationID, m.ID, data)
		t.events[len(t.events)-1].SentAt = m.SentAt
		return
	}
	t.eventFor([]string{m.AuthorID}, draftEvents[typ], m.ConversationID, m.ID, data)
}

// writeEvents numbers and writes what was noted.
func (t *tx) writeEvents(ctx context.Context) ([]storage.Event, error) {
	for i := range t.events {
		t.events[i].Seq = t.lastEvent + int64(i) + 1
	}
	err := conn.InChunks(len(t.events), 500, func(from, to int) error {
		var args []any
		for i, e := range t.events[from:to] {
			args = append(args, t.workspaceNo, e.Seq, e.Type, e.ConversationID, e.MessageID, t.audiences[from+i], e.OnlyFor, string(e.Data), toMS(e.At), e.SentAt)
		}
		_, err := t.Exec(ctx, `INSERT INTO events (workspace_no, seq, type, conversation_id, message_id, audience, user_id, data, at, sent_at) VALUES `+
			conn.Tuples(to-from, 10), args...)
		return err
	})
	if err != nil || len(t.events) == 0 {
		return t.events, err
	}
	_, err = t.Exec(ctx, `UPDATE workspaces SET last_event = ? WHERE no = ?`, t.lastEvent+int64(len(t.events)), t.workspaceNo)
	return t.events, err
}

// named is the condition under which an event e is for a user (twice its
// argument), alone or among several. Where it is one person's, a column says so.
const named = `(e.user_id <> '' AND e.user_id = ? OR e.user_id = '' AND e.audience LIKE '%,' || ? || ',%')`

// audible is the condition under which a principal may hear of an event e, as
// [storage.MayHear] has it: to see its conversation, so far back as its message was
// sent, and, where only some may hear, to be one of them. That a conversation is gone is heard by those who are
// in it no more, and what is in none by whom it is for.
func audible(principal storage.Principal) statement {
	id := principal.UserID
	if id == "" {
		return statement{text: `1 = 0`} // an audience of nobody has an empty name
	}
	scoped := statement{text: `1 = 1`}
	if places := principal.Scopes.Conversations(); len(places) > 0 {
		scoped = statement{`e.conversation_id IN ` + conn.Tuples(1, len(places)+1), append(anys(places), "")}
	}
	return scoped.and(` AND ((e.audience = '' OR `+named+`) AND (e.type = 'conversation.deleted' AND e.audience <> '' OR EXISTS (SELECT 1 FROM `, id, id).
		with(visible(principal)).and(` me WHERE me.conversation_id = e.conversation_id AND (e.message_id = '' OR e.user_id <> '' OR e.sent_at >= me.shown_since))) OR e.conversation_id = '' AND (`+named+
		` OR e.audience LIKE '`+storage.Everyone+`%' AND ? = 1))`, id, id, flag(storage.MaySeeEveryone(principal)))
}

// EventsAfter returns what happened after the event numbered afterSeq as far
// as the principal may know of it, oldest first, at most limit (0 means 500).
// Events that the principal may not hear of leave gaps in Seq. It fails with
// storage.ErrExpired when events after afterSeq have been swept already: the
// caller must then read afresh, and go on from [DB.LastSeq].
func (db *DB) EventsAfter(ctx context.Context, principal storage.Principal, afterSeq int64, limit int) ([]storage.Event, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 500
	}
	var rows []eventRow
	err = db.read(ctx, "read events", func(ctx context.Context, s session) error {
		var swept int64
		if err := s.Get(ctx, &swept, `SELECT swept_event FROM workspaces WHERE no = ?`, no); err != nil {
			return err
		}
		if afterSeq < swept {
			return fmt.Errorf("event %d: %w", afterSeq, storage.ErrExpired)
		}
		return s.listAll(ctx, &rows, statement{`SELECT ` + eventColumns + ` FROM events e
			WHERE e.workspace_no = ? AND e.seq > ? AND `, []any{no, afterSeq}}.with(audible(principal)).and(` ORDER BY e.seq LIMIT ?`, limit))
	})
	if err != nil {
		return nil, err
	}
	events := make([]storage.Event, len(rows))
	for i, r := range rows {
		events[i] = r.event(principal.WorkspaceID)
	}
	return events, nil
}

// LastSeq returns the number of the newest event in the principal's workspace; 0
// means that nothing happened yet.
func (db *DB) LastSeq(ctx context.Context, principal storage.Principal) (int64, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return 0, err
	}
	var seq int64
	err = db.read(ctx, "read last event", func(ctx context.Context, s session) error {
		return s.Get(ctx, &seq, `SELECT last_event FROM workspaces WHERE no = ?`, no)
	})
	return seq, err
}

// CanHear says whether the principal is in the conversation, and so may get
// what happens in it.
func (db *DB) CanHear(ctx context.Context, principal storage.Principal, conversationID string) (bool, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return false, err
	}
	var n int
	err = db.read(ctx, "check membership", func(ctx context.Context, s session) error {
		return s.getOne(ctx, &n, statement{text: `SELECT COUNT(*)`}.with(visibleConversations(principal, no)).and(` AND c.id = ?`, conversationID))
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
			if err := t.Get(ctx, &last, `SELECT COALESCE(MAX(seq), 0) FROM events WHERE workspace_no = ? AND at < ?`,
				t.workspaceNo, before); err != nil || last == 0 {
				return err
			}
			n, err := t.Exec(ctx, `DELETE FROM events WHERE workspace_no = ? AND seq <= ?`, t.workspaceNo, last)
			if err != nil {
				return err
			}
			swept += n
			_, err = t.Exec(ctx, `UPDATE workspaces SET swept_event = ? WHERE no = ?`, last, t.workspaceNo)
			return err
		})
		if err != nil {
			return swept, err
		}
	}
	return swept, nil
}
