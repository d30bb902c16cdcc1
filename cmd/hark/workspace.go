package main

import (
	"context"
	"errors"
	"os"

	"hark/api/people"
	"hark/cmd/hark/terminal"
	"hark/storage"
)

type workspaceCmd struct {
	Rename workspaceRenameCmd `cmd:"" help:"Rename the workspace."`
	Show   workspaceShowCmd   `cmd:"" help:"Print the workspace's name and its rules."`
	Set    workspaceSetCmd    `cmd:"" help:"Change the workspace's name and rules."`
}

type workspaceRenameCmd struct {
	AdminConfig
	Name string `arg:"" help:"New name."`
}

// Run renames the workspace, as its owner would.
func (w *workspaceRenameCmd) Run(ctx context.Context) error {
	db, owner, err := w.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	renamed, err := db.RenameWorkspace(ctx, principal(owner), w.Name)
	if err != nil {
		return err
	}
	return terminal.PrintLine(renamed.Workspace.ID + " " + terminal.Printable(renamed.Workspace.Name))
}

type workspaceShowCmd struct {
	AdminConfig
	JSON bool `name:"json" help:"Print a JSON object."`
}

// Run prints the workspace.
func (w *workspaceShowCmd) Run(ctx context.Context) error {
	db, ws, err := w.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(printWorkspace(ws, w.JSON), db.Close())
}

type workspaceSetCmd struct {
	AdminConfig
	Name           string          `placeholder:"NAME" help:"New name."`
	InviteMembers  storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who invites members: members (everybody but guests) or admins (owners and admins)."`
	InviteGuests   storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who invites guests and adds them to channels."`
	CreateChannels storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who makes channels."`
	SeeDirectory   storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who sees everybody; others see whom they share a conversation with."`
	JSON           bool            `name:"json" help:"Print a JSON object."`
}

// Run changes what is given, as the owner would, and prints what holds then.
func (w *workspaceSetCmd) Run(ctx context.Context) error {
	rules := storage.Rules{InviteMembers: w.InviteMembers, InviteGuests: w.InviteGuests, CreateChannels: w.CreateChannels, SeeDirectory: w.SeeDirectory}
	if w.Name == "" && rules == (storage.Rules{}) {
		return errors.New("nothing to change; give --name or a rule such as --create-channels=admins")
	}
	db, owner, err := w.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	if w.Name != "" {
		if _, err := db.RenameWorkspace(ctx, principal(owner), w.Name); err != nil {
			return err
		}
	}
	changed, err := db.SetRules(ctx, principal(owner), rules)
	if err != nil {
		return err
	}
	return printWorkspace(changed.Workspace, w.JSON)
}

// shownWorkspace is a workspace as the API has it, with its rules.
type shownWorkspace struct {
	people.Workspace
	Rules people.Rules `json:"rules"`
}

func printWorkspace(w storage.Workspace, asJSON bool) error {
	if asJSON {
		return printJSON(shownWorkspace{people.Workspace{ID: w.ID, Name: w.Name, CreatedAt: w.CreatedAt}, people.Rules(w.Rules)})
	}
	var t terminal.Table
	t.Add("id", w.ID)
	t.Add("name", w.Name)
	for _, rule := range w.Rules.Each() {
		t.Add(rule.Name, string(*rule.Allowed))
	}
	return t.Print(os.Stdout)
}
