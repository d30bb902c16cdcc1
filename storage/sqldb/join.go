package sqldb

import (
	"cmp"
	"context"
	"time"

	"hark/storage"
)

// invitationByCode finds an invitation by the code of its link.
func (s session) invitationByCode(ctx context.Context, code string) (row invitationRow, err error) {
	err = s.Get(ctx, &row, selectInvitations+`WHERE i.hash = ?`, hashSecret(code))
	return row, err
}

// leadsTo are the conversations that who joins is put into now: those of the invitation
// that who made it is in still.
func (s session) leadsTo(ctx context.Context, row invitationRow) (to []storage.InvitedTo, err error) {
	err = s.List(ctx, &to, `SELECT c.id, c.title FROM invitation_conversations ic JOIN conversations c ON c.id = ic.conversation_id
		JOIN conversation_members m ON m.conversation_id = c.id AND m.user_id = ? WHERE ic.invitation_id = ? ORDER BY ic.place`, row.CreatedBy, row.ID)
	return to, err
}

// usable fails where nobody can join by an invitation. A guest is only where they are
// invited, so one that leads nowhere any more is as good as revoked.
func (r invitationRow) usable(now time.Time, to []storage.InvitedTo) error {
	state := r.state(now)
	if state == storage.InvitationOpen && !storage.JoinsGeneral(r.Role) && len(to) == 0 {
		state = storage.InvitationRevoked
	}
	if state != storage.InvitationOpen {
		return &storage.InvitationError{State: state}
	}
	return nil
}

// Welcome returns what an invitation tells who has the code of its link. A code that
// never was is storage.ErrNotFound; an invitation that is over is a
// [storage.InvitationError]. Nothing is used up.
func (db *DB) Welcome(ctx context.Context, code string) (w storage.Welcome, err error) {
	err = db.read(ctx, "read invitation", func(ctx context.Context, s session) error {
		row, err := s.invitationByCode(ctx, code)
		if err != nil {
			return err
		}
		to, err := s.leadsTo(ctx, row)
		if err != nil {
			return err
		}
		now, err := s.Clock(ctx)
		if err != nil {
			return err
		}
		if err := row.usable(now, to); err != nil {
			return err
		}
		w = storage.Welcome{Inviter: row.Maker, Role: row.Role, Email: row.Email}
		for _, one := range to {
			w.Conversations = append(w.Conversations, one.Title)
		}
		var space workspaceRow
		err = s.Get(ctx, &space, `SELECT w.id, w.name FROM workspaces w JOIN invitations i ON i.workspace_no = w.no WHERE i.id = ?`, row.ID)
		w.WorkspaceID, w.Workspace = space.ID, space.Name
		return err
	})
	return w, err
}

// Join makes a user of a name by an invitation, with the role that it gives and in the
// conversations that it leads to, and signs them in to a session like s. It fails as
// Welcome does; of two who take the last use at once, one gets it.
func (db *DB) Join(ctx context.Context, code, name string, s storage.SignIn) (joined storage.Joined, err error) {
	workspaceID, err := db.invitedTo(ctx, code)
	if err != nil {
		return joined, err
	}
	secret := newSecret()
	err = db.change(ctx, "join by invitation", workspaceID, func(ctx context.Context, t *tx) error {
		by, err := t.useInvitation(ctx, code, name)
		if err != nil {
			return err
		}
		joined.Session, err = t.createToken(ctx, by.user.ID, secret, storage.NewToken{Kind: storage.SessionToken, Name: cmp.Or(s.Name, "invitation"), Life: s.Life, Method: storage.ByInvite})
		if err != nil {
			return err
		}
		if err := t.markSession(ctx, s, &joined.Session); err != nil {
			return err
		}
		joined.Secret = secret
		joined.ConversationID, err = t.welcome(ctx, by, joined.Session, "")
		return err
	})
	return joined, err
}

// invitedTo is the workspace that an invitation is to.
func (db *DB) invitedTo(ctx context.Context, code string) (workspaceID string, err error) {
	err = db.read(ctx, "find workspace of invitation", func(ctx context.Context, r session) error {
		return r.Get(ctx, &workspaceID, `SELECT w.id FROM workspaces w JOIN invitations i ON i.workspace_no = w.no WHERE i.hash = ?`, hashSecret(code))
	})
	return workspaceID, err
}

