package sqldb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"hark/storage"
	"hark/storage/sqldb/conn"
)

type eventRow struct {
	Seq            int64
	Type           storage.EventType
	ConversationID string `db:"conversation_id"`
	MessageID      string `db:"message_id"`
	Audience       string
	UserID         string `db:"user_id"`
	Data           string
	At             int64
	SentAt         int64 `db:"sent_at"`
}

const eventColumns = `e.seq, e.type, e.conversation_id, e.message_id, e.audience, e.user_id, e.data, e.at, e.sent_at`

func (r eventRow) event(workspaceID string) storage.Event {
	e := storage.Event{
		WorkspaceID: workspaceID, Seq: r.Seq, Type: r.Type,
		ConversationID: r.ConversationID, MessageID: r.MessageID, At: fromMS(r.At), OnlyFor: r.UserID, SentAt: r.SentAt,
	}
	if r.Data != "" {
		e.Data = json.RawMessage(r.Data)
	}
	if r.UserID == "" && r.Audience != "" {
		e.Audience = strings.Split(strings.Trim(r.Audience, ","), ",") // of nobody it is one empty name, not none
	}
	return e
}

// EventTail returns what happened in a workspace after the event numbered after,
// whoever may know of it, at most limit events. With a limit of 0 it only tells
// the last.
func (db *DB) EventTail(ctx context.Context, workspaceID string, after int64, limit int) (storage.EventTail, error) {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return storage.EventTail{}, err
	}
	var tail storage.EventTail
	err = db.read(ctx, "read last events", func(ctx context.Context, s session) error {
		tail, err = s.eventTail(ctx, workspaceID, no, after, limit)
		full := limit > 0 && len(tail.Events) == limit
		if err != nil || !full && !mayChangeMembers(tail.Events) {
			return err
		}
		tail.Members, err = s.membersChanged(ctx, no, after)
		return err
	})
	return tail, err
}

func (s session) eventTail(ctx context.Context, workspaceID string, no, after int64, limit int) (storage.EventTail, error) {
	var rows []struct {
		Last int64 `db:"last_event"`
		eventRow
	}
	err := s.List(ctx, &rows, `SELECT w.last_event, COALESCE(e.seq, 0) AS seq, COALESCE(e.type, '') AS type, COALESCE(e.conversation_id, '') AS conversation_id,
			COALESCE(e.message_id, '') AS message_id, COALESCE(e.audience, '') AS audience, COALESCE(e.user_id, '') AS user_id,
			COALESCE(e.data, '') AS data, COALESCE(e.at, 0) AS at, COALESCE(e.sent_at, 0) AS sent_at
		FROM workspaces w LEFT JOIN (SELECT `+eventColumns+` FROM events e WHERE e.workspace_no = ? AND e.seq > ? ORDER BY e.seq LIMIT ?) e ON w.no = ?
		WHERE w.no = ? ORDER BY e.seq`, no, after, limit, no, no)
	if err != nil || len(rows) == 0 {
		return storage.EventTail{}, err
	}
	tail := storage.EventTail{Last: rows[0].Last}
	if rows[0].Seq != after+1 { // there are none, or some before them were swept
		return tail, nil
	}
	for _, r := range rows {
		tail.Events = append(tail.Events, r.event(workspaceID))
	}
	return tail, nil
}

// mayChangeMembers says whether the members of a conversation may have changed
// with the events.
func mayChangeMembers(events []storage.Event) bool {
	return slices.ContainsFunc(events, func(e storage.Event) bool { return slices.Contains(memberEvents, e.Type) })
}

// memberEvents are the types of event with which members come and go.
var memberEvents = []storage.EventType{storage.ConversationCreated, storage.ConversationUpdated, storage.ConversationDeleted}

// membersChanged returns who is in each of the conversations whose members may
// have changed after an event: after a batch of events too, as they are not to
// be told of by who they were when it happened.
func (s session) membersChanged(ctx context.Context, no, after int64) (map[string]map[string]storage.Membership, error) {
	var rows []struct {
		ConversationID string `db:"conversation_id"`
		UserID         string `db:"user_id"`
		ShownSince     int64  `db:"shown_since"`
	}
	err := s.List(ctx, &rows, `SELECT changed.conversation_id, COALESCE(m.user_id, '') AS user_id, COALESCE(m.shown_since, 0) AS shown_since
		FROM (SELECT DISTINCT conversation_id FROM events WHERE workspace_no = ? AND seq > ? AND type IN `+conn.Tuples(1, len(memberEvents))+`) changed
		LEFT JOIN conversation_members m ON m.conversation_id = changed.conversation_id`,
		append([]any{no, after}, anys(memberEvents)...)...)
	members := map[string]map[string]storage.Membership{}
	for _, r := range rows {
		if members[r.ConversationID] == nil {
			members[r.ConversationID] = map[string]storage.Membership{}
		}
		if r.UserID != "" {
			members[r.ConversationID][r.UserID] = storage.Membership{In: true, ShownSince: r.ShownSince}
		}
	}
	return members, err
}

