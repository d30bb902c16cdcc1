package events

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/storagetest"
)

// TestIDsTellNothing opens streams of somebody who sees nothing, before and after
// something happened elsewhere, and where nothing did.
func TestIDsTellNothing(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		for name, happens := range map[string]func(){"nothing": func() {}, "private changes": func() { h.retitle(h.own) }} {
			before := h.listen(h.eve, "").place
			happens()
			after := h.listen(h.eve, "").place
			if before == after || len(before) != len(after) {
				t.Errorf("with %s between, %s is followed by %s", name, before, after)
			}
			if _, err := h.hub.Open(t.Context(), h.bob, before); !errors.Is(err, ErrBadID) {
				t.Errorf("another's id: %v", err)
			}
			if resumed := h.listen(h.eve, before).place; resumed != before {
				t.Errorf("a stream that goes on from %s begins at %s", before, resumed)
			}
		}
	})
}

// TestResetTellsNothing comes back late: events are lost then whether or not
// something happened, and was swept.
func TestResetTellsNothing(t *testing.T) {
	each(t, Config{Kept: time.Millisecond}, func(t *testing.T, h *harness) {
		for name, happens := range map[string]func(){"nothing": func() {}, "private changes": func() { h.retitle(h.own) }} {
			place := h.listen(h.eve, "").place
			happens()
			awaitAge(place, h, t)
			_, err := h.db.SweepEvents(t.Context(), 0)
			must(t, err)
			e := h.listen(h.eve, place).next()
			if e.name != "reset" || e.id == place || len(e.id) != len(place) {
				t.Errorf("with %s between came %+v", name, e)
			}
		}
	})
}

// awaitAge waits until a place is older than events are kept, which is no time
// at all here.
func awaitAge(id string, h *harness, t *testing.T) {
	t.Helper()
	s, err := newSealer(h.hub.cfg.Key, h.eve)
	must(t, err)
	p, err := s.open(id)
	must(t, err)
	for storage.Now().Sub(p.at) <= h.hub.cfg.Kept {
		time.Sleep(time.Millisecond) // a clock gives no signal
	}
}

// TestRemovedMembers takes somebody out while the bus is silent about it: neither
// what is stored nor what passes reaches them, and what waits for them is held back.
func TestRemovedMembers(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		bob, ada := h.listen(h.bob, ""), h.listen(h.ada, "")
		h.caption(h.room, "while he is there")
		bob.want(storage.MessageCaption, h.room.ID)
		ada.want(storage.MessageCaption, h.room.ID)

		hold := make(chan struct{})
		slow := listen(t, h.hub, h.bob, "", hold)
		h.retitle(h.room) // which slow is about to take
		h.retitle(h.room)
		for range 2 {
			bob.want(storage.ConversationUpdated, h.room.ID)
			ada.want(storage.ConversationUpdated, h.room.ID)
		}
		h.mute.Store(true)
		must(t, h.db.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.bob.UserID))
		h.mute.Store(false)
		h.caption(h.room, "after he has gone")
		h.retitle(h.room)
		bob.want(storage.ConversationDeleted, h.room.ID)
		heard := map[storage.EventType]int{}
		for range 3 {
			heard[ada.next().data.Type]++
		}
		if heard[storage.ConversationUpdated] != 2 || heard[storage.MessageCaption] != 1 {
			t.Errorf("who stays hears %v", heard)
		}
		close(hold)
		if e := slow.next(); e.data.Type == storage.ConversationUpdated { // it was on its way
			slow.want(storage.ConversationDeleted, h.room.ID)
		} else if e.data.Type != storage.ConversationDeleted {
			t.Errorf("what had waited came: %+v", e)
		}

		must(t, h.db.AddConversationMember(t.Context(), h.ada, h.room.ID, h.bob.UserID))
		h.caption(h.room, "when he is back")
		for _, l := range []*listener{bob, slow} {
			l.want(storage.ConversationUpdated, h.room.ID)
			l.want(storage.MessageCaption, h.room.ID)
		}
	})
}

// TestMembersAreThoseOfNow has a tail read a batch whose conversation somebody
// leaves in a later one.
func TestMembersAreThoseOfNow(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		bob, ada := h.listen(h.bob, ""), h.listen(h.ada, "")
		h.mute.Store(true)
		for range batch + 1 {
			h.send(h.room)
		}
		must(t, h.db.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.bob.UserID))
		h.mute.Store(false)
		h.retitle(h.own)
		bob.want(storage.ConversationDeleted, h.room.ID)
		for range batch + 1 {
			ada.want(storage.MessageCreated, h.room.ID)
		}
		ada.want(storage.ConversationUpdated, h.room.ID)
		ada.want(storage.ConversationUpdated, h.own.ID)
	})
}

