package sqldb

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"hark/storage"
)

type workspaceRow struct {
	No        int64
	ID        string
	Name      string
	CreatedAt int64 `db:"created_at"`
	storage.Rules
}

// ruleColumns are the rules of a workspace w.
const ruleColumns = `w.invite_members, w.invite_guests, w.create_channels, w.see_directory`

func (r workspaceRow) workspace() storage.Workspace {
	return storage.Workspace{ID: r.ID, Name: r.Name, CreatedAt: fromMS(r.CreatedAt), Rules: r.Whole()}
}

// Bootstrap makes the first workspace, its owner and its conversation for
// everybody when there is none, and returns that owner, who is not otherwise
// authenticated. Several nodes may call it at once: all get the same answer, and
// created is true for one. A name that is empty is not chosen; one that is given
// later stands in for one that nobody has chosen.
func (db *DB) Bootstrap(ctx context.Context, workspaceName, ownerName string) (principal storage.Principal, created bool, err error) {
	err = db.write(ctx, "bootstrap", func(ctx context.Context, t *tx) error {
		created = false
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		var users []struct {
			storage.User
			Workspace   string `db:"workspace"`
			WorkspaceNo int64  `db:"workspace_no"`
		}
		err := t.List(ctx, &users, `SELECT u.id, u.name, u.role, w.id AS workspace, w.no AS workspace_no FROM workspaces w JOIN users u ON u.workspace_no = w.no
			WHERE w.no = (SELECT MIN(no) FROM workspaces) AND u.role = ? AND u.disabled_at = 0 ORDER BY u.no LIMIT 1`, storage.Owner)
		if err != nil {
			return err
		}
		if len(users) == 0 {
			w, u, err := t.firstWorkspace(ctx, workspaceName, ownerName)
			principal = storage.Principal{WorkspaceID: w.ID, UserID: u.ID, UserName: u.Name, Role: u.Role}
			created = err == nil
			if err != nil {
				return err
			}
			return t.writeAudit(ctx)
		}
		u := users[0]
		t.workspaceNo, t.workspaceID = u.WorkspaceNo, u.Workspace
		principal = storage.Principal{WorkspaceID: u.Workspace, UserID: u.ID, UserName: u.Name, Role: u.Role}
		if workspaceName == "" && ownerName == "" {
			return nil
		}
		if err := t.lockWorkspace(ctx); err != nil {
			return err
		}
		if err := t.nameUnnamed(ctx, &principal, workspaceName, ownerName); err != nil {
			return err
		}
		return t.writeAudit(ctx)
	})
	return principal, created, err
}

func (t *tx) firstWorkspace(ctx context.Context, name, ownerName string) (w storage.Workspace, u storage.User, err error) {
	w, u, err = t.createWorkspace(ctx, cmp.Or(name, storage.UnchosenWorkspace), cmp.Or(ownerName, storage.UnchosenOwner))
	if err != nil {
		return w, u, err
	}
	general, err := t.createConversation(ctx, u.ID, storage.Channel, storage.GeneralTitle, []string{u.ID})
	if err != nil {
		return w, u, err
	}
	if err := t.setGeneral(ctx, general); err != nil {
		return w, u, err
	}
	if name == "" {
		if _, err := t.Exec(ctx, `UPDATE workspaces SET named = ? WHERE no = ?`, false, t.workspaceNo); err != nil {
			return w, u, err
		}
	}
	if ownerName == "" {
		_, err = t.Exec(ctx, `UPDATE users SET named = ? WHERE id = ?`, false, u.ID)
	}
	return w, u, err
}

