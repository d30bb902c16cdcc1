package sqldb

import (
	"context"

	"hark/storage"
)

// addMember puts a user of the workspace into a conversation. Where that shows nothing of
// its past, what they see begins now, behind all that was sent.
func (t *tx) addMember(ctx context.Context, conversationID, userID string) error {
	now := toMS(t.now)
	n, err := t.Exec(ctx, `INSERT INTO conversation_members (conversation_id, user_id, joined_at, shown_since)
		SELECT c.id, u.id, CAST(? AS BIGINT), CASE WHEN c.history = ? THEN CASE WHEN c.last_message_at >= ? THEN c.last_message_at + 1 ELSE CAST(? AS BIGINT) END ELSE 0 END
		FROM conversations c JOIN users u ON u.workspace_no = c.workspace_no WHERE c.id = ? AND u.id = ? AND u.workspace_no = ?`,
		now, storage.HistoryFromJoining, now, now, conversationID, userID, t.workspaceNo)
	if err == nil && n == 0 {
		return storage.ErrNotFound
	}
	return err
}

// putInto puts a user into a channel, who may be in it already: it may be the one for
// everybody.
func (t *tx) putInto(ctx context.Context, by storage.Principal, userID, conversationID string) error {
	if in, err := t.isMember(ctx, conversationID, userID); err != nil || in {
		return err
	}
	if err := t.addMember(ctx, conversationID, userID); err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditMemberAdded, onMember(userID, conversationID), nil)
	t.event(storage.ConversationUpdated, conversationID, "", nil)
	return t.reviseNewest(ctx, conversationID)
}

// isMember says whether a user is in a conversation.
func (t *tx) isMember(ctx context.Context, conversationID, userID string) (in bool, err error) {
	err = t.Get(ctx, &in, `SELECT EXISTS (SELECT 1 FROM conversation_members WHERE conversation_id = ? AND user_id = ?)`, conversationID, userID)
	return in, err
}

// ConversationMembers returns who is in a conversation that the principal is in,
// in the order in which they came.
func (db *DB) ConversationMembers(ctx context.Context, principal storage.Principal, id string) ([]storage.ConversationMember, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		UserID   string `db:"user_id"`
		Name     string
		No       int64
		Kind     storage.UserKind
		Role     storage.Role
		JoinedAt int64 `db:"joined_at"`
	}
	err = db.read(ctx, "list members", func(ctx context.Context, s session) error {
		if _, err := s.conversation(ctx, no, principal, id); err != nil {
			return err
		}
		return s.List(ctx, &rows, `SELECT m.user_id, u.name, u.no, u.kind, u.role, m.joined_at FROM conversation_members m JOIN users u ON u.id = m.user_id
			WHERE m.conversation_id = ? ORDER BY m.joined_at, u.no`, id)
	})
	members := make([]storage.ConversationMember, len(rows))
	for i, r := range rows {
		members[i] = storage.ConversationMember{UserID: r.UserID, Name: r.Name, UserNo: r.No, Kind: r.Kind, Role: r.Role, JoinedAt: fromMS(r.JoinedAt)}
	}
	return members, err
}

// errGuestsInvited is the error of a guest added by who may not invite one.
var errGuestsInvited = &storage.ForbiddenError{Reason: "Guests are added to channels by owners and admins of the workspace."}

// AddConversationMember takes a user of the workspace into a channel, as
// [storage.MayAddMember] says. A direct conversation stays between those it was
// made for: storage.ErrConflict, as is a user who is in it already.
func (db *DB) AddConversationMember(ctx context.Context, principal storage.Principal, id, userID string) error {
	return db.changeBy(ctx, "add member", principal, func(ctx context.Context, t *tx) error {
		row, err := t.conversation(ctx, t.workspaceNo, principal, id)
		if err != nil {
			return err
		}
		who, err := t.asNow(ctx, principal)
		switch {
		case err != nil:
			return err
		case !storage.MayAddMembers(who): // nor may they learn who there is to add
			return storage.ErrForbidden
		case row.Kind == storage.Direct:
			return storage.ErrConflict
		}
		if err := t.mayAdd(ctx, who, userID); err != nil {
			return err
		}
		if err := t.addMember(ctx, id, userID); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditMemberAdded, onMember(userID, id), nil)
		t.event(storage.ConversationUpdated, id, "", nil)
		return t.reviseNewest(ctx, id)
	})
}

// addable finds a user, of those who are allowed, to be put into a conversation: another
// is not there, and who is disabled not to be talked to.
func (t *tx) addable(ctx context.Context, allowed statement, id string) (storage.User, error) {
	var row userRow
	err := t.getOne(ctx, &row, statement{`SELECT ` + userColumns + ` FROM users u WHERE u.id = ? AND u.workspace_no = ?`, []any{id, t.workspaceNo}}.with(allowed))
	if err == nil && row.Disabled {
		err = storage.ErrNotFound
	}
	return row.user(t.workspaceID), err
}

// mayAdd fails where the principal may not take the users into a channel.
func (t *tx) mayAdd(ctx context.Context, principal storage.Principal, userIDs ...string) error {
	for _, id := range userIDs {
		user, err := t.addable(ctx, known(principal), id)
		if err != nil {
			return err
		}
		if !storage.MayAddMember(principal, user) {
			return errGuestsInvited
		}
	}
	return nil
}

// RemoveConversationMember takes a user out of a channel, as
// [storage.MayRemoveMember] says. The last member cannot leave
// (storage.ErrConflict): delete the conversation instead.
func (db *DB) RemoveConversationMember(ctx context.Context, principal storage.Principal, id, userID string) error {
	return db.changeBy(ctx, "remove member", principal, func(ctx context.Context, t *tx) error {
		row, err := t.conversation(ctx, t.workspaceNo, principal, id)
		if err != nil {
			return err
		}
		in, err := t.isMember(ctx, id, userID)
		if err == nil && !in { // nor may they learn whether there is such a user
			err = storage.ErrNotFound
		}
		if err != nil {
			return err
		}
		user, err := t.user(ctx, userID)
		switch {
		case err != nil:
			return err
		case !storage.MayRemoveMember(principal, row.CreatedBy, user):
			return storage.ErrForbidden
		case row.Kind == storage.Direct, row.MemberCount == 1 && userID == principal.UserID:
			return storage.ErrConflict
		}
		if _, err := t.Exec(ctx, `DELETE FROM conversation_members WHERE conversation_id = ? AND user_id = ?`, id, userID); err != nil {
			return err
		}
		t.audit(ctx, principal, storage.AuditMemberRemoved, onMember(userID, id), nil)
		t.event(storage.ConversationUpdated, id, "", nil)
		t.eventFor([]string{userID}, storage.ConversationDeleted, id, "", nil) // gone, for the one who left
		return t.reviseNewest(ctx, id)
	})
}
