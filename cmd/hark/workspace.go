package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"hark/api/mail"
	"hark/api/people"
	"hark/api/usage"
	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/cmd/hark/terminal"
	"hark/media"
	"hark/storage"
)

type workspaceCmd struct {
	List   workspaceListCmd   `cmd:"" help:"List the workspaces of this server."`
	Create workspaceCreateCmd `cmd:"" help:"Create a workspace and print a one-time sign-in link for its owner."`
	Rename workspaceRenameCmd `cmd:"" help:"Rename the workspace."`
	Show   workspaceShowCmd   `cmd:"" help:"Print the workspace's name and its rules."`
	Set    workspaceSetCmd    `cmd:"" help:"Change the workspace's rules."`
	Usage  workspaceUsageCmd  `cmd:"" help:"Print what the workspace takes, and its own quotas."`
	Quota  workspaceQuotaCmd  `cmd:"" help:"Set quotas of the workspace's own. Those of the server (HARK_QUOTA_BYTES, HARK_LIMIT_BYTES_PER_DAY, HARK_LIMIT_WAITING) hold beside them."`
}

type workspaceListCmd struct {
	config.DatabaseConfig
	JSON bool `name:"json" help:"Print a JSON array of workspaces."`
}

// Run prints a line a workspace.
func (w *workspaceListCmd) Run(ctx context.Context) error {
	if err := w.Exists(); err != nil {
		return err
	}
	db, err := server.OpenRecords(ctx, &w.DatabaseConfig)
	if err != nil {
		return err
	}
	defer db.Close()
	all, err := db.Workspaces(ctx)
	if err != nil {
		return err
	}
	views := make([]shownWorkspace, len(all))
	var t terminal.Table
	for i, one := range all {
		views[i] = shownWorkspaceOf(one)
		t.Add(one.ID, one.Name, one.CreatedAt.Local().Format("2 Jan 2006"))
	}
	if w.JSON {
		return printJSON(views)
	}
	return t.Print(os.Stdout)
}

type workspaceCreateCmd struct {
	config.DatabaseConfig
	AddressConfig
	Owner string `required:"" placeholder:"EMAIL|NAME" help:"Who owns it: the e-mail address that they sign in by, or are to sign in by, or the name of somebody who sets theirs themselves. Whose address has an account already finds the workspace in their switcher at once."`
	JSON  bool   `name:"json" help:"Print a JSON object."`
	Name  string `arg:"" help:"Name of the workspace."`
}

// Run makes the workspace, and prints its id and the address.
func (w *workspaceCreateCmd) Run(ctx context.Context) error {
	if err := w.Exists(); err != nil {
		return err
	}
	owner := storage.NewOwner{Name: w.Owner}
	if strings.Contains(w.Owner, "@") {
		address, err := mail.CheckAddress(w.Owner)
		if err != nil {
			return err
		}
		owner = storage.NewOwner{Email: address}
	} else if _, err := storage.CleanName(w.Owner); err != nil {
		return err
	}
	db, err := server.OpenRecords(ctx, &w.DatabaseConfig)
	if err != nil {
		return err
	}
	defer db.Close()
	made, user, err := db.CreateWorkspaceFor(ctx, w.Name, owner)
	if err != nil {
		return err
	}
	address, err := SignInConfig{AddressConfig: w.AddressConfig}.signInAddress(ctx, db, user)
	if err != nil {
		return err
	}
	if w.JSON {
		return printJSON(madeWorkspace{shownWorkspaceOf(made), userWithLink{viewUser(user), address}})
	}
	return terminal.PrintLine(made.ID + "\n" + address)
}

// madeWorkspace is a workspace, and its owner with the link by which they sign in once.
type madeWorkspace struct {
	shownWorkspace
	Owner userWithLink `json:"owner"`
}

