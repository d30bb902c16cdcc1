package sqldb

import (
	"context"

	"hark/storage"
)

type workspaceRow struct {
	No        int64
	ID        string
	Name      string
	CreatedAt int64 `db:"created_at"`
}

func (r workspaceRow) workspace() storage.Workspace {
	return storage.Workspace{ID: r.ID, Name: r.Name, CreatedAt: fromMS(r.CreatedAt)}
}

// Bootstrap makes the first workspace and its owner when there is none, and
// returns that owner, who is not otherwise authenticated. Several nodes may
// call it at once: all get the same answer, and created is true for one.
func (db *DB) Bootstrap(ctx context.Context, workspaceName, ownerName string) (actor storage.Actor, created bool, err error) {
	err = db.write(ctx, "bootstrap", func(ctx context.Context, t *tx) error {
		created = false
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		var users []struct {
			storage.User
			Workspace string `db:"workspace"`
		}
		err := t.list(ctx, &users, `SELECT u.id, u.name, u.role, w.id AS workspace FROM workspaces w JOIN users u ON u.workspace_no = w.no
			WHERE w.no = (SELECT MIN(no) FROM workspaces) AND u.role = ? ORDER BY u.no LIMIT 1`, storage.Owner)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			u := users[0]
			actor = storage.Actor{WorkspaceID: u.Workspace, UserID: u.ID, UserName: u.Name, Role: u.Role}
			return nil
		}
		w, u, err := t.createWorkspace(ctx, workspaceName, ownerName)
		actor = storage.Actor{WorkspaceID: w.ID, UserID: u.ID, UserName: u.Name, Role: u.Role}
		created = err == nil
		return err
	})
	return actor, created, err
}

// CreateWorkspace makes a workspace with its owner.
func (db *DB) CreateWorkspace(ctx context.Context, name, ownerName string) (w storage.Workspace, u storage.User, err error) {
	err = db.write(ctx, "create workspace", func(ctx context.Context, t *tx) error {
		if err := t.lockInstance(ctx); err != nil {
			return err
		}
		w, u, err = t.createWorkspace(ctx, name, ownerName)
		return err
	})
	return w, u, err
}

// lockInstance makes this the only transaction that makes workspaces.
func (t *tx) lockInstance(ctx context.Context) error {
	var name string
	return t.get(ctx, &name, t.dialect.forUpdate(`SELECT name FROM instance WHERE name = ?`), cursorKey)
}

func (t *tx) createWorkspace(ctx context.Context, name, ownerName string) (storage.Workspace, storage.User, error) {
	w := workspaceRow{ID: storage.NewID(), Name: clean(name), CreatedAt: toMS(t.now)}
	err := t.get(ctx, &w.No, `INSERT INTO workspaces (no, id, name, created_at)
		VALUES ((SELECT COALESCE(MAX(no), 0) + 1 FROM workspaces), ?, ?, ?) RETURNING no`, w.ID, w.Name, w.CreatedAt)
	if err != nil {
		return storage.Workspace{}, storage.User{}, err
	}
	t.workspaceNo, t.workspaceID = w.No, w.ID
	u, err := t.createUser(ctx, ownerName, storage.Owner)
	return w.workspace(), u, err
}

// Workspaces returns all workspaces, oldest first.
func (db *DB) Workspaces(ctx context.Context) ([]storage.Workspace, error) {
	var rows []workspaceRow
	err := db.read(ctx, "list workspaces", func(ctx context.Context, s session) error {
		return s.list(ctx, &rows, `SELECT no, id, name, created_at FROM workspaces ORDER BY no`)
	})
	workspaces := make([]storage.Workspace, len(rows))
	for i, r := range rows {
		workspaces[i] = r.workspace()
	}
	return workspaces, err
}

// CreateUser makes a user in a workspace.
func (db *DB) CreateUser(ctx context.Context, workspaceID, name string, role storage.Role) (u storage.User, err error) {
	err = db.change(ctx, "create user", workspaceID, func(ctx context.Context, t *tx) error {
		u, err = t.createUser(ctx, name, role)
		return err
	})
	return u, err
}

func (t *tx) createUser(ctx context.Context, name string, role storage.Role) (storage.User, error) {
	if err := storage.CheckRole(role); err != nil {
		return storage.User{}, err
	}
	no, err := t.next(ctx, "last_user", 1)
	if err != nil {
		return storage.User{}, err
	}
	u := storage.User{ID: storage.NewID(), WorkspaceID: t.workspaceID, Name: clean(name), Role: role, CreatedAt: t.now}
	_, err = t.exec(ctx, `INSERT INTO users (id, workspace_no, no, name, role, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		u.ID, t.workspaceNo, no, u.Name, u.Role, toMS(u.CreatedAt))
	return u, err
}

// Users returns the users of a workspace in the order in which they came.
func (db *DB) Users(ctx context.Context, workspaceID string) ([]storage.User, error) {
	no, err := db.workspaceNo(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID        string
		Name      string
		Role      storage.Role
		CreatedAt int64 `db:"created_at"`
	}
	err = db.read(ctx, "list users", func(ctx context.Context, s session) error {
		return s.list(ctx, &rows, `SELECT id, name, role, created_at FROM users WHERE workspace_no = ? ORDER BY no`, no)
	})
	users := make([]storage.User, len(rows))
	for i, r := range rows {
		users[i] = storage.User{ID: r.ID, WorkspaceID: workspaceID, Name: r.Name, Role: r.Role, CreatedAt: fromMS(r.CreatedAt)}
	}
	return users, err
}
