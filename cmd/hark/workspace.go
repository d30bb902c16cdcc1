package main

import (
	"context"
	"fmt"
	"os"

	"hark/api/usage"
	"hark/cmd/hark/terminal"
	"hark/media"
	"hark/storage"
)

type workspaceCmd struct {
	Rename workspaceRenameCmd `cmd:"" help:"Rename the workspace."`
	Usage  workspaceUsageCmd  `cmd:"" help:"Print what the workspace takes, and its own quotas."`
	Quota  workspaceQuotaCmd  `cmd:"" help:"Set quotas of the workspace's own. Those of the server (HARK_QUOTA_BYTES, HARK_LIMIT_BYTES_PER_DAY, HARK_LIMIT_WAITING) hold beside them."`
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
