package sqldb_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// recorder gathers what OnCommit tells.
type recorder struct {
	mu     sync.Mutex
	events []storage.Event
}

func (r *recorder) hear(_ string, events []storage.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, events...)
}

func TestEventsAreInOrderOfCommit(t *testing.T) {
	var live recorder
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		live.events = nil
		w := newWorld(t, db)
		before := must(w.LastSeq(t.Context(), w.ada))(t)

		// One listener follows while eight write: it never misses one.
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if _, _, _, err := w.Accept(t.Context(), w.ada, newMessage(w.room)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := before
		for n := 0; n < writers*each; {
			for _, e := range must(w.EventsAfter(t.Context(), w.bob, seen, 7))(t) {
				if e.Seq != seen+1 || e.Type != storage.MessageCreated || e.At.IsZero() || string(e.Data) != `{"state":"received"}` {
					t.Fatalf("after %d came %+v", seen, e)
				}
				seen = e.Seq
				n++
			}
		}
		wg.Wait()
		if last := must(w.LastSeq(t.Context(), w.ada))(t); last != seen {
			t.Errorf("last is %d, the listener is at %d", last, seen)
		}
		live.mu.Lock()
		defer live.mu.Unlock()
		var told []int64
		for _, e := range live.events {
			if e.WorkspaceID == w.ada.WorkspaceID && e.Seq > before {
				told = append(told, e.Seq)
			}
		}
		slices.Sort(told)
		if len(slices.Compact(told)) != writers*each {
			t.Errorf("OnCommit told of %d events", len(told))
		}
	}, storagetest.OnCommit(live.hear))
}

func TestEventsOfWhatIsGone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		w.check(w.AddConversationMember(t.Context(), w.ada, w.room.ID, w.eve.UserID))
		w.check(w.RemoveConversationMember(t.Context(), w.ada, w.room.ID, w.eve.UserID))
		types := func(a storage.Actor) (list []storage.EventType) {
			for _, e := range must(w.EventsAfter(t.Context(), a, 0, 0))(t) {
				list = append(list, e.Type)
				if can := must(w.CanHearEvent(t.Context(), a, e))(t); !can {
					t.Errorf("%s is told of %s %d, but may not hear it live", a.UserName, e.Type, e.Seq)
				}
			}
			return list
		}
		if got := types(w.eve); !slices.Equal(got, []storage.EventType{storage.ConversationDeleted}) {
			t.Errorf("eve, who left, hears %v", got)
		}
		m, _ := w.send(w.ada, w.room.ID)
		w.check(w.DeleteMessage(t.Context(), w.ada, m.ID))
		want := []storage.EventType{
			storage.ConversationCreated, storage.ConversationUpdated, storage.ConversationUpdated,
			storage.MessageCreated, storage.MessageDeleted,
		}
		if got := types(w.bob); !slices.Equal(got, want) {
			t.Errorf("bob hears %v, want %v", got, want)
		}
		w.check(w.DeleteConversation(t.Context(), w.ada, w.room.ID))
		if got := types(w.bob); !slices.Equal(got, []storage.EventType{storage.ConversationDeleted}) {
			t.Errorf("bob hears %v of a conversation that is gone", got)
		}
	})
}

func TestSweptEventsAreMissed(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		w.send(w.ada, w.room.ID)
		if n := must(w.SweepEvents(t.Context(), time.Hour))(t); n != 0 {
			t.Errorf("swept %d young events", n)
		}
		if n := must(w.SweepEvents(t.Context(), -time.Hour))(t); n != 2 {
			t.Errorf("swept %d, want 2", n)
		}
		last := must(w.LastSeq(t.Context(), w.ada))(t)
		_, err := w.EventsAfter(t.Context(), w.ada, last-1, 0)
		wantErr(t, err, storage.ErrExpired)
		if events := must(w.EventsAfter(t.Context(), w.ada, last, 0))(t); len(events) != 0 {
			t.Errorf("events %v", events)
		}
		w.send(w.ada, w.room.ID)
		if events := must(w.EventsAfter(t.Context(), w.ada, last, 0))(t); len(events) != 1 || events[0].Seq != last+1 {
			t.Errorf("events %v", events)
		}
	})
}