// TestWhatPassesKeepsItsPlace has words pass before something is stored, which the
// tail finds together with them.
func TestWhatPassesKeepsItsPlace(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		bob := h.listen(h.bob, "")
		h.mute.Store(true)
		h.retitle(h.room)
		h.caption(h.room, "said before the title")
		bob.want(storage.MessageCaption, h.room.ID)
		bob.want(storage.ConversationUpdated, h.room.ID)
	})
}

// TestRevoked revokes a credential and has nobody told: nothing reaches its
// streams from then on, and they end. Others of the user's go on.
func TestRevoked(t *testing.T) {
	happenings := map[string]func(h *harness){
		"a stored event": func(h *harness) { h.retitle(h.room) },
		"a caption":      func(h *harness) { h.caption(h.room, "private") },
		"word of revocation": func(h *harness) {
			h.publish(storage.Event{WorkspaceID: h.ada.WorkspaceID, Type: storage.CredentialRevoked})
		},
	}
	for name, happens := range happenings {
		t.Run(name, func(t *testing.T) {
			each(t, Config{}, func(t *testing.T, h *harness) {
				other := h.bob
				other.CredentialID = h.signIn(h.bob.WorkspaceID, storage.User{ID: h.bob.UserID}).CredentialID
				l, goesOn := h.listen(h.bob, ""), h.listen(other, "")
				must(t, h.db.RevokeToken(t.Context(), h.bob, h.bob.CredentialID))
				happens(h)
				if err := l.wantEnd(); err != nil {
					t.Error(err)
				}
				h.conversation(other)
				for goesOn.next().data.Type != storage.ConversationCreated {
				}
			})
		})
	}
	t.Run("nothing but a heartbeat", func(t *testing.T) {
		each(t, Config{Heartbeat: 10 * time.Millisecond}, func(t *testing.T, h *harness) {
			l := h.listen(h.bob, "")
			must(t, h.db.RevokeToken(t.Context(), h.bob, h.bob.CredentialID))
			if err := l.wantEnd(); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestSlowListener has one listener take nothing while more happens than waits
// for them: others hear it at once, and they hear all of it later, in order.
func TestSlowListener(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		hold := make(chan struct{})
		slow, quick := listen(t, h.hub, h.bob, "", hold), h.listen(h.bob, "")
		const n = streamBuffer + batch + 10
		var ids []string
		for range n {
			h.retitle(h.own)
			h.retitle(h.room)
			ids = append(ids, quick.want(storage.ConversationUpdated, h.room.ID).id)
		}
		close(hold)
		for i, id := range ids {
			if e := slow.next(); e.id != id {
				t.Fatalf("event %d is %s, for the slow one %s", i, id, e.id)
			}
		}
		h.retitle(h.room)
		if e := quick.next(); slow.next().id != e.id {
			t.Errorf("the slow one does not hear %+v next", e)
		}
	})
}

// TestResumeAnywhere leaves the bus silent, and goes on at a place that another
// node gave.
func TestResumeAnywhere(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		here, there := h.hub, h.newHub(Config{})
		h.listen(h.bob, "") // whose tail there is, and stays behind
		place := listen(t, there, h.bob, "", nil).place
		h.mute.Store(true)
		h.retitle(h.room)
		h.retitle(h.own)
		h.retitle(h.room)
		first := listen(t, here, h.bob, place, nil).want(storage.ConversationUpdated, h.room.ID)
		again := listen(t, there, h.bob, place, nil)
		if again.next().id != first.id {
			t.Error("one event has two ids")
		}
		second := again.want(storage.ConversationUpdated, h.room.ID)
		if e := listen(t, here, h.bob, first.id, nil).next(); e.id != second.id {
			t.Errorf("behind the first came %+v", e)
		}
		h.mute.Store(false)
		last := listen(t, here, h.bob, second.id, nil)
		h.retitle(h.room)
		if e := last.next(); e.id == second.id || e.id == first.id {
			t.Errorf("%+v came again", e)
		}
	})
}

// TestRestoredDatabase puts the database back to an older state under those who
// listen, and before they come back: both are to read afresh.
func TestRestoredDatabase(t *testing.T) {
	each(t, Config{Heartbeat: 10 * time.Millisecond}, func(t *testing.T, h *harness) {
		l := h.listen(h.bob, "")
		h.retitle(h.room)
		place := l.want(storage.ConversationUpdated, h.room.ID).id
		storagetest.Exec(t, h.url, `UPDATE workspaces SET last_event = last_event - 1`, `DELETE FROM events WHERE seq > (SELECT MAX(last_event) FROM workspaces)`)
		if e := l.next(); e.name != "reset" {
			t.Errorf("under a listener: %+v", e)
		}
		back := listen(t, h.newHub(Config{}), h.bob, place, nil)
		if e := back.next(); e.name != "reset" {
			t.Errorf("for one who comes back: %+v", e)
		}
		h.retitle(h.room)
		l.want(storage.ConversationUpdated, h.room.ID)
		back.want(storage.ConversationUpdated, h.room.ID)
	})
}

// TestSweptUnderListeners sweeps events before a tail has read them.
func TestSweptUnderListeners(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		l := h.listen(h.bob, "")
		h.mute.Store(true)
		h.retitle(h.room)
		_, err := h.db.SweepEvents(t.Context(), -time.Hour)
		must(t, err)
		h.mute.Store(false)
		h.retitle(h.room)
		if e := l.next(); e.name != "reset" {
			t.Errorf("%+v came", e)
		}
		h.retitle(h.room)
		l.want(storage.ConversationUpdated, h.room.ID)
	})
}

