package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/cmd/hark/terminal"
	"hark/storage/reconcile"
)

type orphansCmd struct {
	List    orphansListCmd    `cmd:"" help:"List objects without a record."`
	Remove  orphansRemoveCmd  `cmd:"" help:"Move orphans to the trash, which is emptied after 30 days."`
	Restore orphansRestoreCmd `cmd:"" help:"Restore orphans from the trash."`
}

type orphansListCmd struct {
	config.StoresConfig
	JSON bool `help:"Print one JSON object a line."`
}

// Run prints a line an object.
func (o *orphansListCmd) Run(ctx context.Context) (err error) {
	stores, err := server.OpenStores(ctx, &o.StoresConfig)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Close()) }()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	out := json.NewEncoder(os.Stdout)
	survey, err := stores.Survey(ctx, reconcile.OldEnough(stores.Now), func(s reconcile.Stray) error {
		if o.JSON {
			return out.Encode(s)
		}
		_, err := fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", s.Kind, s.ModifiedAt.Local().Format("2 Jan 2006 15:04"), s.Bytes, terminal.Printable(s.Key))
		return err
	})
	if err != nil || o.JSON {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := printSurvey(survey); err != nil {
		return err
	}
	return warnOf(stores.Check(ctx))
}

func printSurvey(s reconcile.Survey) error {
	out := terminal.Stdout()
	out.Printf("%d objects: %d orphans, %d pieces of recordings that are whole, and the objects of %d recordings that the database does not know.\n",
		s.Objects, s.Orphans, s.Leftovers, s.Unknown)
	return out.Err
}

// warnOf prints why nothing can be removed; any other error is returned.
func warnOf(err error) error {
	var d *reconcile.Disagreement
	if errors.As(err, &d) {
		fmt.Fprintln(os.Stderr, "hark:", d.Reason())
		return nil
	}
	return err
}

type orphansRemoveCmd struct {
	config.StoresConfig
	Unknown bool `help:"Remove recordings that the database does not know too. 'hark reindex' makes their records again instead."`
	Yes     bool `short:"y" help:"Do not ask."`
}

// Run removes what is old enough, after it was asked for.
func (o *orphansRemoveCmd) Run(ctx context.Context) (err error) {
	stores, err := server.OpenStores(ctx, &o.StoresConfig)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Close()) }()
	if err := stores.Check(ctx); err != nil {
		return err
	}
	var strays []reconcile.Stray
	var bytes int64
	survey, err := stores.Survey(ctx, reconcile.OldEnough(stores.Now), func(s reconcile.Stray) error {
		if s.Kind != reconcile.Unknown || o.Unknown {
			strays = append(strays, s)
			bytes += s.Bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := printSurvey(survey); err != nil {
		return err
	}
	if len(strays) == 0 {
		return terminal.PrintLine("There is nothing to remove.")
	}
	if !o.Yes && !confirmed(fmt.Sprintf("Remove %d objects (%d bytes)?", len(strays), bytes)) {
		return errors.New("nothing was removed; answer y, or give --yes")
	}
	n, err := stores.Remove(ctx, stores.Now, strays)
	return errors.Join(err, terminal.PrintLine(fmt.Sprintf("Removed %d objects. For 30 days 'hark orphans restore' puts them back.", n)))
}

// confirmed asks on the terminal.
func confirmed(question string) bool {
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n') // no answer is no
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

type orphansRestoreCmd struct {
	config.StoresConfig
}

// Run puts everything back.
func (o *orphansRestoreCmd) Run(ctx context.Context) (err error) {
	stores, err := server.OpenStores(ctx, &o.StoresConfig)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stores.Close()) }()
	n, err := stores.RestoreTrash(ctx)
	return errors.Join(err, terminal.PrintLine(fmt.Sprintf("Put back %d objects.", n)))
}
