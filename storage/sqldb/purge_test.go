package sqldb_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

var largeConversation = flag.Int("large", 2000, "messages of a conversation that is deleted while others write")

// purge purges what was deleted: so many conversations.
func (h *harness) purge(want int) {
	h.tb.Helper()
	if n := must(h.PurgeDeleted(h.tb.Context()))(h.tb); n != want {
		h.tb.Errorf("%d conversations were purged, want %d", n, want)
	}
}

// fill has n messages be said in a conversation, in each a word of its own.
func (h *harness) fill(by storage.Principal, conversationID string, n int) (ids []string) {
	h.tb.Helper()
	for len(ids) < n {
		var batch []sqldb.Imported
		for range min(500, n-len(ids)) {
			m := newMessage(storage.Conversation{ID: conversationID, WorkspaceID: by.WorkspaceID})
			batch = append(batch, sqldb.Imported{NewMessage: m, Transcript: spoken(fmt.Sprintf("the wonderful aubergine number%06d", len(ids)))})
			ids = append(ids, m.ID)
		}
		h.check(h.Import(h.tb.Context(), by, batch))
	}
	return ids
}

func TestDeletedConversationIsGoneAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		room := h.make(h.ada, storage.Direct, "the greenhouse", h.bob.UserID)
		said := h.say(h.ada, room.ID, "wonderful aubergine")
		waiting, job := h.send(h.bob, room.ID)
		_, begun := h.send(h.bob, room.ID)
		task := h.begin(begun)
		live := must(h.BeginRecording(t.Context(), h.bob, newRecording(room, "n1")))(t)
		manifest, _ := must2(h.Manifest(t.Context(), said.ID))(t)
		before := must(h.LastSeq(t.Context(), h.bob))(t)

		h.check(h.DeleteConversation(t.Context(), h.ada, room.ID))
		for _, p := range []storage.Principal{h.ada, h.bob} {
			_, err := h.Conversation(t.Context(), p, room.ID)
			wantErr(t, err, storage.ErrNotFound)
			_, err = h.Messages(t.Context(), p, room.ID, storage.MessagePage{})
			wantErr(t, err, storage.ErrNotFound)
			for _, m := range []storage.Message{said, waiting, live} {
				_, err = h.Message(t.Context(), p, m.ID)
				wantErr(t, err, storage.ErrNotFound)
			}
			_, err = h.Transcript(t.Context(), p, said.ID)
			wantErr(t, err, storage.ErrNotFound)
			if list, _ := must2(h.Conversations(t.Context(), p, storage.Page{}))(t); len(list) != 1 || list[0].ID != h.room.ID {
				t.Errorf("%s is in %+v", p.UserName, list)
			}
			for _, q := range []storage.Query{{Text: "aubergine"}, {Text: "aubergien"}, {Text: "greenhouse"}, {From: h.ada.UserID}} {
				if r := must(h.Search(t.Context(), p, q))(t); r.Total+len(r.Hits)+len(r.Conversations) > 0 || r.Corrected != "" {
					t.Errorf("%+v finds %+v", q, r)
				}
			}
			events := must(h.EventsAfter(t.Context(), p, before, 0))(t)
			if len(events) != 1 || events[0].Type != storage.ConversationDeleted || events[0].ConversationID != room.ID {
				t.Errorf("%s hears %+v", p.UserName, events)
			}
		}
		wantErr(t, h.DeleteConversation(t.Context(), h.ada, room.ID), storage.ErrNotFound)
		_, _, err := h.Accept(t.Context(), h.bob, newMessage(room))
		wantErr(t, err, storage.ErrNotFound)

		if due := must(h.DueJobs(t.Context(), 10))(t); len(due) != 0 {
			t.Errorf("due are %+v", due)
		}
		_, err = h.BeginJob(t.Context(), storage.Transcribe, job.ID, "w", time.Minute)
		wantErr(t, err, storage.ErrNotFound)
		wantErr(t, h.RenewLease(t.Context(), task.Job, time.Minute), storage.ErrStale)
		wantErr(t, h.SaveTranscript(t.Context(), task, spoken("aubergine")), storage.ErrStale)
		wantErr(t, h.ReleaseJob(t.Context(), task.Job), storage.ErrStale)
		if held := must(h.RenewRecordings(t.Context(), "n1", time.Minute))(t); len(held) != 0 {
			t.Errorf("held %v", held)
		}
		_, err = h.FinishRecording(t.Context(), finished(live, "n1", "too late"))
		wantErr(t, err, storage.ErrNotFound)
		wantErr(t, h.DropRecording(t.Context(), live.ID, "n1"), storage.ErrNotFound)
		wantErr(t, h.ManifestWritten(t.Context(), manifest), storage.ErrNotFound)
		_, _, err = h.Manifest(t.Context(), said.ID)
		wantErr(t, err, storage.ErrNotFound)
		if stale := must(h.StaleManifests(t.Context(), "", 10))(t); len(stale) != 0 {
			t.Errorf("manifests to write: %v", stale)
		}
		if n := must(h.Restore(t.Context(), h.ada.WorkspaceID, []sqldb.Restored{{Manifest: anotherOf(manifest)}}))(t); n != 0 {
			t.Error("a message was restored into a deleted conversation")
		}
		if again, created := must2(h.CreateConversation(t.Context(), h.ada, storage.NewConversation{Kind: storage.Direct, MemberIDs: []string{h.bob.UserID}}))(t); !created || again.ID == room.ID {
			t.Errorf("the same people meet in %s, created %v", again.ID, created)
		}
	})
}

