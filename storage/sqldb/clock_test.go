package sqldb_test

import (
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// TestNodesWhoseClocksDiffer has a node with a wrong clock share a database
// with one whose clock is right: neither takes what the other is at.
func TestNodesWhoseClocksDiffer(t *testing.T) {
	const lease, week = time.Minute, 7 * 24 * time.Hour
	for name, ahead := range map[string]time.Duration{
		"five minutes ahead": 5 * time.Minute, "five minutes behind": -5 * time.Minute, "a week ahead": week, "a week behind": -week,
	} {
		t.Run(name, func(t *testing.T) {
			url := storagetest.Postgres(t)
			right := newHarness(t, storagetest.Open(t, url))
			wrong := *right
			wrong.DB = storagetest.Open(t, url, storagetest.Clock(ahead))
			for _, nodes := range []struct{ holder, other *harness }{{right, &wrong}, {&wrong, right}} {
				holder, other := nodes.holder, nodes.other
				live := holder.speak("holder")
				_, job := holder.send(holder.ada, holder.room.ID)
				task := must(holder.beginFor(job.ID, "holder", lease))(t)
				for range 2 { // under the first lease, and under a renewed one
					if lost := must(other.LostRecordings(t.Context(), 0, 9))(t); len(lost) != 0 {
						t.Errorf("lost recordings: %+v", lost)
					}
					_, err := other.ClaimRecording(t.Context(), live.ID, "holder", "other", lease)
					wantErr(t, err, storage.ErrBusy)
					if due := must(other.DueJobs(t.Context(), 9))(t); len(due) != 0 {
						t.Errorf("due: %+v", due)
					}
					_, err = other.BeginJob(t.Context(), storage.Transcribe, job.ID, "other", lease)
					wantErr(t, err, storage.ErrBusy)
					if stats := must(other.QueueStats(t.Context()))(t); stats[0].Running != 1 || stats[0].Waiting != 0 {
						t.Errorf("stats %+v", stats)
					}
					holder.check(holder.RenewLease(t.Context(), task.Job, lease))
					if held := must(holder.RenewRecordings(t.Context(), "holder", lease))(t); len(held) != 1 {
						t.Errorf("holds %v", held)
					}
				}
				holder.check(holder.SaveTranscript(t.Context(), task, spoken("done")))
				holder.check(holder.DropRecording(t.Context(), live.ID, "holder"))
			}
		})
	}
}

// TestCredentialsByOneClock has nodes agree on when a credential ends.
func TestCredentialsByOneClock(t *testing.T) {
	url := storagetest.Postgres(t)
	right := newHarness(t, storagetest.Open(t, url))
	for _, ahead := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		wrong := storagetest.Open(t, url, storagetest.Clock(ahead))
		for _, nodes := range [][2]*sqldb.DB{{right.DB, wrong}, {wrong, right.DB}} {
			_, fresh, err := nodes[0].CreateToken(t.Context(), right.ada.UserID, storage.NewToken{Kind: storage.SessionToken, Name: "fresh", Life: time.Hour})
			right.check(err)
			must(nodes[1].Authenticate(t.Context(), fresh, storage.SessionToken))(t)
			_, over, err := nodes[0].CreateToken(t.Context(), right.ada.UserID, storage.NewToken{Kind: storage.SessionToken, Name: "over", Life: time.Millisecond})
			right.check(err)
			time.Sleep(2 * time.Millisecond)
			_, err = nodes[1].Authenticate(t.Context(), over, storage.SessionToken)
			wantErr(t, err, storage.ErrExpired)
			for _, token := range must(nodes[1].Tokens(t.Context(), right.ada))(t) {
				if token.Name == "over" {
					t.Errorf("listed as good: %+v", token)
				}
			}
		}
	}
}

// TestClockSetBack sets SQLite's only clock back while Hark runs, and before it
// starts again.
func TestClockSetBack(t *testing.T) {
	url, wall := storagetest.SQLite(t), time.Now().Add(12*time.Hour)
	clock := func(c *sqldb.Config) { c.Clock = func() time.Time { return wall } }
	db := storagetest.Open(t, url, clock)
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := newHarness(t, db)
	live := h.speak("n1")
	_, job := h.send(h.ada, h.room.ID)
	task := must(h.beginFor(job.ID, "holder", time.Minute))(t)
	before := must(h.Now(t.Context()))(t)
	wall = wall.Add(-12 * time.Hour)
	if after := must(h.Now(t.Context()))(t); after.Before(before) || after.After(before.Add(time.Minute)) {
		t.Errorf("went from %s to %s", before, after)
	}
	_, err := h.BeginJob(t.Context(), storage.Transcribe, job.ID, "other", time.Minute)
	wantErr(t, err, storage.ErrBusy)
	h.check(h.RenewLease(t.Context(), task.Job, time.Minute))
	h.check(h.Close())

	h.DB = storagetest.Open(t, url, clock)
	if due := must(h.DueJobs(t.Context(), 9))(t); len(due) != 1 {
		t.Errorf("the job of the process that died is not due: %v", due)
	}
	if again := must(h.BeginJob(t.Context(), storage.Transcribe, job.ID, "next", time.Minute))(t); again.Attempt != 2 {
		t.Errorf("task %+v", again)
	}
	if lost := must(h.LostRecordings(t.Context(), 0, 9))(t); len(lost) != 0 {
		t.Errorf("%s is lost", live.ID)
	}
}
