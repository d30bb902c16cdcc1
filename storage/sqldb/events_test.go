package sqldb_test

import (
	"context"
	"maps"
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
		h := newHarness(t, db)
		before := must(h.LastSeq(t.Context(), h.ada))(t)

		// One listener follows while eight write: it never misses one.
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if _, _, err := h.Accept(t.Context(), h.ada, newMessage(h.room)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := before
		for n := 0; n < writers*each; {
			for _, e := range must(h.EventsAfter(t.Context(), h.bob, seen, 7))(t) {
				if e.Seq != seen+1 || e.Type != storage.MessageCreated || e.At.IsZero() || string(e.Data) != `{"state":"received"}` {
					t.Fatalf("after %d came %+v", seen, e)
				}
				seen = e.Seq
				n++
			}
		}
		wg.Wait()
		if last := must(h.LastSeq(t.Context(), h.ada))(t); last != seen {
			t.Errorf("last is %d, the listener is at %d", last, seen)
		}
		live.mu.Lock()
		defer live.mu.Unlock()
		var sent []int64
		for _, e := range live.events {
			if e.WorkspaceID == h.ada.WorkspaceID && e.Seq > before {
				sent = append(sent, e.Seq)
			}
		}
		slices.Sort(sent)
		if len(slices.Compact(sent)) != writers*each {
			t.Errorf("OnCommit got %d events", len(sent))
		}
	}, storagetest.OnCommit(live.hear))
}

// CanHearEvent says whether a listener would get an event: by the rule in
// memory, and what it is decided on.
func (h *harness) CanHearEvent(ctx context.Context, p storage.Principal, e storage.Event) (bool, error) {
	in, err := h.ConversationsOf(ctx, p.WorkspaceID, []string{p.UserID})
	return storage.MayHear(p, e, in[p.UserID][e.ConversationID]), err
}

func TestEventsOfWhatIsGone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID))
		h.check(h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID))
		types := func(a storage.Principal) (list []storage.EventType) {
			for _, e := range must(h.EventsAfter(t.Context(), a, 0, 0))(t) {
				if e.ConversationID != "" {
					list = append(list, e.Type)
				}
				if can := must(h.CanHearEvent(t.Context(), a, e))(t); !can {
					t.Errorf("%s gets %s %d, but may not hear it live", a.UserName, e.Type, e.Seq)
				}
			}
			return list
		}
		if got := types(h.eve); !slices.Equal(got, []storage.EventType{storage.ConversationDeleted}) {
			t.Errorf("eve, who left, hears %v", got)
		}
		m, _ := h.send(h.ada, h.room.ID)
		h.check(h.DeleteMessage(t.Context(), h.ada, m.ID))
		want := []storage.EventType{
			storage.ConversationCreated, storage.ConversationUpdated, storage.ConversationUpdated,
			storage.MessageCreated, storage.MessageDeleted,
		}
		if got := types(h.bob); !slices.Equal(got, want) {
			t.Errorf("bob hears %v, want %v", got, want)
		}
		h.check(h.DeleteConversation(t.Context(), h.ada, h.room.ID))
		if got := types(h.bob); !slices.Equal(got, []storage.EventType{storage.ConversationDeleted}) {
			t.Errorf("bob hears %v of a conversation that is gone", got)
		}
	})
}

func TestSweptEventsAreMissed(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.send(h.ada, h.room.ID)
		if n := must(h.SweepEvents(t.Context(), time.Hour))(t); n != 0 {
			t.Errorf("swept %d young events", n)
		}
		if n := must(h.SweepEvents(t.Context(), -time.Hour))(t); n != 4 {
			t.Errorf("swept %d, want those of two people, a conversation and a message", n)
		}
		last := must(h.LastSeq(t.Context(), h.ada))(t)
		_, err := h.EventsAfter(t.Context(), h.ada, last-1, 0)
		wantErr(t, err, storage.ErrExpired)
		if events := must(h.EventsAfter(t.Context(), h.ada, last, 0))(t); len(events) != 0 {
			t.Errorf("events %v", events)
		}
		h.send(h.ada, h.room.ID)
		if events := must(h.EventsAfter(t.Context(), h.ada, last, 0))(t); len(events) != 1 || events[0].Seq != last+1 {
			t.Errorf("events %v", events)
		}
	})
}

// heard are the events that the database tells a principal of.
func (h *harness) heard(p storage.Principal) (seqs []int64) {
	h.tb.Helper()
	for _, e := range must(h.EventsAfter(h.tb.Context(), p, 0, 10_000))(h.tb) {
		seqs = append(seqs, e.Seq)
	}
	return seqs
}