// ConversationsOf returns how each of the users is in the conversations that they are
// in, by the ids of both.
func (db *DB) ConversationsOf(ctx context.Context, workspaceID string, userIDs []string) (map[string]map[string]storage.Membership, error) {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	var of map[string]map[string]storage.Membership
	err = db.read(ctx, "list conversations of listeners", func(ctx context.Context, s session) error {
		of = map[string]map[string]storage.Membership{}
		return conn.InChunks(len(userIDs), 500, func(from, to int) error {
			var rows []struct {
				UserID     string `db:"user_id"`
				ShownSince int64  `db:"shown_since"`
				ID         string
			}
			err := s.List(ctx, &rows, `SELECT me.user_id, me.shown_since, c.id FROM conversation_members me JOIN conversations c ON c.id = me.conversation_id
				WHERE c.workspace_no = ? AND me.user_id IN `+conn.Tuples(1, to-from), append([]any{no}, anys(userIDs[from:to])...)...)
			for _, r := range rows {
				if of[r.UserID] == nil {
					of[r.UserID] = map[string]storage.Membership{}
				}
				of[r.UserID][r.ID] = storage.Membership{In: true, ShownSince: r.ShownSince}
			}
			return err
		})
	})
	return of, err
}

// LiveCredentials returns which of the credentials, by their ids, hold still, and what
// the user of each may now: as [DB.Authenticate] would find, for many at once.
// They count as used now.
func (db *DB) LiveCredentials(ctx context.Context, ids []string) (map[string]storage.Standing, error) {
	live := map[string]storage.Standing{}
	var now int64
	var unnoted []string
	err := db.read(ctx, "check credentials", func(ctx context.Context, s session) error {
		clear(live)
		unnoted = nil
		return conn.InChunks(len(ids), 500, func(from, to int) error {
			var rows []struct {
				tokenRow
				Role storage.Role
				Now  int64
				storage.Rules
			}
			err := s.List(ctx, &rows, `SELECT `+tokenColumns+`, u.role, `+ruleColumns+`, `+s.NowSQL()+` AS now FROM tokens t JOIN users u ON u.id = t.user_id JOIN workspaces w ON w.no = u.workspace_no
				WHERE u.disabled_at = 0 AND t.id IN `+conn.Tuples(1, to-from), anys(ids[from:to])...)
			for _, r := range rows {
				now = toMS(fromMS(r.Now).Truncate(lastUsedStep))
				if r.over(fromMS(r.Now)) {
					continue
				}
				live[r.ID] = storage.Standing{Role: r.Role, Rules: r.Rules}
				if r.LastUsedAt < now {
					unnoted = append(unnoted, r.ID)
				}
			}
			return err
		})
	})
	if err == nil && len(unnoted) > 0 {
		db.noteUses(ctx, unnoted, fromMS(now))
	}
	return live, err
}

// noteUsesTimeout bounds how long listeners wait for a courtesy.
const noteUsesTimeout = time.Second

// noteUses is noteUse for many tokens.
func (db *DB) noteUses(ctx context.Context, ids []string, minute time.Time) {
	ctx, cancel := context.WithTimeout(ctx, noteUsesTimeout)
	defer cancel()
	err := db.write(ctx, "note use of tokens", func(ctx context.Context, t *tx) error {
		return conn.InChunks(len(ids), 500, func(from, to int) error {
			args := append([]any{toMS(minute), toMS(minute)}, anys(ids[from:to])...)
			_, err := t.Exec(ctx, `UPDATE tokens SET last_used_at = ? WHERE last_used_at < ? AND id IN `+conn.Tuples(1, to-from), args...)
			return err
		})
	})
	if err != nil {
		db.log.WarnContext(ctx, "recording token use failed", "tokens", len(ids), "error", err)
	}
}

// anys are values as arguments of a statement.
func anys[T any](values []T) []any {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return args
}
