package main

import (
	"strings"
	"testing"
	"time"

	"hark/cmd/hark/config"
	"hark/storage"
)

// testJobs has a job that failed for good, of a kind that no node does, shown with
// why, and the queue of each kind and priority.
func testJobs(t *testing.T, c *commands) {
	db, ws, err := (&AdminConfig{DatabaseConfig: config.DatabaseConfig{Data: c.data}}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const kind storage.JobKind = "letter"
	if err := db.AddJob(t.Context(), ws.ID, storage.NewJob{Kind: kind, Subject: "to\x1b[31m Ada"}); err != nil {
		t.Fatal(err)
	}
	id, err := db.NextJob(t.Context(), kind, storage.Interactive)
	if err != nil {
		t.Fatal(err)
	}
	job, err := db.BeginJob(t.Context(), kind, id, "test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.FailJob(t.Context(), job, "No stamp.", storage.ForGood); err != nil {
		t.Fatal(err)
	}
	view := decodeJSON[jobsView](t, c.run(t, "jobs", "--json").want(t, 0))
	for i, want := range []queueView{{Kind: storage.Transcribe, Priority: "interactive"}, {Kind: storage.Transcribe, Priority: "bulk"}} {
		if i >= len(view.Queue) || view.Queue[i].Kind != want.Kind || view.Queue[i].Priority != want.Priority {
			t.Fatalf("queue %+v", view.Queue)
		}
	}
	if len(view.Failed) != 1 || view.Failed[0].Reason != "No stamp." || view.Failed[0].Kind != kind || view.Failed[0].Attempts != 1 {
		t.Errorf("failed %+v", view.Failed)
	}
	text := c.run(t, "jobs").want(t, 0).stdout
	for _, words := range []string{"transcribe  bulk", "letter  to[31m Ada", "No stamp."} {
		if !strings.Contains(text, words) {
			t.Errorf("no %q in\n%s", words, text)
		}
	}
}