// nameUnnamed gives names to what nobody has named.
func (t *tx) nameUnnamed(ctx context.Context, owner *storage.Principal, workspaceName, ownerName string) error {
	if workspaceName != "" {
		n, err := t.Exec(ctx, `UPDATE workspaces SET name = ?, named = ? WHERE no = ? AND named = ?`, workspaceName, true, t.workspaceNo, false)
		if err != nil {
			return err
		}
		if n > 0 {
			t.audit(ctx, storage.Principal{}, storage.AuditWorkspaceRenamed, t.onWorkspace(), map[string]string{"from": storage.UnchosenWorkspace, "to": workspaceName})
		}
	}
	if ownerName == "" {
		return nil
	}
	n, err := t.Exec(ctx, `UPDATE users SET name = ?, named = ? WHERE id = ? AND named = ?`, ownerName, true, owner.UserID, false)
	if err == nil && n > 0 {
		t.audit(ctx, storage.Principal{}, storage.AuditUserRenamed, onUser(owner.UserID), map[string]string{"from": owner.UserName, "to": ownerName})
		owner.UserName = ownerName
	}
	return err
}

// CreateWorkspace makes a workspace with its owner.
func (db *DB) CreateWorkspace(ctx context.Context, name, ownerName string) (w storage.Workspace, u storage.User, err error) {
	err = db.write(ctx, "create workspace", func(ctx context.Context, t *tx) error {
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		if w, u, err = t.createWorkspace(ctx, name, ownerName); err != nil {
			return err
		}
		return t.writeAudit(ctx)
	})
	return w, u, err
}

// CreateWorkspaceFor makes a workspace with a conversation for everybody, and its owner, who
// gets in by the account that they have, or that is made of their address. Who has no
// account of those that are meant is storage.ErrForbidden.
func (db *DB) CreateWorkspaceFor(ctx context.Context, name string, owner storage.NewOwner) (w storage.Workspace, u storage.User, err error) {
	if name, err = storage.CleanName(name); err != nil {
		return w, u, fmt.Errorf("create workspace: %w", err)
	}
	err = db.write(ctx, "create workspace", func(ctx context.Context, t *tx) error {
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		account, known, err := t.accountOfOwner(ctx, owner)
		if err != nil {
			return err
		}
		if w, u, err = t.firstWorkspace(ctx, name, cmp.Or(owner.Name, known)); err != nil {
			return err
		}
		switch {
		case account.ID != "":
			_, err = t.Exec(ctx, `UPDATE users SET account_id = ? WHERE id = ?`, account.ID, u.ID)
		case owner.Email != "":
			account.UserID = u.ID
			err = t.writeAccount(ctx, &account)
		}
		if err != nil {
			return err
		}
		if u, err = t.user(ctx, u.ID); err != nil { // with their address
			return err
		}
		return t.writeAudit(ctx)
	})
	return w, u, err
}

// accountOfOwner is the account that a new owner has, and the name by which they went last;
// without an id where it is to be made, or there is to be none.
func (t *tx) accountOfOwner(ctx context.Context, owner storage.NewOwner) (account accountRow, name string, err error) {
	var row struct {
		ID, Name string
	}
	find := statement{`SELECT a.id, u.name FROM accounts a JOIN users u ON u.account_id = a.id WHERE u.id = ?`, []any{owner.UserID}}
	if owner.UserID == "" {
		if owner.Email == "" {
			return account, "", nil
		}
		if err := storage.CheckEmail(owner.Email); err != nil {
			return account, "", err
		}
		find = statement{`SELECT a.id, u.name FROM accounts a JOIN users u ON u.account_id = a.id WHERE a.email_key = ?
			ORDER BY CASE WHEN u.id = a.last_user_id THEN 0 ELSE 1 END, u.created_at, u.id LIMIT 1`, []any{clean(storage.EmailKey(owner.Email))}}
	}
	err = t.getOne(ctx, &row, find)
	if errors.Is(err, storage.ErrNotFound) {
		if owner.UserID != "" {
			return account, "", errNoAccount
		}
		return accountRow{Email: owner.Email}, "", nil
	}
	return accountRow{ID: row.ID}, row.Name, err
}

var errNoAccount = &storage.ForbiddenError{Reason: "Set an e-mail address to sign in by first: by it you switch between workspaces."}

// lockInstance makes this the only transaction that makes workspaces.
func (t *tx) lockInstance(ctx context.Context) error {
	var name string
	return t.Get(ctx, &name, t.ForUpdate(`SELECT name FROM instance WHERE name = ?`), cursorKey)
}

