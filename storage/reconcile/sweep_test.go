package reconcile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/storagetest"
)

// old returns how many of the keys are in the store as they were, and how many
// were moved aside.
func (h *harness) there(keys ...string) (there, aside int) {
	h.t.Helper()
	all := h.keys()
	for _, key := range keys {
		if slices.Contains(all, key) {
			there++
		}
		for _, k := range all {
			if _, from, ok := storage.ParseTrashKey(k); ok && from == key {
				aside++
			}
		}
	}
	return there, aside
}

// orphans puts objects that no record has.
func (h *harness) orphans(n int) (keys []string) {
	h.t.Helper()
	for range n {
		key := storage.NewOriginalKey(h.owner.WorkspaceID, storage.NewID())
		h.put(key, sound)
		keys = append(keys, key)
	}
	return keys
}

func TestSweepMovesOrphansAside(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		m := h.people().say("kept")
		orphans := h.orphans(3)
		oldRendition := "renditions/" + storage.NewID() + "/" + strings.Repeat("x", 43)
		h.put(oldRendition, sound)
		orphans = append(orphans, oldRendition)
		foreign := []string{"dump.sql", "w/photo.jpg", storage.MessagePrefix(m.WorkspaceID, m.ID) + "notes.txt", "trash/2020-01-01/old.txt"}
		for _, key := range foreign {
			h.put(key, sound)
		}
		before := h.keys()
		if done, err := h.Sweep(t.Context(), time.Now()); err != nil || done.Removed != 0 {
			h.t.Errorf("young objects: %+v, %v", done, err)
		}
		done, err := h.Sweep(t.Context(), aged())
		if err != nil || done.Removed != 4 || done.Orphans != 4 || done.Unknown != 0 {
			h.t.Fatalf("%+v, %v", done, err)
		}
		if there, aside := h.there(orphans...); there != 0 || aside != 4 {
			h.t.Errorf("%d orphans are there and %d were moved aside", there, aside)
		}
		for _, key := range before {
			if !slices.Contains(orphans, key) && !slices.Contains(h.keys(), key) {
				h.t.Errorf("%s is gone", key)
			}
		}
		if log := h.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, orphans[0]) {
			h.t.Errorf("log: %s", log)
		}

		if n, err := h.RestoreTrash(t.Context()); err != nil || n != 4 {
			h.t.Errorf("restored %d, %v", n, err)
		}
		if there, aside := h.there(orphans...); there != 4 || aside != 0 {
			h.t.Errorf("%d orphans are there again and %d are aside", there, aside)
		}
		day := aged()
		_, err = h.Sweep(t.Context(), day)
		h.check(err)
		if done, err := h.Sweep(t.Context(), day.Add(29*24*time.Hour)); err != nil || done.Purged != 0 {
			h.t.Errorf("%+v, %v", done, err)
		}
		if done, err := h.Sweep(t.Context(), day.Add(32*24*time.Hour)); err != nil || done.Purged != 4 {
			h.t.Errorf("%+v, %v", done, err)
		}
		if there, _ := h.there(foreign...); there != len(foreign) {
			h.t.Errorf("of foreign objects %d are left", there)
		}
	})
}

// A database that was lost knows nothing of the store: all would be orphans.
// TestSweepOfUsers: a picture that a user has stays, and what nobody has any more is moved
// aside; a database that lost them gets them back.
func TestSweepOfUsers(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		h.people().say("kept")
		ctx, owner := h.t.Context(), h.owner
		key := func() string { return storage.NewPictureKey(owner.WorkspaceID, owner.UserID, false) }
		had, crashed, nobodys := key(), key(), storage.NewPictureKey(owner.WorkspaceID, storage.NewID(), true)
		for _, k := range []string{had, crashed, nobodys} {
			h.put(k, sound)
		}
		if _, err := h.Records.SetUserObject(ctx, owner, owner.UserID, storage.PictureObject, had); err != nil {
			h.t.Fatal(err)
		}
		done, err := h.Sweep(ctx, aged())
		if err != nil || done.Removed != 2 {
			h.t.Fatalf("%+v, %v", done, err)
		}
		if there, aside := h.there(crashed, nobodys); there != 0 || aside != 2 {
			h.t.Errorf("%d are there, %d were moved aside", there, aside)
		}
		if there, _ := h.there(had); there != 1 {
			h.t.Error("the picture of a user is gone")
		}
		lost := newHarness(h.t, storagetest.New(h.t), h.Objects)
		if found, err := lost.Reindex(ctx, ReindexOptions{Alone: true, Rebind: true}); err != nil || found.Profiles != 1 {
			h.t.Errorf("%+v, %v", found, err)
		}
		if known, err := lost.Records.KnownObjects(ctx, []string{owner.UserID}); err != nil || known[owner.UserID].PictureKey != had {
			h.t.Errorf("%+v, %v", known, err)
		}
		if _, err := h.Records.SetUserObject(ctx, owner, owner.UserID, storage.PictureObject, ""); err != nil {
			h.t.Fatal(err)
		}
	})
}

func TestSweepOfALostDatabaseRemovesNothing(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		m := h.people().say("kept")
		h.orphans(3)
		before := h.keys()
		lost := newHarness(h.t, storagetest.New(h.t), h.Objects).people()
		lost.disagrees(false)
		var d *Disagreement
		if _, err := lost.Sweep(t.Context(), aged()); !errors.As(err, &d) {
			h.t.Errorf("swept: %v", err)
		}
		if _, err := lost.Remove(t.Context(), aged(), []Stray{{Key: m.Original.Key, Message: m.ID}}); !errors.As(err, &d) {
			h.t.Errorf("removed: %v", err)
		}
		if err := lost.DeleteObjects(t.Context(), []string{storage.MessagePrefix(m.WorkspaceID, m.ID)}); !errors.As(err, &d) {
			h.t.Errorf("deleted: %v", err)
		}
		if _, err := lost.RestoreTrash(t.Context()); !errors.As(err, &d) {
			h.t.Errorf("restored: %v", err)
		}
		if after := h.keys(); !slices.Equal(after, before) {
			h.t.Errorf("%d objects of %d are left", len(after), len(before))
		}
	})
}

