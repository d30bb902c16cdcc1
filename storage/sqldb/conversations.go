package sqldb

import (
	"context"
	"fmt"
	"slices"

	"hark/storage"
)

type conversationRow struct {
	ID            string
	No            int64
	Kind          storage.ConversationKind
	Title         string
	CreatedBy     string `db:"created_by"`
	CreatedAt     int64  `db:"created_at"`
	ActiveAt      int64  `db:"active_at"`
	LastMessageAt int64  `db:"last_message_at"`
	MemberCount   int    `db:"member_count"`
}

func (r conversationRow) conversation(workspaceID string) storage.Conversation {
	return storage.Conversation{
		ID: r.ID, WorkspaceID: workspaceID, Kind: r.Kind, Title: r.Title, CreatedBy: r.CreatedBy,
		CreatedAt: fromMS(r.CreatedAt), LastMessageAt: fromMS(r.LastMessageAt), MemberCount: r.MemberCount,
	}
}

// selectConversations reads conversations that ? (a user id) of ? (a workspace
// number) is in; conditions may be added.
const selectConversations = `SELECT c.id, c.no, c.kind, c.title, c.created_by, c.created_at, c.active_at, c.last_message_at,
	(SELECT COUNT(*) FROM conversation_members m WHERE m.conversation_id = c.id) AS member_count
	FROM conversation_members me JOIN conversations c ON c.id = me.conversation_id
	WHERE me.user_id = ? AND c.workspace_no = ?`

func (s session) conversation(ctx context.Context, workspaceNo int64, actor storage.Actor, id string) (row conversationRow, err error) {
	err = s.get(ctx, &row, selectConversations+` AND c.id = ?`, actor.UserID, workspaceNo, id)
	return row, err
}

// CreateConversation makes a conversation of the actor and the named users of
// the workspace. Guests make none: storage.ErrForbidden; a kind or a number of
// members that cannot be is storage.ErrInvalid.
func (db *DB) CreateConversation(ctx context.Context, actor storage.Actor, kind storage.ConversationKind, title string, memberIDs []string) (storage.Conversation, error) {
	if err := storage.CheckConversation(kind, len(memberIDs)); err != nil {
		return storage.Conversation{}, fmt.Errorf("create conversation: %w", err)
	}
	var row conversationRow
	err := db.change(ctx, "create conversation", actor.WorkspaceID, func(ctx context.Context, t *tx) error {
		if actor.Role == storage.Guest {
			return storage.ErrForbidden
		}
		no, err := t.next(ctx, "last_conversation", 1)
		if err != nil {
			return err
		}
		id := storage.NewID()
		_, err = t.exec(ctx, `INSERT INTO conversations (id, workspace_no, no, kind, title, created_by, created_at, active_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, id, t.workspaceNo, no, kind, clean(title), actor.UserID, toMS(t.now), toMS(t.now))
		if err != nil {
			return err
		}
		members := append([]string{actor.UserID}, memberIDs...)
		slices.Sort(members)
		for _, userID := range slices.Compact(members) {
			if err := t.addMember(ctx, id, userID); err != nil {
				return err
			}
		}
		t.event(storage.ConversationCreated, id, "", nil)
		row, err = t.conversation(ctx, t.workspaceNo, actor, id)
		return err
	})
	return row.conversation(actor.WorkspaceID), err
}

// Conversation returns a conversation that the actor is in.
func (db *DB) Conversation(ctx context.Context, actor storage.Actor, id string) (storage.Conversation, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return storage.Conversation{}, err
	}
	var row conversationRow
	err = db.read(ctx, "read conversation", func(ctx context.Context, s session) error {
		row, err = s.conversation(ctx, no, actor, id)
		return err
	})
	return row.conversation(actor.WorkspaceID), err
}

// conversationPlace is a place in the list of conversations.
type conversationPlace struct {
	ActiveAt int64
	ID       string
}

// Conversations lists what the actor is in, the last active first; 50 a page
// unless asked otherwise, 200 at the most. A conversation that becomes active
// between two pages is not listed again.
func (db *DB) Conversations(ctx context.Context, actor storage.Actor, page storage.Page) (list []storage.Conversation, next string, err error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return nil, "", err
	}
	seal, err := db.cursors(ctx)
	if err != nil {
		return nil, "", err
	}
	name := "conversations " + actor.UserID
	condition, args := ``, []any{actor.UserID, no}
	if page.Cursor != "" {
		var after conversationPlace
		if err := seal.open(name, page.Cursor, &after); err != nil {
			return nil, "", fmt.Errorf("list conversations: %w", err)
		}
		condition = ` AND (c.active_at, c.id) < (?, ?)`
		args = append(args, after.ActiveAt, after.ID)
	}
	limit := pageLimit(page, 50, 200)
	var rows []conversationRow
	err = db.read(ctx, "list conversations", func(ctx context.Context, s session) error {
		return s.list(ctx, &rows, selectConversations+condition+` ORDER BY c.active_at DESC, c.id DESC LIMIT ?`, append(args, limit+1)...)
	})
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next, err = seal.close(name, conversationPlace{rows[limit-1].ActiveAt, rows[limit-1].ID})
	}
	for _, r := range rows {
		list = append(list, r.conversation(actor.WorkspaceID))
	}
	return list, next, err
}

// UpdateConversation gives a conversation another title. Its maker, owners and
// admins may; other members get storage.ErrForbidden.
func (db *DB) UpdateConversation(ctx context.Context, actor storage.Actor, id, title string) (storage.Conversation, error) {
	var row conversationRow
	err := db.change(ctx, "update conversation", actor.WorkspaceID, func(ctx context.Context, t *tx) (err error) {
		if row, err = t.ownConversation(ctx, actor, id); err != nil {
			return err
		}
		row.Title = clean(title)
		t.event(storage.ConversationUpdated, id, "", nil)
		if err := t.reviseNewest(ctx, id); err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE conversations SET title = ? WHERE id = ?`, row.Title, id)
		return err
	})
	return row.conversation(actor.WorkspaceID), err
}

// ownConversation reads a conversation that the actor may change.
func (t *tx) ownConversation(ctx context.Context, actor storage.Actor, id string) (conversationRow, error) {
	row, err := t.conversation(ctx, t.workspaceNo, actor, id)
	if err == nil && row.CreatedBy != actor.UserID && !rules(actor) {
		err = storage.ErrForbidden
	}
	return row, err
}

// DeleteConversation deletes a conversation and all that was said in it. Its
// maker, owners and admins may; other members get storage.ErrForbidden.
func (db *DB) DeleteConversation(ctx context.Context, actor storage.Actor, id string) error {
	return db.change(ctx, "delete conversation", actor.WorkspaceID, func(ctx context.Context, t *tx) error {
		row, err := t.ownConversation(ctx, actor, id)
		if err != nil {
			return err
		}
		var members []string
		if err := t.list(ctx, &members, `SELECT user_id FROM conversation_members WHERE conversation_id = ?`, id); err != nil {
			return err
		}
		if err := t.doom(ctx, `conversation_id = ?`, id); err != nil {
			return err
		}
		err = t.dialect.unindex(ctx, t.session, `workspace_no = ? AND doc IN (SELECT doc FROM messages WHERE conversation_id = ?)`, t.workspaceNo, id)
		if err != nil {
			return err
		}
		if err := t.forgetWords(ctx, row.No); err != nil {
			return err
		}
		t.eventFor(members, storage.ConversationDeleted, id)
		_, err = t.exec(ctx, `DELETE FROM conversations WHERE id = ?`, id)
		return err
	})
}