// TestEventsByMemory has all kinds of events happen. What a listener gets
// by the rule in memory is what the database would tell them, and what an older
// version that reads beside this one tells.
func TestEventsByMemory(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		gus, lone := h.user("Gus", storage.Guest), h.user("Lone", storage.Guest)
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, gus.UserID))
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID))
		h.send(h.eve, h.room.ID)
		draft := newMessage(h.room)
		draft.Unsent = true
		_, _, err := h.Accept(t.Context(), h.eve, draft)
		h.check(err)
		h.check(h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID))
		must(h.Rename(t.Context(), h.bob, "Robert"))(t)
		must(h.RenameWorkspace(t.Context(), h.ada, "Harbour"))(t)
		own, several := h.conversation(h.bob), h.conversation(h.ada, h.bob, h.eve)
		h.check(h.DeleteConversation(t.Context(), h.bob, own.ID))
		h.check(h.DeleteConversation(t.Context(), h.ada, several.ID))

		scoped := h.bob // with a credential for one conversation
		scoped.UserName, scoped.Scopes = "Bob's program", must(storage.ParseScopes([]string{"read", "conversation:" + h.room.ID}))(t)

		tail := must(h.EventTail(t.Context(), h.ada.WorkspaceID, 0, 1000))(t)
		if tail.Last != int64(len(tail.Events)) || tail.Last < 15 {
			t.Fatalf("%d events, the last %d", len(tail.Events), tail.Last)
		}
		for _, p := range []storage.Principal{h.ada, h.bob, h.eve, gus, lone, {WorkspaceID: h.ada.WorkspaceID}, scoped} {
			var sent []int64
			for _, e := range tail.Events {
				if can(h.CanHearEvent(t.Context(), p, e))(t) {
					sent = append(sent, e.Seq)
				}
			}
			if want := h.heard(p); !slices.Equal(sent, want) {
				t.Errorf("%s gets %v, and the database has %v", p.UserName, sent, want)
			}
			if p.UserID != "" && p.Scopes == "" {
				if old := must(h.HeardAt9(t.Context(), p))(t); !slices.Equal(sent, old) {
					t.Errorf("%s gets %v, and by an older version of %v", p.UserName, sent, old)
				}
			}
		}
		of := map[storage.EventType]string{}
		for _, e := range tail.Events {
			of[e.Type] += e.OnlyFor
		}
		if of[storage.DraftCreated] != h.eve.UserID || of[storage.ConversationDeleted] != h.eve.UserID+h.bob.UserID || of[storage.MessageCreated]+of[storage.UserUpdated] != "" {
			t.Errorf("events of one person: %v", of)
		}
	})
}

func TestEventTail(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, workspace := t.Context(), h.ada.WorkspaceID
		first := must(h.EventTail(ctx, workspace, 0, 0))(t)
		if first.Last == 0 || first.Events != nil || first.Members != nil {
			t.Errorf("%+v", first)
		}
		if same := must(h.EventTail(ctx, workspace, first.Last, 10))(t); same.Last != first.Last || same.Events != nil || same.Members != nil {
			t.Errorf("nothing happened, and %+v", same)
		}
		h.send(h.ada, h.room.ID)
		if said := must(h.EventTail(ctx, workspace, first.Last, 10))(t); said.Last != first.Last+1 || len(said.Events) != 1 || said.Members != nil {
			t.Errorf("%+v", said)
		}
		h.check(h.AddConversationMember(ctx, h.ada, h.room.ID, h.eve.UserID))
		h.check(h.RemoveConversationMember(ctx, h.ada, h.room.ID, h.bob.UserID))
		other := h.conversation(h.bob)
		h.check(h.DeleteConversation(ctx, h.bob, other.ID))
		// The batch ends before those events, and those in it are sent by who is there now.
		next := must(h.EventTail(ctx, workspace, first.Last, 1))(t)
		members := slices.Sorted(maps.Keys(next.Members[h.room.ID]))
		want := []string{h.ada.UserID, h.eve.UserID}
		slices.Sort(want)
		if _, gone := next.Members[other.ID]; len(next.Events) != 1 || !slices.Equal(members, want) || !gone || len(next.Members) != 2 {
			t.Errorf("%+v", next)
		}
		must(h.SweepEvents(ctx, -time.Hour))(t)
		h.send(h.ada, h.room.ID)
		if swept := must(h.EventTail(ctx, workspace, first.Last, 10))(t); swept.Last <= first.Last || swept.Events != nil {
			t.Errorf("over a gap came %+v", swept)
		}
		if other := must(h.EventTail(ctx, h.mal.WorkspaceID, 0, 10))(t); other.Last != 0 || other.Events != nil {
			t.Errorf("elsewhere happened %+v", other)
		}
	})
}

func TestLiveCredentials(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		make := func(ttl time.Duration) string {
			token, _, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.APIToken, Name: "test", Life: ttl})
			h.check(err)
			return token.ID
		}
		good, revoked, expired := make(time.Hour), make(0), make(time.Hour)
		h.check(h.RevokeToken(t.Context(), h.bob, revoked))
		h.exec(`UPDATE tokens SET expires_at = 1 WHERE id = ?`, expired)
		ids := []string{good, revoked, expired, storage.NewID()}
		for range 2 * 500 {
			ids = append(ids, storage.NewID())
		}
		last := make(0)
		live := must(h.LiveCredentials(t.Context(), append(ids, last)))(t)
		if len(live) != 2 || live[good] != live[last] || !live[good].Is(h.bob) {
			t.Errorf("live are %v of good %s, revoked %s, expired %s and last %s", live, good, revoked, expired, last)
		}
		for _, token := range must(h.Tokens(t.Context(), h.bob))(t) {
			if (live[token.ID] != storage.Standing{}) == token.LastUsedAt.IsZero() {
				t.Errorf("last use of %+v", token)
			}
		}
		if none := must(h.LiveCredentials(t.Context(), nil))(t); len(none) != 0 {
			t.Errorf("of none live %v", none)
		}
	})
}