// A database from an older backup knows less than the store. What it does not
// know is never removed by itself.
func TestSweepKeepsUnknownRecordings(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		m := h.people().say("said after the backup")
		rendition := "renditions/" + m.ID + "/" + strings.Repeat("x", 43)
		h.put(rendition, sound)
		h.forget(m)
		before := h.keys()
		done, err := h.Sweep(t.Context(), aged())
		if err != nil || done.Removed != 0 || done.Unknown != 1 || done.Orphans != 0 {
			h.t.Errorf("%+v, %v", done, err)
		}
		if after := h.keys(); !slices.Equal(after, before) {
			h.t.Errorf("left: %v of %v", after, before)
		}
		if !strings.Contains(h.log.String(), "hark reindex") {
			h.t.Errorf("log: %s", h.log)
		}
		var strays []Stray
		_, err = h.Survey(t.Context(), aged(), func(s Stray) error {
			strays = append(strays, s)
			return nil
		})
		h.check(err)
		if n, err := h.Remove(t.Context(), aged(), strays); err != nil || n != 4 {
			h.t.Errorf("removed %d on request, %v", n, err)
		}
		if _, aside := h.there(m.Original.Key, rendition); aside != 2 {
			h.t.Errorf("%d of 2 were moved aside", aside)
		}
	})
}

// forget takes the record of a message away and leaves its objects, as a
// database does that was restored from a backup.
func (h *harness) forget(m storage.Message) {
	h.t.Helper()
	h.check(h.Records.DeleteMessage(h.t.Context(), h.owner, m.ID))
	keys, err := h.Records.ObjectsToDelete(h.t.Context(), 100)
	h.check(err)
	for range 2 {
		h.check(h.Records.ForgetObjects(h.t.Context(), keys))
	}
}

func TestSweepStopsBeforeTooManyOrphans(t *testing.T) {
	h := newHarness(t, storagetest.New(t), newStore(t))
	h.agrees()
	h.people().say("kept")
	h.orphans(21)
	before := h.keys()
	done, err := h.Sweep(t.Context(), aged())
	if err != nil || !done.Held || done.Removed != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if after := h.keys(); !slices.Equal(after, before) {
		t.Errorf("%d objects of %d are left", len(after), len(before))
	}
	if !strings.Contains(h.log.String(), "hark orphans list") {
		t.Errorf("log: %s", h.log)
	}
	for _, tc := range []struct {
		survey Survey
		want   bool
	}{
		{Survey{Objects: 20, Orphans: 20}, false},
		{Survey{Objects: 2100, Orphans: 21}, false},
		{Survey{Objects: 2099, Orphans: 21}, true},
	} {
		if got := tc.survey.tooMany(); got != tc.want {
			t.Errorf("%+v: %v", tc.survey, got)
		}
	}
}

// Pieces that a finished recording left go; those that are all there is of one
// stay.
func TestSweepOfPieces(t *testing.T) {
	h := newHarness(t, storagetest.New(t), newStore(t))
	h.agrees()
	whole := h.people().send()
	bare := h.send()
	var pieces [2][]string
	for i, m := range []storage.Message{whole, bare} {
		for n := range 3 {
			key := fmt.Sprintf("%s%06d", storage.PiecesOf(m.Original.Key), n)
			h.put(key, sound)
			pieces[i] = append(pieces[i], key)
		}
	}
	h.check(h.Objects.Delete(t.Context(), bare.Original.Key))
	done, err := h.Sweep(t.Context(), aged())
	if err != nil || done.Removed != 3 || done.Leftovers != 3 || done.Orphans != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	for i, want := range []int{0, 3} {
		if there, aside := h.there(pieces[i]...); there != want || aside != 0 {
			t.Errorf("%d pieces are there, and %d were moved aside", there, aside)
		}
	}
}

// What is deleted goes with all that lies below its message, and nothing else.
func TestDeleteObjects(t *testing.T) {
	eachStores(t, func(h *harness) {
		h.agrees()
		m, other := h.people().say("gone"), h.say("kept")
		prefix := storage.MessagePrefix(m.WorkspaceID, m.ID)
		h.put(storage.PiecesOf(m.Original.Key)+"000000", sound)
		h.put(prefix+"of/somebody/else", sound)
		h.check(h.Records.DeleteMessage(t.Context(), h.owner, m.ID))
		keys, err := h.Records.ObjectsToDelete(t.Context(), 10)
		h.check(err)
		h.check(h.DeleteObjects(t.Context(), append(keys, "dump.sql")))
		var below []string
		for _, key := range h.keys() {
			if strings.HasPrefix(key, prefix) {
				below = append(below, key)
			}
		}
		if !slices.Equal(below, []string{prefix + "of/somebody/else"}) {
			h.t.Errorf("left: %v", below)
		}
		if there, _ := h.there(other.Original.Key, storage.ManifestKey(other.WorkspaceID, other.ID), storage.TranscriptKey(other.WorkspaceID, other.ID)); there != 3 {
			h.t.Errorf("of another message %d objects are left", there)
		}
	})
}
