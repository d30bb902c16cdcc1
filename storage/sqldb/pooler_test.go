package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// TestThroughPooler uses the database through pgbouncer as it comes: an empty
// database is migrated by two nodes at once, and both then accept, work, find
// and follow, on server connections that change under them.
func TestThroughPooler(t *testing.T) {
	for name, c := range map[string]struct{ mode, more string }{
		"transaction":               {"transaction", ""},
		"session":                   {"session", ""},
		"told to ignore parameters": {"transaction", "ignore_startup_parameters = jit, plan_cache_mode, hark.direct"},
	} {
		t.Run(name, func(t *testing.T) {
			url := storagetest.Pooler(t, storagetest.EmptyPostgres(t), c.mode, c.more)
			nodes := []*sqldb.DB{storagetest.Open(t, url, storagetest.Conns(4)), storagetest.Open(t, url, storagetest.Conns(4))}
			for _, err := range atOnce(func() error { return nodes[0].Migrate(t.Context()) }, func() error { return nodes[1].Migrate(t.Context()) }) {
				if err != nil {
					t.Fatal(err)
				}
			}
			h := newHarness(t, nodes[0])
			var calls []func() error
			for i := range 4 * len(nodes) {
				node := *h
				node.DB = nodes[i%len(nodes)]
				calls = append(calls, func() error { return errors.Join(node.everyday(t.Context()), node.everyday(t.Context())) })
			}
			for _, err := range atOnce(calls...) {
				h.check(err)
			}
			events := must(h.EventsAfter(t.Context(), h.bob, 0, 1000))(t)
			if last := must(h.LastSeq(t.Context(), h.bob))(t); len(events) < 2*len(calls) || events[len(events)-1].Seq != last {
				t.Errorf("%d events up to %d", len(events), last)
			}
		})
	}
}

// everyday does what a node does all day.
func (h *harness) everyday(ctx context.Context) error {
	m, _, err := h.Accept(ctx, h.ada, newMessage(h.room))
	if err != nil {
		return err
	}
	task, err := h.beginFor(m.ID, "worker", time.Minute)
	if err != nil {
		return err
	}
	if err := errors.Join(h.RenewLease(ctx, task.Job, time.Minute), h.SaveTranscript(ctx, task, spoken("the marmalade is on the table"))); err != nil {
		return err
	}
	found, err := h.Search(ctx, h.bob, storage.Query{Text: "marmalade table"})
	if err != nil || len(found.Hits) == 0 {
		return fmt.Errorf("%d hits: %w", len(found.Hits), err)
	}
	live := newRecording(h.room, "n-"+m.ID)
	spoke, err := h.BeginRecording(ctx, h.ada, live)
	if err != nil {
		return err
	}
	_, renewed := h.RenewRecordings(ctx, live.Node, time.Minute)
	_, done := h.FinishRecording(ctx, finished(spoke, live.Node, "said live"))
	_, due := h.DueJobs(ctx, 50)
	return errors.Join(renewed, done, due, h.Ping(ctx))
}
