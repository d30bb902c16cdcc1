package sqldb_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

const letter storage.JobKind = "letter"

// add adds a letter and returns the job that there is of its subject then, with
// no attempt begun yet.
func (h *harness) add(n storage.NewJob) storage.JobRef {
	h.tb.Helper()
	n.Kind = letter
	h.check(h.AddJob(h.tb.Context(), h.ada.WorkspaceID, n))
	return must(h.JobAbout(h.tb.Context(), letter, n.Subject))(h.tb)
}

func (h *harness) beginLetter(job storage.JobRef) storage.Job {
	h.tb.Helper()
	return must(h.BeginJob(h.tb.Context(), letter, job.ID, "worker", time.Minute))(h.tb)
}

// Of a kind and a subject there is one job, which is what NewJob says of it.
func TestOneJobOfAKindAndSubject(t *testing.T) {
	var told []storage.JobRef
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		told = nil
		h := newHarness(t, db)
		wantTold := func(what string, jobs ...storage.JobRef) {
			t.Helper()
			if !slices.Equal(told, jobs) {
				t.Errorf("%s: told of %+v, want %+v", what, told, jobs)
			}
			told = nil
		}
		first := h.add(storage.NewJob{Subject: "to Bob", Args: []int{1}, Priority: storage.Bulk})
		wantTold("a new one", first)
		if again := h.add(storage.NewJob{Subject: "to Bob", Args: []int{2}}); again != first {
			t.Errorf("while it waits there is %+v beside %+v", again, first)
		}
		job := h.beginLetter(first)
		if h.add(storage.NewJob{Subject: "to Bob", Args: []int{3}}); string(job.Args) != "[1]" || job.Subject != "to Bob" || job.WorkspaceID != h.ada.WorkspaceID || job.Attempt != 1 || job.Try != 1 {
			t.Errorf("begun %+v", job)
		}
		for range 2 { // the second time changes nothing
			h.check(h.FinishJob(t.Context(), job))
		}
		h.add(storage.NewJob{Subject: "to Bob", Args: []int{4}})
		_, err := h.BeginJob(t.Context(), letter, first.ID, "worker", time.Minute)
		wantErr(t, err, storage.ErrNotFound)
		wantTold("while it waits, runs and is done")

		second := h.add(storage.NewJob{Subject: "to Eve", Args: "secret"})
		if second.ID == first.ID {
			t.Error("two subjects are one job")
		}
		h.check(h.FailJob(t.Context(), h.beginLetter(second), "no stamp", storage.ForGood))
		if with := must(h.TablesWith(t.Context(), "secret"))(t); len(with) > 0 {
			t.Errorf("what it was for is still in %v", with)
		}
		failed := must(h.FailedJobs(t.Context(), 9))(t)
		if len(failed) != 1 || failed[0].ID != second.ID || failed[0].Reason != "no stamp" || failed[0].Subject != "to Eve" || failed[0].WorkspaceID != h.ada.WorkspaceID || failed[0].At.IsZero() {
			t.Errorf("failed: %+v", failed)
		}
		told = nil
		again := h.add(storage.NewJob{Subject: "to Eve"})
		wantTold("one that failed", again)
		if job := h.beginLetter(again); again.ID != second.ID || job.Attempt != 2 || job.Try != 1 || job.Args != nil {
			t.Errorf("begun anew %+v, %+v", again, job)
		}
		if failed := must(h.FailedJobs(t.Context(), 9))(t); len(failed) != 0 {
			t.Errorf("still failed: %+v", failed)
		}
	}, storagetest.OnJobs(func(jobs []storage.JobRef) { told = append(told, jobs...) }))
}

func TestJobsThatCannotBe(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for name, n := range map[string]storage.NewJob{
			"no kind": {Subject: "a"}, "no subject": {Kind: letter}, "of a message": {Kind: storage.Transcribe, Subject: "a"},
			"too long": {Kind: letter, Subject: strings.Repeat("x", storage.MaxSubject+1)}, "NUL": {Kind: letter, Subject: "a\x00"},
			"args": {Kind: letter, Subject: "a", Args: func() {}},
		} {
			if err := h.AddJob(t.Context(), h.ada.WorkspaceID, n); err == nil {
				t.Errorf("%s: added", name)
			}
		}
		h.check(h.AddJob(t.Context(), h.ada.WorkspaceID, storage.NewJob{Kind: letter, Subject: "taken"}))
		wantErr(t, h.AddJob(t.Context(), h.mal.WorkspaceID, storage.NewJob{Kind: letter, Subject: "taken"}), storage.ErrConflict)
		h.check(h.AddJob(t.Context(), h.mal.WorkspaceID, storage.NewJob{Kind: "parcel", Subject: "taken"}))
	})
}