func (t *tx) createWorkspace(ctx context.Context, name, ownerName string) (storage.Workspace, storage.User, error) {
	w := workspaceRow{ID: storage.NewID(), Name: clean(name), CreatedAt: toMS(t.now)}
	err := t.Get(ctx, &w.No, `INSERT INTO workspaces (no, id, name, created_at)
		VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM workspaces), ?, ?, ?) RETURNING no`, w.ID, w.Name, w.CreatedAt)
	if err != nil {
		return storage.Workspace{}, storage.User{}, err
	}
	t.workspaceNo, t.workspaceID = w.No, w.ID
	t.audit(ctx, storage.Principal{}, storage.AuditWorkspaceCreated, t.onWorkspace(), map[string]string{"name": w.Name})
	u, err := t.createUser(ctx, ownerName, storage.Owner)
	t.audit(ctx, storage.Principal{}, storage.AuditUserCreated, onUser(u.ID), map[string]string{"name": u.Name, "role": string(u.Role)})
	return w.workspace(), u, err
}

// Workspaces returns all workspaces, oldest first.
func (db *DB) Workspaces(ctx context.Context) ([]storage.Workspace, error) {
	var rows []workspaceRow
	err := db.read(ctx, "list workspaces", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, `SELECT w.no, w.id, w.name, w.created_at, `+ruleColumns+` FROM workspaces w ORDER BY w.no`)
	})
	workspaces := make([]storage.Workspace, len(rows))
	for i, r := range rows {
		workspaces[i] = r.workspace()
	}
	return workspaces, err
}

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
	return t.putInto(ctx, by, u.ID, general)
}

// rules are the workspace's rules as they are now.
func (t *tx) rules(ctx context.Context) (r storage.Rules, err error) {
	err = t.Get(ctx, &r, `SELECT `+ruleColumns+` FROM workspaces w WHERE w.no = ?`, t.workspaceNo)
	return r, err
}

// SetRules changes those of the workspace's rules that are not empty. Owners and admins
// may; others get storage.ErrForbidden. Open invitations end that who made them could not
// make any more.
func (db *DB) SetRules(ctx context.Context, principal storage.Principal, changed storage.Rules) (p storage.Profile, err error) {
	if err := storage.CheckRules(changed); err != nil {
		return p, fmt.Errorf("change rules: %w", err)
	}
	err = db.changeBy(ctx, "change rules", principal, func(ctx context.Context, t *tx) error {
		who, err := t.asNow(ctx, principal)
		if err != nil {
			return err
		}
		if !storage.MayChangeRules(who) {
			return storage.ErrForbidden
		}
		if p, err = t.profile(ctx, principal); err != nil {
			return err
		}
		before := p.Workspace.Rules
		for i, to := range changed.Each() {
			rule := p.Workspace.Rules.Each()[i]
			if *to.Allowed == "" || *to.Allowed == *rule.Allowed {
				continue
			}
			t.audit(ctx, principal, storage.AuditRuleChanged, t.onWorkspace(), map[string]string{"rule": rule.Name, "from": string(*rule.Allowed), "to": string(*to.Allowed)})
			*rule.Allowed = *to.Allowed
		}
		if p.Workspace.Rules == before {
			return nil
		}
		return t.writeRules(ctx, principal, p.Workspace)
	})
	return p, err
}

// writeRules has the rules of a workspace hold from now on.
func (t *tx) writeRules(ctx context.Context, by storage.Principal, w storage.Workspace) error {
	_, err := t.Exec(ctx, `UPDATE workspaces SET invite_members = ?, invite_guests = ?, create_channels = ?, see_directory = ? WHERE no = ?`,
		w.Rules.InviteMembers, w.Rules.InviteGuests, w.Rules.CreateChannels, w.Rules.SeeDirectory, t.workspaceNo)
	if err != nil {
		return err
	}
	if err := t.endInvitations(ctx, by, ""); err != nil {
		return err
	}
	if err := t.reviseNewestOfAll(ctx); err != nil {
		return err
	}
	return t.workspaceEvent(ctx, w.Rules, map[string]any{"rules": w.Rules})
}
