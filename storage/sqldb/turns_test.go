package sqldb_test

import (
	"slices"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// takeNext begins the job whose turn it is, and returns whose it was.
func (h *harness) takeNext(p storage.Priority) (storage.Task, string) {
	h.tb.Helper()
	id := must(h.NextJob(h.tb.Context(), storage.Transcribe, p))(h.tb)
	task := h.begin(storage.JobRef{ID: id})
	m := must(h.Message(h.tb.Context(), h.bob, task.MessageID))(h.tb)
	return task, m.AuthorName
}

// places says at which places in the order of the work an author's jobs are
// begun, up to the last of so many.
func (h *harness) places(author string, n int) (places []int) {
	h.tb.Helper()
	for place := 1; len(places) < n; place++ {
		if _, by := h.takeNext(storage.Interactive); by == author {
			places = append(places, place)
		}
	}
	return places
}

// A thousand messages of one person do not delay what another sends after them,
// and neither do the thousand wait for all that the other sends.
func TestWorkIsFairByAuthor(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 1000 {
			h.send(h.ada, h.room.ID)
		}
		if got := h.places("Ada", 3); !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("alone, Ada's are begun at %v", got)
		}
		h.send(h.bob, h.room.ID)
		got := h.places("Bob", 1)
		t.Logf("behind 1,000 of Ada's, of which 3 were begun, Bob's is begun at place %v", got)
		if got[0] > 2 {
			t.Errorf("Bob's is begun at place %d", got[0])
		}
		for range 5 {
			h.send(h.bob, h.room.ID)
		}
		if got := h.places("Bob", 5); !slices.Equal(got, []int{2, 4, 6, 8, 10}) {
			t.Errorf("Bob's five are begun at %v, want in turn with Ada's", got)
		}
		h.send(h.bob, h.room.ID) // who was idle meanwhile has nothing in store for it
		h.places("Bob", 1)
		h.send(h.bob, h.room.ID)
		h.send(h.bob, h.room.ID)
		if got := h.places("Bob", 2); !slices.Equal(got, []int{2, 4}) {
			t.Errorf("Bob's two are begun at %v, want in turn with Ada's", got)
		}
	})
}

// Work that failed and is due again goes behind its author's other work, and so
// delays nobody else's.
func TestRetriesAreFairByAuthor(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 40 {
			h.send(h.ada, h.room.ID)
		}
		for range 20 {
			task, _ := h.takeNext(storage.Interactive)
			h.check(h.FailJob(t.Context(), task.Job, "the engine is away", 0))
		}
		h.send(h.bob, h.room.ID)
		if got := h.places("Bob", 1); got[0] > 2 {
			t.Errorf("Bob's is begun at place %v, behind what failed of Ada's", got)
		}
	})
}

func TestNextJob(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		none := func(p storage.Priority) {
			t.Helper()
			id, err := h.NextJob(t.Context(), storage.Transcribe, p)
			wantErr(t, err, storage.ErrNotFound)
			if id != "" {
				t.Errorf("next is %s", id)
			}
		}
		next := func(want storage.JobRef) {
			t.Helper()
			if id := must(h.NextJob(t.Context(), storage.Transcribe, storage.Interactive))(t); id != want.ID {
				t.Errorf("next is %s, want %s", id, want.ID)
			}
		}
		none(storage.Interactive)
		_, first := h.send(h.ada, h.room.ID)
		_, second := h.send(h.ada, h.room.ID)
		none(storage.Bulk)
		next(first)
		task := h.begin(first)
		next(second)
		h.check(h.ReleaseJob(t.Context(), task.Job)) // as if it had not been begun
		next(first)
		h.check(h.FailJob(t.Context(), h.begin(first).Job, "once", time.Hour))
		next(second)
		h.check(h.FailJob(t.Context(), h.begin(second).Job, "once", time.Hour))
		none(storage.Interactive) // nothing is due
		h.check(h.EndWaits(t.Context()))
		must(h.BeginJob(t.Context(), storage.Transcribe, first.ID, "dies", 0))(t) // its lease is over at once
		h.check(h.DeleteMessage(t.Context(), h.ada, second.ID))
		next(first)
	})
}
