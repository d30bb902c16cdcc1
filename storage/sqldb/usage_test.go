package sqldb_test

import (
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// What is stored, and what somebody sent today, follows all that makes, changes
// and deletes recordings.
func TestUsage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		want := func(when string, who storage.Principal, want storage.Usage) {
			t.Helper()
			if got := must(h.Usage(t.Context(), who))(t); got != want {
				t.Errorf("%s: %+v; want %+v", when, got, want)
			}
		}
		want("at first", h.ada, storage.Usage{})
		m, job := h.send(h.ada, h.room.ID)
		h.send(h.bob, h.room.ID)
		h.send(h.ada, h.conversation(h.ada).ID)
		want("three clips", h.ada, storage.Usage{Today: 88, Stored: 132, Waiting: 2})
		want("three clips", h.bob, storage.Usage{Today: 44, Stored: 132, Waiting: 1})
		want("elsewhere", h.mal, storage.Usage{})

		task := h.begin(job)
		want("begun", h.ada, storage.Usage{Today: 88, Stored: 132, Waiting: 1})
		h.check(h.SaveRendition(t.Context(), task, storage.Rendition{Key: task.RenditionKey, MediaType: "audio/mp4", Bytes: 1000}))
		want("with a rendition", h.ada, storage.Usage{Today: 88, Stored: 1132, Waiting: 1})

		live := must(h.BeginRecording(t.Context(), h.bob, newRecording(h.room, "n1")))(t)
		want("speaking", h.bob, storage.Usage{Today: 44, Stored: 1132, Waiting: 1})
		h.finish(finished(live, "n1", "hello"))
		want("spoken", h.bob, storage.Usage{Today: 121, Stored: 1209, Waiting: 1})

		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		want("deleted", h.ada, storage.Usage{Today: 88, Stored: 165, Waiting: 1})
		h.exec(`UPDATE usage SET day = day - 1`)
		want("the next day", h.ada, storage.Usage{Stored: 165, Waiting: 1})
		h.send(h.ada, h.room.ID)
		want("a clip of that day", h.ada, storage.Usage{Today: 44, Stored: 209, Waiting: 2})
		h.check(h.DeleteConversation(t.Context(), h.ada, h.room.ID))
		must(h.PurgeDeleted(t.Context()))(t)
		want("without the conversation", h.ada, storage.Usage{Today: 44, Stored: 44, Waiting: 1})
	})
}