// JoinAs is Join for who is signed in to another workspace of this Hark: they become a user
// of the same account here, and their session goes on here as [DB.Switch] has it, and fails
// as that does. Who has no account is storage.ErrForbidden. Who is here already is
// storage.ErrConflict, or storage.ErrDeactivated, and the invitation is not used up.
func (db *DB) JoinAs(ctx context.Context, principal storage.Principal, code, name string) (joined storage.Joined, err error) {
	workspaceID, err := db.invitedTo(ctx, code)
	if err != nil {
		return joined, err
	}
	secret := newSecret()
	err = db.changeBoth(ctx, "join by invitation", principal.WorkspaceID, workspaceID, func(ctx context.Context, here, there *tx) error {
		before, err := here.sessionToLeave(ctx, principal)
		if err != nil {
			return err
		}
		accountID, err := there.mayJoinAs(ctx, principal)
		if err != nil {
			return err
		}
		by, err := there.useInvitation(ctx, code, name)
		if err != nil {
			return err
		}
		if _, err := there.Exec(ctx, `UPDATE users SET account_id = ? WHERE id = ?`, accountID, by.user.ID); err != nil {
			return err
		}
		if joined.Session, err = there.takeOver(ctx, before, by.user.ID, secret); err != nil {
			return err
		}
		if err := here.leaveSession(ctx, principal, before); err != nil {
			return err
		}
		joined.Secret = secret
		joined.ConversationID, err = there.welcome(ctx, by, joined.Session, "")
		return err
	})
	return joined, err
}

// mayJoinAs returns the account of a principal of another workspace of whom there is no
// user here yet, and holds it.
func (t *tx) mayJoinAs(ctx context.Context, principal storage.Principal) (accountID string, err error) {
	account, err := t.accountOf(ctx, principal.UserID)
	if err != nil {
		return "", err
	}
	if account.ID == "" {
		return "", errNoAccount
	}
	if _, err := t.Exec(ctx, `UPDATE accounts SET email = email WHERE id = ?`, account.ID); err != nil {
		return "", err
	}
	var disabled []bool
	err = t.List(ctx, &disabled, `SELECT disabled_at > 0 FROM users WHERE account_id = ? AND workspace_no = ?`, account.ID, t.workspaceNo)
	switch {
	case err != nil:
		return "", err
	case len(disabled) > 0 && disabled[0]:
		return "", storage.ErrDeactivated
	case len(disabled) > 0:
		return "", storage.ErrConflict
	}
	return account.ID, nil
}

// invited is somebody who has just joined by an invitation.
type invited struct {
	user storage.User
	row  invitationRow
	to   []storage.InvitedTo // where they are put
}

// useInvitation makes a user of a name by an invitation, and uses it up once.
func (t *tx) useInvitation(ctx context.Context, code, name string) (by invited, err error) {
	err = t.Get(ctx, &by.row, selectInvitations+`WHERE i.hash = ? AND i.workspace_no = ?`, hashSecret(code), t.workspaceNo)
	if err != nil {
		return by, err
	}
	if by.to, err = t.leadsTo(ctx, by.row); err != nil {
		return by, err
	}
	if err := by.row.usable(t.now, by.to); err != nil {
		return by, err
	}
	if by.user, err = t.createUser(ctx, name, by.row.Role); err != nil {
		return by, err
	}
	if _, err := t.Exec(ctx, `UPDATE users SET invitation_id = ? WHERE id = ?`, by.row.ID, by.user.ID); err != nil {
		return by, err
	}
	_, err = t.Exec(ctx, `UPDATE invitations SET used = used + 1 WHERE id = ?`, by.row.ID)
	return by, err
}

// welcome puts somebody who has just joined where they belong, records it, and returns
// the conversation to open first. provider is the one that vouched for them, if any did.
func (t *tx) welcome(ctx context.Context, by invited, session storage.Token, provider string) (first string, err error) {
	user, to := by.user, by.to
	who := storage.Principal{UserID: user.ID, UserName: user.Name, CredentialID: session.ID}
	t.audit(ctx, who, storage.AuditUserCreated, onUser(user.ID), map[string]string{
		"name": user.Name, "role": string(user.Role), "invitation_id": by.row.ID, "provider": provider,
	})
	if err := t.auditSignIn(ctx, session, provider); err != nil {
		return "", err
	}
	if err := t.joinGeneral(ctx, who, user); err != nil {
		return "", err
	}
	for _, one := range to {
		if err := t.putInto(ctx, who, user.ID, one.ID); err != nil {
			return "", err
		}
	}
	if err := t.personEvent(ctx, storage.UserCreated, user); err != nil {
		return "", err
	}
	if by.row.ID != "" {
		if err := t.invitationEvent(ctx, storage.InvitationUpdated, by.row.ID); err != nil {
			return "", err
		}
	}
	if len(to) > 0 {
		return to[0].ID, nil
	}
	err = t.Get(ctx, &first, `SELECT general_id FROM workspaces WHERE no = ?`, t.workspaceNo)
	return first, err
}
