package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/cmd/hark/terminal"
	"hark/storage"
	"hark/storage/sqldb"
)

// AdminConfig is what the commands need that work on the records themselves.
// They may run beside a server.
type AdminConfig struct {
	config.DatabaseConfig
	Workspace string `placeholder:"ID|NAME" help:"Workspace; optional when there is only one."`
}

// open opens the records, migrated, and finds the workspace.
func (a *AdminConfig) open(ctx context.Context) (*sqldb.DB, storage.Workspace, error) {
	if err := a.Exists(); err != nil {
		return nil, storage.Workspace{}, err
	}
	db, err := server.OpenRecords(ctx, &a.DatabaseConfig)
	if err != nil {
		return nil, storage.Workspace{}, err
	}
	ws, err := a.findWorkspace(ctx, db)
	if err != nil {
		return nil, storage.Workspace{}, errors.Join(err, db.Close())
	}
	return db, ws, nil
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
		names = append(names, fmt.Sprintf("  %s  %s", ws.ID, terminal.Printable(ws.Name)))
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

// findUser takes the id or the name of a person; with neither, the first owner.
func findUser(ctx context.Context, db *sqldb.DB, ws storage.Workspace, want string) (storage.User, error) {
	return findOf(ctx, db, ws, storage.KindPerson, want)
}

// usersOf are a workspace's users of a kind.
func usersOf(ctx context.Context, db *sqldb.DB, ws storage.Workspace, kind storage.UserKind) ([]storage.User, error) {
	users, err := db.Users(ctx, ws.ID)
	return slices.DeleteFunc(users, func(u storage.User) bool { return u.Kind != kind }), err
}

// findOf is findUser for users of a kind.
func findOf(ctx context.Context, db *sqldb.DB, ws storage.Workspace, kind storage.UserKind, want string) (storage.User, error) {
	users, err := usersOf(ctx, db, ws, kind)
	if err != nil {
		return storage.User{}, err
	}
	var found []storage.User
	for _, u := range users {
		if u.ID == want || want == "" && u.Role.Owns() && !u.Disabled {
			return u, nil
		}
		if strings.EqualFold(u.Name, strings.TrimSpace(want)) {
			found = append(found, u)
		}
	}
	command := map[storage.UserKind]string{storage.KindPerson: "user", storage.KindIntegration: "integration"}[kind]
	switch len(found) {
	case 0:
		return storage.User{}, fmt.Errorf("no %s %q in workspace %s; see 'hark %s list'", command, want, terminal.Printable(ws.Name), command)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, u := range found {
		ids = append(ids, fmt.Sprintf("  %s  %s", u.ID, u.CreatedAt.Local().Format("2 Jan 2006")))
	}
	return storage.User{}, fmt.Errorf("%w %s; give the id of one:\n%s", errSameName, terminal.Printable(want), strings.Join(ids, "\n"))
}

// errSameName is the error of a name that is more than one user's.
var errSameName = errors.New("more than one user is called")

// principal is the user as one who asks.
func principal(u storage.User) storage.Principal {
	return storage.Principal{WorkspaceID: u.WorkspaceID, UserID: u.ID, UserName: u.Name, Kind: u.Kind, Role: u.Role}
}

type migrateCmd struct {
	config.DatabaseConfig
}

// Run migrates and says so.
func (m *migrateCmd) Run(ctx context.Context) error {
	db, err := server.OpenRecords(ctx, &m.DatabaseConfig)
	if err != nil {
		return err
	}
	return errors.Join(terminal.PrintLine("The database is at this version's schema."), db.Close())
}
