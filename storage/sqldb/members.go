package sqldb

import (
	"context"

	"hark/storage"
)

// addMember puts a user of the workspace into a conversation.
func (t *tx) addMember(ctx context.Context, conversationID, userID string) error {
	n, err := t.exec(ctx, `INSERT INTO conversation_members (conversation_id, user_id, joined_at)
		SELECT CAST(? AS TEXT), u.id, CAST(? AS BIGINT) FROM users u WHERE u.id = ? AND u.workspace_no = ?`,
		conversationID, toMS(t.now), userID, t.workspaceNo)
	if err == nil && n == 0 {
		return storage.ErrNotFound
	}
	return err
}

// ConversationMembers returns who is in a conversation that the actor is in,
// in the order in which they came.
func (db *DB) ConversationMembers(ctx context.Context, actor storage.Actor, id string) ([]storage.ConversationMember, error) {
	no, err := db.workspaceNo(ctx, actor.WorkspaceID)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		UserID   string `db:"user_id"`
		Name     string
		JoinedAt int64 `db:"joined_at"`
	}
	err = db.read(ctx, "list members", func(ctx context.Context, s session) error {
		if _, err := s.conversation(ctx, no, actor, id); err != nil {
			return err
		}
		return s.list(ctx, &rows, `SELECT m.user_id, u.name, m.joined_at FROM conversation_members m JOIN users u ON u.id = m.user_id
			WHERE m.conversation_id = ? ORDER BY m.joined_at, u.no`, id)
	})
	members := make([]storage.ConversationMember, len(rows))
	for i, r := range rows {
		members[i] = storage.ConversationMember{UserID: r.UserID, Name: r.Name, JoinedAt: fromMS(r.JoinedAt)}
	}
	return members, err
}

// AddConversationMember takes a user of the workspace into a channel. Any
// member but a guest may. A direct conversation stays between those it was
// made for: storage.ErrConflict, as is a user who is in it already.
func (db *DB) AddConversationMember(ctx context.Context, actor storage.Actor, id, userID string) error {
	return db.change(ctx, "add member", actor.WorkspaceID, func(ctx context.Context, t *tx) error {
		row, err := t.conversation(ctx, t.workspaceNo, actor, id)
		switch {
		case err != nil:
			return err
		case actor.Role == storage.Guest:
			return storage.ErrForbidden
		case row.Kind == storage.Direct:
			return storage.ErrConflict
		}
		if err := t.addMember(ctx, id, userID); err != nil {
			return err
		}
		t.event(storage.ConversationUpdated, id, "", nil)
		return t.reviseNewest(ctx, id)
	})
}

// RemoveConversationMember takes a user out of a channel: oneself or, for its
// maker, owners and admins, anybody. The last member cannot leave
// (storage.ErrConflict): delete the conversation instead.
func (db *DB) RemoveConversationMember(ctx context.Context, actor storage.Actor, id, userID string) error {
	return db.change(ctx, "remove member", actor.WorkspaceID, func(ctx context.Context, t *tx) error {
		row, err := t.conversation(ctx, t.workspaceNo, actor, id)
		switch {
		case err != nil:
			return err
		case userID != actor.UserID && row.CreatedBy != actor.UserID && !rules(actor):
			return storage.ErrForbidden
		case row.Kind == storage.Direct, row.MemberCount == 1 && userID == actor.UserID:
			return storage.ErrConflict
		}
		n, err := t.exec(ctx, `DELETE FROM conversation_members WHERE conversation_id = ? AND user_id = ?`, id, userID)
		if err != nil {
			return err
		}
		if n == 0 {
			return storage.ErrNotFound
		}
		t.event(storage.ConversationUpdated, id, "", nil)
		t.eventFor([]string{userID}, storage.ConversationDeleted, id) // gone, for the one who left
		return t.reviseNewest(ctx, id)
	})
}
