package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hark/storage"
	"hark/storage/sqldb"
)

// AdminConfig is what the commands need that work on the records themselves.
// They may run beside a server.
type AdminConfig struct {
	DatabaseConfig
	Workspace string `placeholder:"ID|NAME" help:"Workspace; may be left out when there is only one."`
}

// open opens the records, migrated, and finds the workspace.
func (a *AdminConfig) open(ctx context.Context) (*sqldb.DB, storage.Workspace, error) {
	if err := a.exists(); err != nil {
		return nil, storage.Workspace{}, err
	}
	db, err := a.openRecords(ctx)
	if err != nil {
		return nil, storage.Workspace{}, err
	}
	ws, err := a.findWorkspace(ctx, db)
	if err != nil {
		return nil, storage.Workspace{}, errors.Join(err, db.Close())
	}
	return db, ws, nil
}

// exists keeps a folder that was mistyped from becoming an empty Hark.
func (c *DatabaseConfig) exists() error {
	if err := c.resolve(); err != nil {
		return err
	}
	path, embedded := strings.CutPrefix(c.DatabaseURL, "sqlite://")
	if !embedded {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no Hark in %s; set HARK_DATA to its folder, or let 'hark serve' make one", filepath.Dir(path))
	}
	return nil
}

func (c *DatabaseConfig) openRecords(ctx context.Context) (*sqldb.DB, error) {
	if err := c.resolve(); err != nil {
		return nil, err
	}
	if _, err := c.makeData(slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, c.records(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("open records: %w", err)
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (a *AdminConfig) findWorkspace(ctx context.Context, db *sqldb.DB) (storage.Workspace, error) {
	all, err := db.Workspaces(ctx)
	if err != nil {
		return storage.Workspace{}, err
	}
	found := all
	if a.Workspace != "" {
		found = slices.DeleteFunc(slices.Clone(all), func(ws storage.Workspace) bool {
			return ws.ID != a.Workspace && !strings.EqualFold(ws.Name, a.Workspace)
		})
	}
	switch {
	case len(all) == 0:
		return storage.Workspace{}, errors.New("there is no workspace yet; 'hark serve' makes the first one")
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		found = all
	}
	var names []string
	for _, ws := range found {
		names = append(names, fmt.Sprintf("  %s  %s", ws.ID, printable(ws.Name)))
	}
	return storage.Workspace{}, fmt.Errorf("which workspace? Name one by --workspace, by its id if its name is not its own:\n%s", strings.Join(names, "\n"))
}

// openUser opens the records and finds one user; see findUser.
func (a *AdminConfig) openUser(ctx context.Context, want string) (*sqldb.DB, storage.User, error) {
	db, ws, err := a.open(ctx)
	if err != nil {
		return nil, storage.User{}, err
	}
	user, err := findUser(ctx, db, ws, want)
	if err != nil {
		return nil, storage.User{}, errors.Join(err, db.Close())
	}
	return db, user, nil
}

// findUser takes an id or a name; with neither, the owner.
func findUser(ctx context.Context, db *sqldb.DB, ws storage.Workspace, want string) (storage.User, error) {
	users, err := db.Users(ctx, ws.ID)
	if err != nil {
		return storage.User{}, err
	}
	for _, u := range users {
		if u.ID == want || (want != "" && strings.EqualFold(u.Name, want)) || (want == "" && u.Role == storage.Owner) {
			return u, nil
		}
	}
	return storage.User{}, fmt.Errorf("no user %q in workspace %s; see 'hark user list'", want, ws.Name)
}

// actor is the user as one who asks.
func actor(u storage.User) storage.Actor {
	return storage.Actor{WorkspaceID: u.WorkspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role}
}

type migrateCmd struct {
	DatabaseConfig
}

// Run migrates and says so.
func (m *migrateCmd) Run(ctx context.Context) error {
	db, err := m.openRecords(ctx)
	if err != nil {
		return err
	}
	return errors.Join(printLine("The database is at this version's schema."), db.Close())
}