// anotherOf is the manifest of another message of the same conversation.
func anotherOf(m storage.Manifest) storage.Manifest {
	m.Message.ID = storage.NewID()
	m.Original.Key = storage.NewOriginalKey(m.Workspace.ID, m.Message.ID)
	return m
}

// Each step is done by a process that knows nothing of the one before, which
// may have been killed: at the end nothing is left, and others lack nothing.
func TestPurgeGoesOnWhereItWasCutOff(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		room := h.conversation(h.ada, h.bob)
		ids := h.fill(h.bob, room.ID, 1200)
		kept := h.say(h.ada, h.room.ID, "another aubergine")
		_, running := h.send(h.ada, room.ID)
		h.begin(running)
		ids = append(ids, running.ID)

		h.check(h.DeleteConversation(t.Context(), h.ada, room.ID))
		steps := 0
		for {
			err := h.PurgeStep(t.Context())
			if errors.Is(err, storage.ErrNotFound) {
				break
			}
			h.check(err)
			steps++
			r := must(h.Search(t.Context(), h.ada, storage.Query{Text: "aubergine"}))(t)
			if r.Total != 1 || len(r.Hits) != 1 || r.Hits[0].Message.ID != kept.ID {
				t.Fatalf("after %d steps, found are %+v", steps, r)
			}
		}
		if want := 3 + 3 + 3 + 1; steps != want { // messages, words, events, the conversation
			t.Errorf("%d steps, want %d", steps, want)
		}
		h.purge(0)

		var queued []string
		for {
			some := must(h.ObjectsToDelete(t.Context(), 500))(t)
			if len(some) == 0 {
				break
			}
			queued = append(queued, some...)
			h.check(h.ForgetObjects(t.Context(), some))
		}
		slices.Sort(queued)
		if again := must(h.ObjectsToDeleteAgain(t.Context()))(t); !slices.Equal(again, []string{storage.MessagePrefix(h.ada.WorkspaceID, running.ID)}) {
			t.Errorf("named once more are %v", again)
		}
		h.exec(`DELETE FROM doomed_objects`)
		for _, id := range ids {
			if _, found := slices.BinarySearch(queued, storage.MessagePrefix(h.ada.WorkspaceID, id)); !found {
				t.Fatalf("the objects of %s are not queued for deletion", id)
			}
		}
		for _, text := range []string{ids[0], ids[700], running.ID, "number000700", "wonderful"} {
			if tables := must(h.TablesWith(t.Context(), text))(t); len(tables) > 0 {
				t.Errorf("%s is left in %v", text, tables)
			}
		}
		tables := must(h.TablesWith(t.Context(), room.ID))(t)
		slices.Sort(tables)
		if tables = slices.Compact(tables); !slices.Equal(tables, []string{"audit", "events"}) {
			t.Errorf("the conversation is left in %v; want that it was deleted, and who was put into it", tables)
		}
		if words, _ := must2(h.LexiconRows(t.Context()))(t); words != 2 {
			t.Errorf("%d words are left", words)
		}
		if n := must(h.IndexRows(t.Context()))(t); n != 1 {
			t.Errorf("%d messages are in the index", n)
		}
	})
}

// However much was said in it, a conversation is gone in the time that a small
// one takes, and while it is purged others write between the steps: nine writes
// of ten wait for no more than the step under way and one that was quicker.
func TestDeleteLargeConversationWhileOthersWrite(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		timed := func(c storage.Conversation) time.Duration {
			begun := time.Now()
			h.check(h.DeleteConversation(t.Context(), h.ada, c.ID))
			return time.Since(begun)
		}
		var small, large []time.Duration
		quick := func() bool { return slices.Min(large) <= 10*slices.Max(small) }
		for len(large) < 2 || len(large) < 5 && !quick() { // a machine that is busy with something else slows down some
			c := h.conversation(h.ada, h.bob)
			h.fill(h.bob, c.ID, *largeConversation)
			large = append(large, timed(c))
			c = h.conversation(h.ada, h.bob)
			h.fill(h.bob, c.ID, 1)
			small = append(small, timed(c))
		}

		var steps atomic.Int64
		var waited []int64 // steps that ended while a write was under way
		purged := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			defer close(purged)
			for {
				err := h.PurgeStep(t.Context())
				if errors.Is(err, storage.ErrNotFound) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				steps.Add(1)
			}
		})
		for done := false; !done; {
			select {
			case <-purged:
				done = true
			default:
				before := steps.Load()
				h.send(h.bob, h.room.ID)
				waited = append(waited, steps.Load()-before)
			}
		}
		group.Wait()
		slices.Sort(waited)
		t.Logf("deleted in %v with %d messages, in %v with one; %d steps, %d writes meanwhile, which waited for %d steps in the median and %d at the most",
			large, *largeConversation, small, steps.Load(), len(waited), waited[len(waited)/2], waited[len(waited)-1])
		if !quick() {
			t.Errorf("a large conversation is deleted in %v, a small one in %v", large, small)
		}
		// A writer that the machine lets wait, rather than the database, counts more.
		if n := int(steps.Load()); len(waited) < n/2 || waited[len(waited)*9/10] > 2 {
			t.Errorf("%d writes beside %d steps, which waited for %v of them", len(waited), n, waited)
		}
	})
}
