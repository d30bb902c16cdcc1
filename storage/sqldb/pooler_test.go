package sqldb_test

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
			w := newWorld(t, nodes[0])
			var calls []func() error
			for i := range 4 * len(nodes) {
				node := *w
				node.DB = nodes[i%len(nodes)]
				calls = append(calls, func() error { return errors.Join(node.everyday(t.Context()), node.everyday(t.Context())) })
			}
			for _, err := range atOnce(calls...) {
				w.check(err)
			}
			events := must(w.EventsAfter(t.Context(), w.bob, 0, 1000))(t)
			if last := must(w.LastSeq(t.Context(), w.bob))(t); len(events) < 2*len(calls) || events[len(events)-1].Seq != last {
				t.Errorf("%d events up to %d", len(events), last)
			}
		})
	}
}

// everyday does what a node does all day.
func (w *world) everyday(ctx context.Context) error {
	m, job, _, err := w.Accept(ctx, w.ada, newMessage(w.room))
	if err != nil {
		return err
	}
	task, err := w.BeginJob(ctx, job.ID, "worker", time.Minute)
	if err != nil {
		return err
	}
	if err := errors.Join(w.RenewLease(ctx, task, time.Minute), w.SaveTranscript(ctx, task, spoken("the marmalade is on the table"))); err != nil {
		return err
	}
	found, err := w.Search(ctx, w.bob, storage.Query{Text: "marmalade table"})
	if err != nil || len(found.Hits) == 0 {
		return fmt.Errorf("%d hits: %w", len(found.Hits), err)
	}
	live := newRecording(w.room, "n-"+m.ID)
	spoke, err := w.BeginRecording(ctx, w.ada, live)
	if err != nil {
		return err
	}
	_, renewed := w.RenewRecordings(ctx, live.Node, time.Minute)
	_, _, done := w.FinishRecording(ctx, finished(spoke, live.Node, "said live"))
	_, due := w.DueJobs(ctx, 50)
	return errors.Join(renewed, done, due, w.Ping(ctx))
}

// TestPoolerRefused says what to set where a pooler cannot work.
func TestPoolerRefused(t *testing.T) {
	database := storagetest.Postgres(t)
	for name, c := range map[string]struct {
		mode, query string
		want        []string
	}{
		"statements":  {"statement", "", []string{"pool_mode = transaction", "session"}},
		"a parameter": {"transaction", "&work_mem=64MB", []string{"HARK_DATABASE_URL", "ignore_startup_parameters", "work_mem"}},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sqldb.Open(t.Context(), sqldb.Config{URL: storagetest.Pooler(t, database, c.mode) + c.query})
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
		})
	}
}
