package sqldb_test

import (
	"slices"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// Whatever has a job wait tells so once it is committed, and nothing else does.
func TestCommittedJobsAreTold(t *testing.T) {
	var sent []storage.JobRef
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		sent = nil
		h := newHarness(t, db)
		want := func(what string, jobs ...storage.JobRef) {
			t.Helper()
			if !slices.Equal(sent, jobs) {
				t.Errorf("%s: got %+v, want %+v", what, sent, jobs)
			}
			sent = nil
		}
		m := newMessage(h.room)
		m.IdempotencyKey, m.RequestHash, m.Priority = "k", "h", storage.Bulk
		for _, want := range [][]storage.JobRef{{{ID: m.ID, Kind: storage.Transcribe, Priority: storage.Bulk}}, nil} { // the second asks again
			must2(h.Accept(t.Context(), h.ada, m))(t)
			if !slices.Equal(sent, want) {
				t.Errorf("got %+v, want %+v", sent, want)
			}
			sent = nil
		}
		refused := newMessage(h.room)
		refused.ReplyTo = storage.NewID()
		_, _, err := h.Accept(t.Context(), h.ada, refused)
		wantErr(t, err, storage.ErrNotFound)
		h.fill(h.ada, h.room.ID, 3)
		live := h.speak("n1")
		want("what is refused, imported or being spoken")
		h.finish(finished(live, "n1", "heard while spoken"))
		want("a recording", storage.JobRef{ID: live.ID, Kind: storage.Transcribe, Priority: storage.PriorityOf(0)})
		h.check(h.FailJob(t.Context(), h.begin(storage.JobRef{ID: m.ID}).Job, "no", storage.ForGood))
		want("a failure")
		must(h.RetryMessage(t.Context(), h.ada, m.ID))(t)
		want("a retry", storage.JobRef{ID: m.ID, Kind: storage.Transcribe, Priority: storage.Bulk, Attempt: 1})
	}, storagetest.OnJobs(func(jobs []storage.JobRef) { sent = append(sent, jobs...) }))
}
