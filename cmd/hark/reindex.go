package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/cmd/hark/terminal"
	"hark/storage/reconcile"
)

type reindexCmd struct {
	config.StoresConfig
	DryRun bool `help:"Look and count, and change nothing."`
	Rebind bool `help:"Take the object store for the database's although the database belongs to another, because that one is gone for good."`
}

// shownLosses is how many of the messages that could not be made again are
// named.
const shownLosses = 20

// Run makes the records again that the object store tells of.
func (r *reindexCmd) Run(ctx context.Context) (err error) {
	stores, err := server.OpenStores(ctx, &r.StoresConfig)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Close()) }()
	told := time.Now()
	done, err := stores.Reindex(ctx, reconcile.ReindexOptions{
		DryRun: r.DryRun, Rebind: r.Rebind, Alone: stores.Alone, Node: r.node(),
		Progress: func(messages int) {
			if time.Since(told) > 5*time.Second {
				told = time.Now()
				fmt.Fprintf(os.Stderr, "%d messages looked at\n", messages)
			}
		},
	})
	if err != nil {
		return err
	}
	return r.print(done)
}

func (r *reindexCmd) print(done reconcile.Reindexed) error {
	out := terminal.Stdout()
	verb := "Restored"
	if r.DryRun {
		verb = "Would restore"
	}
	out.Printf("%s %d messages of %d in the object store; the database has %d.\n", verb, done.Restored, done.Seen, done.Present)
	for _, line := range []struct {
		n    int
		what string
	}{
		{done.Searchable, "with their transcript"},
		{done.Recovered, "without a manifest: they are the owner's, in the conversation \"Recovered\""},
		{done.Recordings, "that were being spoken: the server finishes them"},
	} {
		if line.n > 0 {
			out.Printf("  %d %s\n", line.n, line.what)
		}
	}
	for _, name := range done.Unused {
		out.Printf("Removed the workspace %q, which nobody has used.\n", terminal.Printable(name))
	}
	if n := len(done.Lost); n > 0 {
		out.Printf("Could not restore %d messages:\n", n)
		for _, loss := range done.Lost[:min(n, shownLosses)] {
			out.Printf("  %s: %s\n", loss.Message, terminal.Printable(loss.Reason))
		}
		if n > shownLosses {
			out.Printf("  and %d more\n", n-shownLosses)
		}
	}
	if !r.DryRun {
		out.Printf("Database and object store belong to each other.\n")
	}
	return out.Err
}

// node is the name of the spool in the data folder, which has the rest of
// recordings that were being spoken; empty when there is none.
func (r *reindexCmd) node() string {
	name, err := os.ReadFile(filepath.Join(r.Data, "live", "node"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