// A job is begun as its own kind alone, and changes nothing of a message whose id is
// its subject.
func TestJobIsOfItsKind(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, transcribe := h.send(h.ada, h.room.ID)
		about := h.add(storage.NewJob{Subject: m.ID})
		for kind, id := range map[storage.JobKind]string{letter: transcribe.ID, storage.Transcribe: about.ID} {
			_, err := h.BeginJob(t.Context(), kind, id, "worker", time.Minute)
			wantErr(t, err, storage.ErrNotFound)
			if next := must(h.NextJob(t.Context(), kind, storage.Interactive))(t); next == id {
				t.Errorf("next of the kind %s is another's", kind)
			}
		}
		h.check(h.FailJob(t.Context(), h.beginLetter(about), "no stamp", 0))
		h.check(h.ReleaseJob(t.Context(), h.beginLetter(about)))
		h.check(h.RenewLease(t.Context(), h.beginLetter(about), time.Minute))
		if got := h.state(m.ID); got.State != storage.Received || !got.UpdatedAt.Equal(m.UpdatedAt) {
			t.Errorf("message %+v", got)
		}
		wantErr(t, h.FinishJob(t.Context(), h.begin(transcribe).Job), storage.ErrStale) // it has no transcript
		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		if job := must(h.JobAbout(t.Context(), letter, m.ID))(t); job.ID != about.ID {
			t.Errorf("the other kind's job went with the message: %+v", job)
		}
	})
}

// Turns go around by author within a kind and priority; what waits of another
// kind moves none.
func TestTurnsAreOfAKind(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 20 {
			h.send(h.ada, h.room.ID)
		}
		var want []string
		for i, author := range []storage.Principal{h.ada, h.ada, h.ada, h.bob, h.bob} {
			job := h.add(storage.NewJob{Subject: string(rune('a' + i)), AuthorID: author.UserID})
			want = append(want, job.ID)
		}
		want = []string{want[0], want[3], want[1], want[4], want[2]}
		var got []string
		for range want {
			id := must(h.NextJob(t.Context(), letter, storage.Interactive))(t)
			got = append(got, id)
			h.beginLetter(storage.JobRef{ID: id})
		}
		if !slices.Equal(got, want) {
			t.Errorf("begun in the order %v, want %v", got, want)
		}
	})
}

// Jobs that nobody takes come up again and again without keeping others back.
func TestDueJobsGoAround(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for i := range 7 {
			h.add(storage.NewJob{Subject: string(rune('a' + i))})
		}
		_, last := h.send(h.ada, h.room.ID)
		seen := map[string]int{}
		for range 2 {
			for range 3 {
				due := must(h.DueJobs(t.Context(), 3))(t)
				for _, job := range due {
					seen[job.ID]++
				}
				h.check(h.MarkPublished(t.Context(), due))
			}
			if seen[last.ID] == 0 || len(seen) != 8 {
				t.Fatalf("seen are %v, without %s", seen, last.ID)
			}
			h.exec(`UPDATE jobs SET published_at = published_at - 61000`)
		}
		for id, n := range seen {
			if n != 2 {
				t.Errorf("%s came up %d times", id, n)
			}
		}
	})
}

func TestOldJobsAreForgotten(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ready := h.say(h.ada, h.room.ID, "stays")
		old, young, failed, open := h.add(storage.NewJob{Subject: "old"}), h.add(storage.NewJob{Subject: "young"}), h.add(storage.NewJob{Subject: "failed"}), h.add(storage.NewJob{Subject: "open"})
		h.check(h.FinishJob(t.Context(), h.beginLetter(old)))
		h.check(h.FailJob(t.Context(), h.beginLetter(failed), "", storage.Hopeless))
		h.exec(`UPDATE jobs SET created_at = 1, run_at = 1, ended_at = ended_at - ?`, (31 * 24 * time.Hour).Milliseconds())
		h.check(h.FinishJob(t.Context(), h.beginLetter(young)))
		h.check(h.SweepJobs(t.Context()))
		var there []bool
		for _, subject := range []string{"old", "young", "failed", "open"} {
			_, err := h.JobAbout(t.Context(), letter, subject)
			there = append(there, err == nil)
		}
		if !reflect.DeepEqual(there, []bool{false, true, false, true}) || h.jobOf(ready.ID).ID == "" {
			t.Errorf("there are %v", there)
		}
		h.beginLetter(open)
	})
}
