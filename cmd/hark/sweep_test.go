package main

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/blob"
	"hark/storage/reconcile"
	"hark/storage/storagetest"
)

// A recording whose node is gone leaves pieces. When its message is deleted
// they are deleted too, and nothing of other messages is.
func TestSweepPiecesOfDeletedRecordings(t *testing.T) {
	ctx := t.Context()
	quiet := slog.New(slog.DiscardHandler)
	store, err := blob.Serve(ctx, t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p := &Program{log: quiet, db: storagetest.New(t)}
	if p.blobs, err = blob.Open(ctx, store.Config()); err != nil {
		t.Fatal(err)
	}
	owner, _, err := p.db.Bootstrap(ctx, "Hark", "Owner")
	if err != nil {
		t.Fatal(err)
	}
	conv, err := p.db.CreateConversation(ctx, owner, storage.Channel, "General", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.stores = &reconcile.Stores{Records: p.db, Objects: p.blobs, Logger: quiet}
	if err := p.stores.Pair(ctx); err != nil {
		t.Fatal(err)
	}
	record := func() (id, key string) {
		id = storage.NewID()
		key = storage.NewOriginalKey(owner.WorkspaceID, id)
		_, err := p.db.BeginRecording(ctx, owner, storage.NewRecording{
			ID: id, ConversationID: conv.ID, OriginalKey: key, Node: "gone", Lease: time.Minute, Captions: storage.CaptionsOff,
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if _, err := p.blobs.Put(ctx, fmt.Sprintf("%s%06d", storage.PiecesOf(key), i), "audio/ogg", strings.NewReader("piece"), 5); err != nil {
				t.Fatal(err)
			}
		}
		return id, key
	}
	deleted, _ := record()
	_, kept := record()
	if err := p.db.DeleteMessage(ctx, owner, deleted); err != nil {
		t.Fatal(err)
	}
	if err := p.sweepDoomed(ctx); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := p.blobs.List(ctx, storage.MessagesPrefix, func(o blob.Object) error {
		left = append(left, o.Key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(left) != 3 || !strings.HasPrefix(left[0], storage.PiecesOf(kept)) {
		t.Errorf("left: %v", left)
	}
}

// TestEarlierClock ages nothing by a clock that is ahead.
func TestEarlierClock(t *testing.T) {
	for ahead, want := range map[time.Duration]time.Duration{7 * 24 * time.Hour: 0, -7 * 24 * time.Hour: -7 * 24 * time.Hour} {
		now, err := earlierClock(t.Context(), storagetest.New(t, storagetest.Clock(ahead)))
		if off := time.Until(now) - want; err != nil || off.Abs() > time.Minute {
			t.Errorf("a database %s ahead: %s, %v", ahead, now, err)
		}
	}
}