type workspaceRenameCmd struct {
	AdminConfig
	JSON bool   `name:"json" help:"Print a JSON object."`
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
	if w.JSON {
		return printWorkspace(renamed.Workspace, true)
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
	InviteMembers  storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who invites members: members (everybody but guests) or admins (owners and admins)."`
	InviteGuests   storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who invites guests and adds them to channels."`
	CreateChannels storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who makes channels."`
	SeeDirectory   storage.Allowed `enum:"members,admins," default:"" placeholder:"WHO" help:"Who sees everybody; others see whom they share a conversation with."`
	JSON           bool            `name:"json" help:"Print a JSON object."`
}

// Run changes what is given, as the owner would, and prints what holds then.
func (w *workspaceSetCmd) Run(ctx context.Context) error {
	rules := storage.Rules{InviteMembers: w.InviteMembers, InviteGuests: w.InviteGuests, CreateChannels: w.CreateChannels, SeeDirectory: w.SeeDirectory}
	if rules == (storage.Rules{}) {
		return usageError("say which rule to change, such as --create-channels=admins")
	}
	db, owner, err := w.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
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

func shownWorkspaceOf(w storage.Workspace) shownWorkspace {
	return shownWorkspace{people.Workspace{ID: w.ID, Name: w.Name, CreatedAt: w.CreatedAt}, people.Rules(w.Rules)}
}

func printWorkspace(w storage.Workspace, asJSON bool) error {
	if asJSON {
		return printJSON(shownWorkspaceOf(w))
	}
	var t terminal.Table
	t.Add("id", w.ID)
	t.Add("name", w.Name)
	for _, rule := range w.Rules.Each() {
		t.Add(rule.Name, string(*rule.Allowed))
	}
	return t.Print(os.Stdout)
}

type workspaceUsageCmd struct {
	AdminConfig
	JSON bool `name:"json" help:"Print a JSON object."`
}

// Run prints what the workspace takes.
func (w *workspaceUsageCmd) Run(ctx context.Context) error {
	db, owner, err := w.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	u, err := db.WorkspaceUsage(ctx, principal(owner))
	if err != nil {
		return err
	}
	return printUsage(u, w.JSON)
}

type workspaceQuotaCmd struct {
	AdminConfig
	StoredBytes *int64 `placeholder:"N" help:"Bytes of recordings and renditions that the workspace may store; 0 for none of its own."`
	BytesPerDay *int64 `placeholder:"N" help:"Bytes of recordings that one person may send a day (UTC); 0 for none of its own."`
	JobsWaiting *int   `placeholder:"N" help:"Recordings of one person that may wait to be transcribed; 0 for none of its own."`
	JSON        bool   `name:"json" help:"Print a JSON object."`
}

// Run sets what was given, and prints what the workspace takes.
func (w *workspaceQuotaCmd) Run(ctx context.Context) error {
	patch := storage.QuotasPatch{BytesPerDay: w.BytesPerDay, Waiting: w.JobsWaiting, Stored: w.StoredBytes}
	if patch == (storage.QuotasPatch{}) {
		return usageError("say what to set: --stored-bytes, --bytes-per-day or --jobs-waiting")
	}
	db, owner, err := w.openUser(ctx, "")
	if err != nil {
		return err
	}
	defer db.Close()
	u, err := db.SetQuotas(ctx, principal(owner), patch, storage.Quotas{}) // the server's hold whatever is set
	if err != nil {
		return err
	}
	return printUsage(u, w.JSON)
}

// usageView is what a workspace takes, for programs: the figures of the API, as far as
// the database has them.
type usageView struct {
	StoredBytes int64        `json:"stored_bytes"`
	SoundMS     int64        `json:"sound_ms"`
	Members     int          `json:"members"`
	Guests      int          `json:"guests"`
	Own         usage.Quotas `json:"own_quotas"`
}

func printUsage(u storage.WorkspaceUsage, asJSON bool) error {
	view := usageView{StoredBytes: u.Stored, SoundMS: u.SoundMS, Members: u.Members, Guests: u.Guests}
	view.Own = usage.Quotas{StoredBytes: u.Quotas.Stored, BytesPerDay: u.Quotas.BytesPerDay, JobsWaiting: u.Quotas.Waiting}
	if asJSON {
		return printJSON(view)
	}
	bounded := func(bytes int64) string {
		if bytes == 0 {
			return "no quota of its own"
		}
		return "at most " + media.FormatBytes(bytes)
	}
	waiting := "no quota of its own"
	if n := u.Quotas.Waiting; n > 0 {
		waiting = fmt.Sprintf("at most %d", n)
	}
	var lines terminal.Table
	lines.Add("stored", media.FormatBytes(u.Stored), bounded(u.Quotas.Stored))
	lines.Add("recordings", fmt.Sprintf("%.1f h", float64(u.SoundMS)/3_600_000), "")
	lines.Add("people", fmt.Sprint(u.Members), fmt.Sprintf("%d of them guests", u.Guests))
	lines.Add("a person and day", "", bounded(u.Quotas.BytesPerDay))
	lines.Add("waiting, a person", "", waiting)
	return lines.Print(os.Stdout)
}
