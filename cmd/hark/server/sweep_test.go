package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"hark/media/transcript"
	"hark/storage"
	"hark/storage/blob"
	"hark/storage/blob/embedded"
	"hark/storage/reconcile"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// newSweeper is a program with a workspace and an object store, which does
// nothing by itself.
func newSweeper(t *testing.T, db *sqldb.DB) (p *Program, owner storage.Principal, conv storage.Conversation) {
	t.Helper()
	ctx := t.Context()
	quiet := slog.New(slog.DiscardHandler)
	store, err := embedded.Serve(ctx, t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p = &Program{log: quiet, db: db, metrics: prometheus.NewRegistry()}
	p.storeMetrics = newStoreMetrics(p.metrics)
	if p.blobs, err = blob.Open(ctx, store.Config()); err != nil {
		t.Fatal(err)
	}
	if owner, _, err = p.db.Bootstrap(ctx, "Hark", "Owner"); err != nil {
		t.Fatal(err)
	}
	if conv, _, err = p.db.CreateConversation(ctx, owner, storage.NewConversation{Kind: storage.Channel, Title: "Field notes"}); err != nil {
		t.Fatal(err)
	}
	p.stores = &reconcile.Stores{Records: p.db, Objects: p.blobs, Logger: quiet}
	if err := p.stores.Pair(ctx); err != nil {
		t.Fatal(err)
	}
	return p, owner, conv
}

// objects lists the keys of all messages' objects.
func (p *Program) objects(t *testing.T) (keys []string) {
	t.Helper()
	err := p.blobs.List(t.Context(), storage.MessagesPrefix, func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Of a deleted conversation the maintenance tasks leave nothing in the object
// store, if they run twice, and on two nodes at once where there can be two; all
// else stays.
func TestMaintenanceOfDeletedConversation(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		first, owner, conv := newSweeper(t, db)
		nodes := []*Program{first}
		if db.Dialect() == "postgres" {
			nodes = append(nodes, &Program{log: first.log, db: db, blobs: first.blobs, stores: first.stores, storeMetrics: first.storeMetrics})
		}
		room, _, err := db.CreateConversation(ctx, owner, storage.NewConversation{Kind: storage.Channel, Title: "Greenhouse"})
		if err != nil {
			t.Fatal(err)
		}
		var kept string
		for i := range 8 {
			m := storage.NewMessage{ID: storage.NewID(), ConversationID: room.ID}
			m.Original = storage.Original{Key: storage.NewOriginalKey(owner.WorkspaceID, m.ID), Format: "wav", Bytes: 4}
			if i == 0 {
				m.ConversationID, kept = conv.ID, m.ID
			}
			if _, err := first.blobs.Put(ctx, m.Original.Key, "audio/wav", strings.NewReader("clip"), 4); err != nil {
				t.Fatal(err)
			}
			said := []transcript.Word{{Text: "aubergine", EndMS: 400}}
			t1 := &transcript.Transcript{Language: "en", Segments: []transcript.Segment{transcript.NewSegment(said)}}
			if err := db.Import(ctx, owner, []sqldb.Imported{{NewMessage: m, Transcript: t1}}); err != nil {
				t.Fatal(err)
			}
		}
		rounds := func() {
			for range 2 {
				var both errgroup.Group
				for _, p := range nodes {
					both.Go(func() error {
						for _, task := range p.maintenance() {
							if err := task.Run(ctx); err != nil {
								return fmt.Errorf("%s: %w", task.Name, err)
							}
						}
						return nil
					})
				}
				if err := both.Wait(); err != nil {
					t.Fatal(err)
				}
			}
		}
		rounds()
		if keys := first.objects(t); len(keys) != 8*3 { // each with its manifest and its transcript
			t.Fatalf("before: %v", keys)
		}
		if err := db.DeleteConversation(ctx, owner, room.ID); err != nil {
			t.Fatal(err)
		}
		rounds()
		keys := first.objects(t)
		if len(keys) != 3 || !strings.HasPrefix(keys[0], storage.MessagePrefix(owner.WorkspaceID, kept)) {
			t.Errorf("left: %v", keys)
		}
		if m, err := db.Message(ctx, owner, kept); err != nil || m.State != storage.Ready {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

// A recording whose node is gone leaves pieces. When its message is deleted
// they are deleted too, and nothing of other messages is.
func TestSweepPiecesOfDeletedRecordings(t *testing.T) {
	ctx := t.Context()
	p, owner, conv := newSweeper(t, storagetest.New(t))
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
	if err := p.sweepObjects(ctx); err != nil {
		t.Fatal(err)
	}
	left := p.objects(t)
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
