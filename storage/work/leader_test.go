package work_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/storage/work"
)

// notes are what happened, in order.
type notes struct {
	mu   sync.Mutex
	list []string
	more chan struct{} // closed, and replaced, when something is added
}

func newNotes() *notes { return &notes{more: make(chan struct{})} }

func (n *notes) add(note string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, note)
	close(n.more)
	n.more = make(chan struct{})
}

// await waits until something has happened, and returns all that has.
func (n *notes) await(t *testing.T, note string) []string {
	t.Helper()
	late := time.After(time.Minute)
	for {
		n.mu.Lock()
		list, more := slices.Clone(n.list), n.more
		n.mu.Unlock()
		if slices.Contains(list, note) {
			return list
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%q did not happen: %v", note, list)
		}
	}
}

// node is a node that stands for leader, with a task that runs until it is
// stopped. The node is stopped by what is returned, which waits for it.
func (n *notes) node(t *testing.T, name string, db leases, lease time.Duration) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	l := work.NewLeader(work.LeaderConfig{
		Name: "maintenance", Holder: name, Lease: lease, Look: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	}, db, []work.Task{{Name: "wait", Every: time.Hour, AtOnce: true, Run: func(ctx context.Context) error {
		n.add(name + " begins")
		<-ctx.Done()
		n.add(name + " ends")
		return nil
	}}})
	go func() {
		defer close(ended)
		l.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// leases are the database's, as a node reaches them.
type leases interface {
	TakeLease(ctx context.Context, name, holder string, length time.Duration) (bool, error)
	DropLease(ctx context.Context, name, holder string) error
}

// cutOff is a database that a node cannot reach any more once it is cut.
type cutOff struct {
	leases
	cut atomic.Bool
}

func (c *cutOff) TakeLease(ctx context.Context, name, holder string, length time.Duration) (bool, error) {
	if c.cut.Load() {
		return false, errors.New("cut off")
	}
	return c.leases.TakeLease(ctx, name, holder, length)
}

func (c *cutOff) DropLease(ctx context.Context, name, holder string) error {
	if c.cut.Load() {
		return errors.New("cut off")
	}
	return c.leases.DropLease(ctx, name, holder)
}

// A node that is stopped hands over at once: its lease would last for minutes.
func TestStoppedLeaderHandsOver(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNotes()
		stop := n.node(t, "first", db, 5*time.Minute)
		n.await(t, "first begins")
		n.node(t, "second", db, 5*time.Minute)
		stop()
		want := []string{"first begins", "first ends", "second begins"}
		if got := n.await(t, "second begins"); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// A node that cannot renew its lease has stopped before another begins.
func TestLeaderThatIsCutOffStops(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNotes()
		reach := &cutOff{leases: db}
		n.node(t, "first", reach, 3*time.Second)
		n.await(t, "first begins")
		n.node(t, "second", db, 3*time.Second)
		reach.cut.Store(true)
		want := []string{"first begins", "first ends", "second begins"}
		if got := n.await(t, "second begins"); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// A node that died gives nothing up: another takes over when its lease has run
// out, by the database's clock, and not before.
func TestDeadLeaderIsReplaced(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		const lease = 500 * time.Millisecond
		if held, err := db.TakeLease(t.Context(), "maintenance", "dead", lease); err != nil || !held {
			t.Fatal(held, err)
		}
		asked, err := db.Now(t.Context()) // not before it was given
		if err != nil {
			t.Fatal(err)
		}
		n := newNotes()
		n.node(t, "second", db, time.Minute)
		n.await(t, "second begins")
		now, err := db.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if waited := now.Sub(asked); waited < lease/2 {
			t.Errorf("it was replaced after %s", waited)
		}
	})
}

// A leader whose lease another has, as after it stood still, stops.
func TestLeaderThatLostItsLeaseStops(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNotes()
		n.node(t, "first", db, 300*time.Millisecond)
		n.await(t, "first begins")
		for held := false; !held; {
			err := db.DropLease(t.Context(), "maintenance", "first")
			if err == nil {
				held, err = db.TakeLease(t.Context(), "maintenance", "other", time.Minute)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		n.await(t, "first ends")
	})
}

// A task that fails or panics runs again, and others beside it.
func TestFailingTaskRunsAgain(t *testing.T) {
	db := storagetest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var runs atomic.Int64
	again := func(end func() error) work.Task {
		var before atomic.Int64
		return work.Task{Name: "fail", Every: time.Millisecond, Run: func(context.Context) error {
			if before.Add(1) == 3 && runs.Add(1) == 2 {
				cancel()
			}
			return end()
		}}
	}
	work.NewLeader(work.LeaderConfig{Name: "maintenance", Holder: "node", Logger: slog.New(slog.DiscardHandler)}, db, []work.Task{
		again(func() error { return errors.New("failed") }),
		again(func() error { panic("panicked") }),
	}).Run(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error("they did not run three times each")
	}
}
