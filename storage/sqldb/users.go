package sqldb

import (
	"context"
	"fmt"

	"hark/storage"
)

// CreateUser makes a user in a workspace. Whoever is no guest joins the
// conversation that everybody joins, if there is one.
func (db *DB) CreateUser(ctx context.Context, workspaceID, name string, role storage.Role) (u storage.User, err error) {
	err = db.change(ctx, "create user", workspaceID, func(ctx context.Context, t *tx) error {
		if u, err = t.createUser(ctx, name, role); err != nil {
			return err
		}
		t.audit(ctx, storage.Principal{}, storage.AuditUserCreated, onUser(u.ID), map[string]string{"name": u.Name, "role": string(u.Role)})
		if err := t.joinGeneral(ctx, storage.Principal{}, u); err != nil {
			return err
		}
		return t.personEvent(ctx, storage.UserCreated, u)
	})
	return u, err
}

func (t *tx) createUser(ctx context.Context, name string, role storage.Role) (storage.User, error) {
	if err := storage.CheckRole(role); err != nil {
		return storage.User{}, err
	}
	name, err := storage.CleanName(name)
	if err != nil {
		return storage.User{}, err
	}
	no, err := t.next(ctx, "last_user", 1)
	if err != nil {
		return storage.User{}, err
	}
	u := storage.User{ID: storage.NewID(), WorkspaceID: t.workspaceID, Kind: storage.KindPerson, Name: name, Named: true, Role: role, No: no, CreatedAt: t.now}
	_, err = t.Exec(ctx, `INSERT INTO users (id, workspace_no, no, name, role, created_at, sought, sought_of) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID, t.workspaceNo, no, u.Name, u.Role, toMS(u.CreatedAt), sought(u.Name), u.Name)
	return u, err
}

type userRow struct {
	ID        string
	Kind      storage.UserKind
	No        int64
	Name      string
	Named     bool
	Role      storage.Role
	Email     string
	Disabled  bool
	CreatedAt int64 `db:"created_at"`

	Picture       string
	Pronunciation string
}

const userColumns = `u.id, u.kind, u.no, u.name, u.named, u.role, COALESCE((SELECT a.email FROM accounts a WHERE a.id = u.account_id), '') AS email,
	u.disabled_at > 0 AS disabled, u.created_at, u.picture, u.pronunciation`

func (r userRow) user(workspaceID string) storage.User {
	return storage.User{
		ID: r.ID, WorkspaceID: workspaceID, Kind: r.Kind, Name: r.Name, Named: r.Named, Role: r.Role, Email: r.Email, Disabled: r.Disabled, No: r.No, CreatedAt: fromMS(r.CreatedAt),
		PictureKey: r.Picture, PronunciationKey: r.Pronunciation,
	}
}

// user finds a user of the workspace.
func (t *tx) user(ctx context.Context, id string) (storage.User, error) {
	var row userRow
	err := t.Get(ctx, &row, `SELECT `+userColumns+` FROM users u WHERE u.id = ? AND u.workspace_no = ?`, id, t.workspaceNo)
	return row.user(t.workspaceID), err
}

// People returns the users of whom the principal knows, in the order in which they came.
func (db *DB) People(ctx context.Context, principal storage.Principal) ([]storage.User, error) {
	no, err := db.workspaceNo(ctx, principal.WorkspaceID)
	if err != nil {
		return nil, err
	}
	var rows []userRow
	err = db.read(ctx, "list people", func(ctx context.Context, s session) error {
		rows, err = s.usersKnown(ctx, no, principal)
		return err
	})
	return usersOf(principal.WorkspaceID, rows), err
}

func (s session) usersKnown(ctx context.Context, workspaceNo int64, principal storage.Principal) (rows []userRow, err error) {
	err = s.listAll(ctx, &rows, statement{`SELECT ` + userColumns + ` FROM users u WHERE u.workspace_no = ?`, []any{workspaceNo}}.
		with(known(principal)).and(` ORDER BY u.no`))
	return rows, err
}

func usersOf(workspaceID string, rows []userRow) []storage.User {
	users := make([]storage.User, len(rows))
	for i, r := range rows {
		users[i] = r.user(workspaceID)
	}
	return users
}

// Users returns the users of a workspace, for its operator, in the order in which they came.
func (db *DB) Users(ctx context.Context, workspaceID string) ([]storage.User, error) {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	var rows []userRow
	err = db.read(ctx, "list users", func(ctx context.Context, s session) error {
		return s.List(ctx, &rows, `SELECT `+userColumns+` FROM users u WHERE u.workspace_no = ? ORDER BY u.no`, no)
	})
	return usersOf(workspaceID, rows), err
}

// DisableUser keeps a user of a workspace out: all their credentials end now,
// and with them their streams and recordings, and they get no more. What they
// said stays, and so do their memberships; the channels that they made are handed
// over. The last owner cannot be disabled: storage.ErrLastOwner.
func (db *DB) DisableUser(ctx context.Context, workspaceID, userID string) error {
	return db.switchUser(ctx, "disable user", workspaceID, userID, true)
}

// EnableUser lets a user in again who was disabled. The credentials that they
// had stay ended.
func (db *DB) EnableUser(ctx context.Context, workspaceID, userID string) error {
	return db.switchUser(ctx, "enable user", workspaceID, userID, false)
}

// switchUser is for the operator, whom no policy bounds; for everybody else there is
// [DB.ChangeMember].
func (db *DB) switchUser(ctx context.Context, op, workspaceID, userID string, disabled bool) error {
	return db.change(ctx, op, workspaceID, func(ctx context.Context, t *tx) error {
		user, err := t.user(ctx, userID)
		if err != nil || user.Disabled == disabled {
			return err
		}
		return t.setDisabled(ctx, storage.Principal{}, user, disabled)
	})
}

// Profile returns the principal and the workspace that they are in, as both are now.
func (db *DB) Profile(ctx context.Context, principal storage.Principal) (p storage.Profile, err error) {
	err = db.read(ctx, "read profile", func(ctx context.Context, s session) error {
		p, err = s.profile(ctx, principal)
		return err
	})
	return p, err
}

func (s session) profile(ctx context.Context, principal storage.Principal) (storage.Profile, error) {
	var row struct {
		userRow
		Workspace        string
		WorkspaceName    string `db:"workspace_name"`
		WorkspaceNamed   bool   `db:"workspace_named"`
		WorkspaceCreated int64  `db:"workspace_created"`
		General          string
		SignsIn          bool `db:"signs_in"`
		Elsewhere        bool
		storage.Rules
		personalRow
	}
	err := s.getOne(ctx, &row, statement{text: `SELECT ` + userColumns + `, w.id AS workspace, w.name AS workspace_name, w.named AS workspace_named, w.created_at AS workspace_created, ` + ruleColumns + `, ` + personalColumns + `,
			COALESCE(me.conversation_id, '') AS general, ` + waysIn + ` > 0 AS signs_in, ` + elsewhere + ` AS elsewhere
		FROM users u JOIN workspaces w ON w.no = u.workspace_no LEFT JOIN accounts a ON a.id = u.account_id LEFT JOIN `}.with(visible(principal)).
		and(` me ON me.conversation_id = w.general_id WHERE u.id = ? AND w.id = ?`, principal.UserID, principal.WorkspaceID))
	if err != nil {
		return storage.Profile{}, err
	}
	personal, err := row.personal()
	return storage.Profile{
		User: row.user(principal.WorkspaceID), Personal: personal,
		Workspace: storage.Workspace{
			ID: row.Workspace, Name: row.WorkspaceName, Named: row.WorkspaceNamed, CreatedAt: fromMS(row.WorkspaceCreated), GeneralID: row.General, Rules: row.Rules,
		},
		SignsIn: row.SignsIn, Elsewhere: row.Elsewhere,
	}, err
}

// RenameWorkspace gives the workspace another name. Owners and admins may;
// others get storage.ErrForbidden.
func (db *DB) RenameWorkspace(ctx context.Context, principal storage.Principal, name string) (p storage.Profile, err error) {
	name, err = storage.CleanName(name)
	if err != nil {
		return p, fmt.Errorf("rename workspace: %w", err)
	}
	err = db.changeBy(ctx, "rename workspace", principal, func(ctx context.Context, t *tx) error {
		if !storage.MayNameWorkspace(principal) {
			return storage.ErrForbidden
		}
		if p, err = t.profile(ctx, principal); err != nil || p.Workspace.Name == name && p.Workspace.Named {
			return err
		}
		t.audit(ctx, principal, storage.AuditWorkspaceRenamed, t.onWorkspace(), map[string]string{"from": p.Workspace.Name, "to": name})
		p.Workspace.Name, p.Workspace.Named = name, true
		if _, err := t.Exec(ctx, `UPDATE workspaces SET name = ?, named = ? WHERE no = ?`, name, true, t.workspaceNo); err != nil {
			return err
		}
		if err := t.reviseNewestOfAll(ctx); err != nil {
			return err
		}
		return t.workspaceEvent(ctx, p.Workspace.Rules, map[string]any{"name": name})
	})
	return p, err
}
