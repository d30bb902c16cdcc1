package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"hark/api/audit"
	"hark/cmd/hark/terminal"
	"hark/storage"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List the audit log, newest first."`
	Export auditExportCmd `cmd:"" help:"Print the audit log as JSON lines, oldest first."`
	Verify auditVerifyCmd `cmd:"" help:"Check that no entry of the audit log was changed or removed, and print its head."`

	Listening auditListeningCmd `cmd:"" help:"Print whether the audit log records who plays and downloads which message, or change it."`
}

// auditFilter says which entries are meant.
type auditFilter struct {
	Action       storage.AuditAction `placeholder:"ACTION" help:"Only what was done in this way, such as token_created."`
	Actor        string              `placeholder:"ID" help:"Only what this user did."`
	Target       string              `placeholder:"ID" help:"Only what was done to this user, token, message, conversation or workspace."`
	Conversation string              `placeholder:"ID" help:"Only what was done to this conversation or in it."`
	From         time.Time           `placeholder:"TIME" help:"Only at this time or later, such as 2026-03-01T00:00:00Z."`
	To           time.Time           `placeholder:"TIME" help:"Only before this time."`
}

func (f auditFilter) filter() storage.AuditFilter {
	return storage.AuditFilter{Action: f.Action, ActorID: f.Actor, TargetID: f.Target, ConversationID: f.Conversation, From: f.From, To: f.To}
}

type auditListCmd struct {
	AdminConfig
	auditFilter `embed:""`
	Limit       int   `default:"50" help:"How many, at the most (${default})."`
	Before      int64 `placeholder:"SEQ" help:"Only entries with lower numbers, to go on where a list ended."`
	JSON        bool  `name:"json" help:"Print a JSON array of entries as the API has them."`
}

// Run prints a line an entry.
func (a *auditListCmd) Run(ctx context.Context) error {
	if a.Limit < 1 {
		return usageError("--limit must be 1 or more")
	}
	if a.Before < 0 {
		return usageError("--before must be 1 or more")
	}
	db, owner, err := a.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	entries, err := db.AuditBefore(ctx, principal(owner), a.filter(), a.Before, a.Limit)
	if err != nil {
		return err
	}
	views := make([]audit.AuditEntry, len(entries))
	var lines terminal.Table
	for i, e := range entries {
		views[i] = audit.View(e)
		lines.Add(strconv.FormatInt(e.Seq, 10), e.At.Local().Format("2 Jan 2006 15:04:05"), string(e.Action), actorText(e.Actor), strings.TrimSpace(e.Target.Kind+" "+e.Target.ID), e.Address)
	}
	if a.JSON {
		return printJSON(views)
	}
	return lines.Print(os.Stdout)
}

// actorText is who did something, in a word or two.
func actorText(a storage.Actor) string {
	if a.Kind == storage.ActorUser || a.Kind == storage.ActorIntegration {
		return a.Name
	}
	return strings.TrimSpace(string(a.Kind) + " " + a.Name)
}

type auditExportCmd struct {
	AdminConfig
	auditFilter `embed:""`
	JSON        bool `name:"json" help:"Changes nothing: JSON lines are what is printed."`
}

// Run prints a JSON object a line. That it did is the last of them.
func (a *auditExportCmd) Run(ctx context.Context) error {
	db, owner, err := a.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	out := bufio.NewWriter(os.Stdout)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	err = db.ExportAudit(ctx, principal(owner), a.filter(), func(entries []storage.AuditEntry) error {
		for _, e := range entries {
			if err := lines.Encode(audit.View(e)); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	return err
}

type auditVerifyCmd struct {
	AdminConfig
	Expect string `placeholder:"HASH" help:"A head that was printed before, and kept elsewhere: some entry must have it."`
	JSON   bool   `name:"json" help:"Print a JSON object."`
}

// auditCheckView is what a check found, for programs.
type auditCheckView struct {
	OK       bool   `json:"ok"`
	Entries  int64  `json:"entries"` // that fit
	Head     string `json:"head"`
	Broken   int64  `json:"broken,omitempty"` // number of the first entry that does not fit
	Problem  string `json:"problem,omitempty"`
	Expected *bool  `json:"expected,omitempty"` // whether the hash that was expected is there
}

// Run fails unless the chain is whole.
func (a *auditVerifyCmd) Run(ctx context.Context) error {
	db, ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	check, err := db.VerifyAudit(ctx, ws.ID, strings.ToLower(a.Expect))
	if err != nil {
		return err
	}
	view := auditCheckView{OK: check.OK(), Entries: check.Entries, Head: check.Head, Broken: check.Broken, Problem: check.Problem}
	if a.Expect != "" {
		view.Expected = &check.Expected
	}
	if a.JSON {
		err = printJSON(view)
	} else {
		err = terminal.PrintLine(fmt.Sprintf("%d entries, head %s", check.Entries, check.Head))
	}
	switch {
	case err != nil:
		return err
	case check.Broken > 0:
		return fmt.Errorf("entry %d %s", check.Broken, check.Problem)
	case !check.Expected:
		return errors.New("no entry has the expected hash: the log was written anew, or is another workspace's")
	}
	return nil
}

type auditListeningCmd struct {
	AdminConfig
	State string `arg:"" optional:"" default:"" enum:"on,off," placeholder:"on|off" help:"What it is to be from now on: on or off."`
	JSON  bool   `name:"json" help:"Print a JSON object."`
}

// Run prints what holds afterwards.
func (a *auditListeningCmd) Run(ctx context.Context) error {
	db, owner, err := a.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	if a.State != "" {
		if err := db.RecordListening(ctx, principal(owner), a.State == "on"); err != nil {
			return err
		}
	}
	recorded, err := db.ListeningRecorded(ctx, principal(owner))
	switch {
	case err != nil:
		return err
	case a.JSON:
		return printJSON(audit.AuditSettings{Listening: recorded})
	case recorded:
		return terminal.PrintLine("on")
	}
	return terminal.PrintLine("off")
}

// operator is who runs a command on the server, as the audit log has them.
func operator(command string) storage.Origin {
	name := strconv.Itoa(os.Getuid())
	if account, err := user.Current(); err == nil && account.Username != "" {
		name = account.Username
	}
	command, _, _ = strings.Cut(command, " <") // its arguments
	return storage.Origin{Operator: name, Agent: "hark " + command}
}