// TestOneSubscription counts what the bus is asked for.
func TestOneSubscription(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		space, owner, err := h.db.CreateWorkspace(t.Context(), "Second", "Mal")
		must(t, err)
		mal := h.signIn(space.ID, owner)
		var all []*listener
		for _, p := range []storage.Principal{h.ada, h.bob, h.eve, h.bob, mal} {
			all = append(all, h.listen(p, ""))
		}
		if n := h.bus.standing.Load(); n != 2 {
			t.Errorf("%d subscriptions for listeners in two workspaces", n)
		}
		for _, l := range all {
			l.leave()
			must(t, l.wantEnd())
		}
		if n := h.bus.standing.Load(); n != 0 {
			t.Errorf("%d subscriptions for nobody", n)
		}
		l := h.listen(h.bob, "")
		h.retitle(h.room)
		l.want(storage.ConversationUpdated, h.room.ID)
	})
}

// TestHubEnds ends a hub under a listener, and before one comes.
func TestHubEnds(t *testing.T) {
	each(t, Config{}, func(t *testing.T, h *harness) {
		l := h.listen(h.bob, "")
		h.hub.End()
		must(t, l.wantEnd())
		if _, err := h.hub.Open(t.Context(), h.bob, ""); !errors.Is(err, ErrUnavailable) {
			t.Errorf("a hub that has ended: %v", err)
		}
		closed := h.newHub(Config{})
		l = listen(t, closed, h.bob, "", nil)
		must(t, h.bus.Close())
		must(t, l.wantEnd())
		if _, err := closed.Open(t.Context(), h.bob, ""); !errors.Is(err, ErrUnavailable) {
			t.Errorf("on a bus that is closed: %v", err)
		}
	})
}

// brokenRecords fail at what a test says.
type brokenRecords struct {
	Records
	tail, where, live error
}

func (r *brokenRecords) EventTail(ctx context.Context, workspaceID string, after int64, limit int) (storage.EventTail, error) {
	if r.tail != nil {
		return storage.EventTail{}, r.tail
	}
	return r.Records.EventTail(ctx, workspaceID, after, limit)
}

func (r *brokenRecords) ConversationsOf(ctx context.Context, workspaceID string, userIDs []string) (map[string]map[string]storage.Membership, error) {
	if r.where != nil {
		return nil, r.where
	}
	return r.Records.ConversationsOf(ctx, workspaceID, userIDs)
}

func (r *brokenRecords) LiveCredentials(ctx context.Context, ids []string) (map[string]storage.Standing, error) {
	if r.live != nil {
		return nil, r.live
	}
	return r.Records.LiveCredentials(ctx, ids)
}

// TestDatabaseAway has the database fail: streams end and nobody hears anything
// that could not be checked; when it is back, so are they.
func TestDatabaseAway(t *testing.T) {
	away := fmt.Errorf("dial: %w", storage.ErrUnreachable)
	h := newHarness(t, storagetest.SQLite(t), Config{})
	place := h.listen(h.bob, "").place
	for name, broken := range map[string]*brokenRecords{"events": {tail: away}, "members": {where: away}} {
		h.hub = h.newHub(Config{})
		broken.Records, h.hub.deps.Records = h.db, broken
		if _, err := h.hub.Open(t.Context(), h.bob, ""); !errors.Is(err, storage.ErrUnreachable) {
			t.Errorf("without %s: opened with %v", name, err)
		}
	}
	h.hub = h.newHub(Config{})
	h.hub.deps.Records = &brokenRecords{Records: h.db, live: away}
	l := h.listen(h.bob, "")
	h.caption(h.room, "unchecked")
	if err := l.wantEnd(); !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("ended with %v", err)
	}
	h.hub.deps.Records = h.db
	h.retitle(h.room)
	h.listen(h.bob, place).want(storage.ConversationUpdated, h.room.ID)
}
