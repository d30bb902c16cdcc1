package work

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"hark/media/backoff"
)

// leases keeps leases, timed by one clock for all nodes.
type leases interface {
	TakeLease(ctx context.Context, name, holder string, length time.Duration) (held bool, err error)
	DropLease(ctx context.Context, name, holder string) error
}

// Task is a piece of maintenance.
type Task struct {
	Name   string        // says what it does, for the log: "delete objects of deleted messages"
	Every  time.Duration // from the end of a run to the next, give or take a tenth
	AtOnce bool          // runs first when the node begins to lead, and not only after Every

	// Run does what there is to do, in steps that leave things in order, until
	// ctx ends. It may run twice.
	Run func(ctx context.Context) error
}

// LeaderConfig says how a node stands for leader.
type LeaderConfig struct {
	Name   string        // of the lease
	Holder string        // this process, of which there is one of the name
	Lease  time.Duration // how long the lease lasts without a sign of life; 0 means 15 s
	Look   time.Duration // how often a node that does not lead looks for the lease; 0 means 1 s

	Leads  func(bool) // is told when the node begins and ceases to lead; nil for nobody
	Logger *slog.Logger
}

// Leader runs tasks on one of all nodes that run one of the same name.
type Leader struct {
	cfg    LeaderConfig
	leases leases
	tasks  []Task
}

// NewLeader makes a leader of tasks.
func NewLeader(cfg LeaderConfig, leases leases, tasks []Task) *Leader {
	if cfg.Lease <= 0 {
		cfg.Lease = 15 * time.Second
	}
	if cfg.Look <= 0 {
		cfg.Look = time.Second
	}
	if cfg.Leads == nil {
		cfg.Leads = func(bool) {}
	}
	return &Leader{cfg: cfg, leases: leases, tasks: tasks}
}

// Run leads whenever no other node does, until ctx ends. It returns when the
// tasks have ended and the lease is given up.
func (l *Leader) Run(ctx context.Context) {
	failing := false
	for ctx.Err() == nil {
		asked := time.Now()
		held, err := l.take(ctx, asked)
		if err != nil && !failing && ctx.Err() == nil {
			l.cfg.Logger.WarnContext(ctx, "asking for the maintenance lease failed, retrying", "error", err)
		}
		failing = err != nil
		if held {
			l.lead(ctx, asked)
		}
		_ = backoff.Sleep(ctx, around(l.cfg.Look))
	}
}

// use is how long a node leads on by a lease that it cannot renew. The rest of
// the lease is for what is under way then to end.
func (l *Leader) use() time.Duration { return l.cfg.Lease * 2 / 3 }

// take takes or renews the lease. It does not wait for an answer that would come
// too late for a lease that was taken or renewed at since.
func (l *Leader) take(ctx context.Context, since time.Time) (held bool, err error) {
	ctx, cancel := context.WithDeadline(ctx, since.Add(l.use()))
	defer cancel()
	return l.leases.TakeLease(ctx, l.cfg.Name, l.cfg.Holder, l.cfg.Lease)
}

// lead runs the tasks for as long as the lease, which was asked for at since, is
// surely this node's.
func (l *Leader) lead(ctx context.Context, since time.Time) {
	l.cfg.Logger.InfoContext(ctx, "this node runs the maintenance tasks", "holder", l.cfg.Holder)
	l.cfg.Leads(true)
	leading, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	for _, task := range l.tasks {
		group.Go(func() { l.loop(leading, task) })
	}
	l.keep(ctx, since)
	stop()
	group.Wait()
	l.cfg.Leads(false)
	if ctx.Err() == nil {
		l.cfg.Logger.WarnContext(ctx, "lost the maintenance lease; another node may have it", "holder", l.cfg.Holder)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.cfg.Lease/3)
	defer cancel()
	if err := l.leases.DropLease(ctx, l.cfg.Name, l.cfg.Holder); err != nil {
		l.cfg.Logger.WarnContext(ctx, "giving up the maintenance lease failed; it runs out", "error", err)
	}
}

// keep renews the lease until ctx ends or the lease is lost.
func (l *Leader) keep(ctx context.Context, since time.Time) {
	for backoff.Sleep(ctx, l.cfg.Lease/3) == nil {
		asked := time.Now()
		held, err := l.take(ctx, since)
		switch {
		case err == nil && !held, err != nil && time.Since(since) >= l.use():
			return
		case err == nil:
			since = asked
		}
	}
}

// loop runs a task again and again until ctx ends.
func (l *Leader) loop(ctx context.Context, task Task) {
	if task.AtOnce {
		l.run(ctx, task)
	}
	for backoff.Sleep(ctx, around(task.Every)) == nil {
		l.run(ctx, task)
	}
}

// run runs a task once. One that panics fails: the next leader would die of it,
// too.
func (l *Leader) run(ctx context.Context, task Task) {
	err := Guard(func() error { return task.Run(ctx) })
	logPanic(ctx, l.cfg.Logger, err)
	if err != nil && ctx.Err() == nil {
		l.cfg.Logger.WarnContext(ctx, "maintenance task failed, retrying", "what", task.Name, "error", err)
	}
}

// around is d, give or take a tenth, so that tasks of one interval do not go on
// running together.
func around(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }
