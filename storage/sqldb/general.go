package sqldb

import (
	"context"

	"hark/storage"
)

// setGeneral makes a conversation the one that everybody joins who is added to
// the workspace.
func (t *tx) setGeneral(ctx context.Context, conversationID string) error {
	_, err := t.Exec(ctx, `UPDATE workspaces SET general_id = ? WHERE no = ?`, conversationID, t.workspaceNo)
	return err
}

// forgetGeneral notes that a conversation is going, which everybody may have joined.
func (t *tx) forgetGeneral(ctx context.Context, conversationID string) error {
	_, err := t.Exec(ctx, `UPDATE workspaces SET general_id = '' WHERE no = ? AND general_id = ?`, t.workspaceNo, conversationID)
	return err
}

// joinGeneral puts somebody new where everybody is. A guest is only where they
// are invited. by is who made them a user, or another than a guest.
func (t *tx) joinGeneral(ctx context.Context, by storage.Principal, u storage.User) error {
	if !storage.JoinsGeneral(u.Role) {
		return nil
	}
	var general string
	if err := t.Get(ctx, &general, `SELECT general_id FROM workspaces WHERE no = ?`, t.workspaceNo); err != nil || general == "" {
		return err
	}
	if in, err := t.isMember(ctx, general, u.ID); err != nil || in { // a guest may have been invited there before
		return err
	}
	if err := t.addMember(ctx, general, u.ID); err != nil {
		return err
	}
	t.audit(ctx, by, storage.AuditMemberAdded, onMember(u.ID, general), nil)
	t.event(storage.ConversationUpdated, general, "", nil)
	return t.reviseNewest(ctx, general)
}
