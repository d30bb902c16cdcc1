package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
	"hark/cmd/hark/terminal"
	"hark/storage"
)

// shownFailures is how many of the jobs that failed are named.
const shownFailures = 50

type jobsCmd struct {
	config.DatabaseConfig
	JSON bool `name:"json" help:"Print a JSON object."`
}

// jobsView is what the command says as JSON.
type jobsView struct {
	Queue  []queueView     `json:"queue"`
	Failed []failedJobView `json:"failed"`
}

type queueView struct {
	Kind        storage.JobKind `json:"kind"`
	Priority    string          `json:"priority"`
	Waiting     int             `json:"waiting"`
	Running     int             `json:"running"`
	OldestAgeMS int64           `json:"oldest_age_ms"`
}

type failedJobView struct {
	ID       string          `json:"id"`
	Kind     storage.JobKind `json:"kind"`
	Subject  string          `json:"subject"`
	Attempts int             `json:"attempts"`
	FailedAt time.Time       `json:"failed_at"`
	Reason   string          `json:"reason"`
}

// Run tells what waits, what is worked on, and what failed for good.
func (j *jobsCmd) Run(ctx context.Context) error {
	if err := j.Exists(); err != nil {
		return err
	}
	db, err := server.OpenRecords(ctx, &j.DatabaseConfig)
	if err != nil {
		return err
	}
	defer db.Close()
	stats, err := db.QueueStats(ctx)
	if err != nil {
		return err
	}
	failed, err := db.FailedJobs(ctx, shownFailures)
	if err != nil {
		return err
	}
	if j.JSON {
		return printJSON(viewJobs(stats, failed))
	}
	return printJobs(stats, failed)
}

func viewJobs(stats []storage.QueueStats, failed []storage.FailedJob) jobsView {
	view := jobsView{Queue: []queueView{}, Failed: []failedJobView{}}
	for _, s := range stats {
		view.Queue = append(view.Queue, queueView{s.Kind, s.Priority.String(), s.Waiting, s.Running, s.OldestAge.Milliseconds()})
	}
	for _, f := range failed {
		view.Failed = append(view.Failed, failedJobView{f.ID, f.Kind, f.Subject, f.Attempt, f.At, f.Reason})
	}
	return view
}

func printJobs(stats []storage.QueueStats, failed []storage.FailedJob) error {
	var t terminal.Table
	t.Add("KIND", "PRIORITY", "WAITING", "RUNNING", "OLDEST")
	for _, s := range stats {
		t.Add(string(s.Kind), s.Priority.String(), strconv.Itoa(s.Waiting), strconv.Itoa(s.Running), s.OldestAge.Round(time.Second).String())
	}
	if err := t.Print(os.Stdout); err != nil || len(failed) == 0 {
		return err
	}
	if err := terminal.PrintLine(fmt.Sprintf("\nFailed for good, the last %d at most (a message says itself why it failed):", shownFailures)); err != nil {
		return err
	}
	t = nil
	for _, f := range failed {
		t.Add(f.At.Local().Format("2 Jan 2006 15:04"), string(f.Kind), f.Subject, f.Reason)
	}
	return t.Print(os.Stdout)
}
