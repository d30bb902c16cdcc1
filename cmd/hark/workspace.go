package main

import (
	"context"

	"hark/cmd/hark/terminal"
	"hark/storage"
)

type workspaceCmd struct {
	Rename workspaceRenameCmd `cmd:"" help:"Rename the workspace."`
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
	return printWorkspace(renamed.Workspace)
}

func printWorkspace(w storage.Workspace) error {
	return terminal.PrintLine(w.ID + " " + terminal.Printable(w.Name))
}
