package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// reindex makes the records again with no server running.
func (h *harness) reindex() Reindexed {
	h.t.Helper()
	done, err := h.Reindex(h.t.Context(), ReindexOptions{Alone: true, Node: "n1"})
	h.check(err)
	return done
}

// finds makes sure that exactly one message is found by a word, and which.
func (h *harness) finds(who storage.Principal, word string, m storage.Message) {
	h.t.Helper()
	r, err := h.Records.Search(h.t.Context(), who, storage.Query{Text: word})
	h.check(err)
	if len(r.Hits) != 1 || r.Hits[0].Message.ID != m.ID {
		h.t.Errorf("%q is found in %d messages", word, len(r.Hits))
	}
}

func TestReindexALostDatabase(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, fresh *sqldb.DB) {
		old := newHarness(t, storagetest.New(t), newStore(t))
		old.agrees()
		first, second := old.people().say("harbour"), old.say("lighthouse")
		bob, err := old.Records.CreateUser(t.Context(), old.owner.WorkspaceID, "Bob", storage.RoleMember)
		old.check(err)
		_, err = old.Records.UpdateConversation(t.Context(), old.owner, old.room.ID, storage.ConversationPatch{Title: new("Harbour")})
		old.check(err)
		n, err := old.WriteManifests(t.Context())
		if err != nil || n != 1 {
			t.Errorf("%d manifests, %v", n, err)
		}
		killed := old.send() // before its job ran, or any sweep
		live := storage.NewOriginalKey(old.owner.WorkspaceID, storage.NewID())
		old.put(storage.PiecesOf(live)+"000000", sound)
		noSound := storage.NewOriginalKey(old.owner.WorkspaceID, storage.NewID())
		old.put(noSound, []byte("a dump of something else, and no sound at all"))

		h := newHarness(t, fresh, old.Objects)
		h.people() // as a server does that starts on an empty database
		h.disagrees(false)
		looked, err := h.Reindex(t.Context(), ReindexOptions{Alone: true, DryRun: true})
		h.check(err)
		h.disagrees(false)
		done := h.reindex()
		if done.Seen != 5 || done.Restored != 4 || done.Recovered != 1 || done.Recordings != 1 || done.Searchable != 2 || len(done.Lost) != 1 || len(done.Unused) != 1 {
			t.Errorf("%+v", done)
		}
		if looked.Restored != done.Restored || looked.Recovered != done.Recovered {
			t.Errorf("a dry run said %+v", looked)
		}
		h.agrees()

		h.owner, _, err = h.Records.Bootstrap(t.Context(), "Hark", "Ada")
		h.check(err)
		if h.owner.UserID != old.owner.UserID || h.owner.WorkspaceID != old.owner.WorkspaceID {
			t.Errorf("the owner is %+v", h.owner)
		}
		h.finds(h.owner, "harbour", first)
		h.finds(storage.Principal{WorkspaceID: bob.WorkspaceID, UserID: bob.ID}, "lighthouse", second)
		c, err := h.Records.Conversation(t.Context(), h.owner, old.room.ID)
		if err != nil || c.Title != "Harbour" || c.MemberCount != 2 {
			t.Errorf("%+v, %v", c, err)
		}
		got, err := h.Records.Message(t.Context(), h.owner, killed.ID)
		if err != nil || got.Original.Format != "wav" || got.Original.Bytes != int64(len(sound)) || got.State != storage.Received || got.CreatedAt.Sub(killed.CreatedAt).Abs() > time.Minute {
			t.Errorf("%+v, %v", got, err)
		}
		mine, err := h.Records.RecordingsOf(t.Context(), "n1")
		if err != nil || len(mine) != 1 || mine[0].OriginalKey != live {
			t.Errorf("recordings: %+v, %v", mine, err)
		}
		if again := h.reindex(); again.Restored != 0 || again.Present != 4 {
			t.Errorf("again: %+v", again)
		}
		if done, err := h.Sweep(t.Context(), time.Now()); err != nil || done.Removed != 0 || done.Unknown != 0 {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

func TestReindexAnOlderBackup(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		kept, lost := h.people().say("before"), h.say("afterwards")
		h.forget(lost)
		done := h.reindex()
		if done.Restored != 1 || done.Present != 1 || done.Searchable != 1 || len(done.Lost) != 0 {
			h.t.Errorf("%+v", done)
		}
		h.finds(h.owner, "before", kept)
		h.finds(h.owner, "afterwards", lost)
		h.agrees()
	})
}

// What was deleted, and whose objects are about to go, does not come back.
func TestReindexLeavesTheDeleted(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		m := h.people().say("gone")
		h.check(h.Records.DeleteMessage(t.Context(), h.owner, m.ID))
		if done := h.reindex(); done.Restored != 0 {
			h.t.Errorf("%+v", done)
		}
	})
}

// A reindex that is cut off is taken up again, and the conversations are then
// as the newest manifest has them.
func TestReindexIsResumed(t *testing.T) {
	old := newHarness(t, storagetest.New(t), newStore(t))
	old.agrees()
	old.people()
	for i := range 5 {
		old.say(fmt.Sprintf("word%d", i))
	}
	h := newHarness(t, storagetest.New(t), old.Objects)
	h.disagrees(false)
	r := &reindexer{Stores: h.Stores, ReindexOptions: ReindexOptions{Alone: true}, latest: newLatest()}
	h.check(r.missing(t.Context(), r.learn))
	cut := errors.New("cut off")
	if err := r.missing(t.Context(), func(ctx context.Context, page []message) error {
		h.check(r.restore(ctx, page[:2]))
		return cut
	}); !errors.Is(err, cut) {
		t.Fatal(err)
	}
	h.disagrees(false)
	if done := h.reindex(); done.Present != 2 || done.Restored != 3 {
		t.Errorf("%+v", done)
	}
	h.agrees()
}

func TestReindexRefusesAnothersStore(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		h.people().say("elsewhere")
		other := newHarness(h.t, h.Records, newStore(h.t))
		var d *Disagreement
		if _, err := other.Reindex(t.Context(), ReindexOptions{Alone: true}); !errors.As(err, &d) || !strings.Contains(err.Error(), "--rebind") {
			h.t.Errorf("%v", err)
		}
		if _, err := other.Reindex(t.Context(), ReindexOptions{Alone: true, Rebind: true}); err != nil {
			h.t.Error(err)
		}
		other.agrees()
		h.disagrees(true)
	})
}

// While servers run, what has no manifest yet may be on its way in.
func TestReindexBesideAServer(t *testing.T) {
	h := newHarness(t, storagetest.New(t), newStore(t))
	h.agrees()
	h.people()
	h.orphans(1)
	done, err := h.Reindex(t.Context(), ReindexOptions{})
	if err != nil || done.Restored != 0 || len(done.Lost) != 1 || !strings.Contains(done.Lost[0].Reason, "on its way") {
		t.Errorf("%+v, %v", done, err)
	}
}

// A manifest that is damaged costs what it told, and not the recording.
func TestReindexWithADamagedManifest(t *testing.T) {
	h := newHarness(t, storagetest.New(t), newStore(t))
	h.agrees()
	m := h.people().say("whole")
	h.put(storage.ManifestKey(m.WorkspaceID, m.ID), []byte(`{"format":1,`))
	h.forget(m)
	if done := h.reindex(); done.Restored != 1 || done.Recovered != 1 {
		t.Errorf("%+v", done)
	}
	if _, err := h.Records.Message(t.Context(), h.owner, m.ID); err != nil {
		t.Error(err)
	}
}
