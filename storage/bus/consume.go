package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"hark/media/backoff"
	"hark/storage"
)

// ErrCanceled is the cause with which a handler's context ends when the job is
// called off.
var ErrCanceled = errors.New("job was called off")

// ConsumeConfig says which jobs are taken, and how many run at a time.
type ConsumeConfig struct {
	Kind        storage.JobKind
	Interactive int // slots kept for interactive jobs; bulk jobs never take them
	Bulk        int // slots for either; 0 means that this node does no bulk jobs
}

// Handler works on one job, which the delivery names unless the handler says
// that it takes another. Its context ends when that job is called off (with
// ErrCanceled) and when work is to stop. A handler that panics is taken to
// have said Retry.
type Handler func(ctx context.Context, d Delivery) Verdict

// Delivery is a job's place in the queue, offered to a handler.
type Delivery struct {
	ID       string // of the job
	Priority storage.Priority
	takes    func(jobID string)
}

// Takes says which job is worked on at this place, so that it can be called
// off. Who says nothing works on the one that is named.
func (d Delivery) Takes(jobID string) { d.takes(jobID) }

// Verdict is what is to become of a job in the queue.
type Verdict struct {
	again bool
	after time.Duration
}

// Done takes the job off the queue.
func Done() Verdict { return Verdict{} }

// Retry offers the job again, to any node, after a time; 0 means at once.
func Retry(after time.Duration) Verdict { return Verdict{again: true, after: after} }

// Consume takes jobs of a kind from the queue and hands them to handle until ctx ends;
// then it takes no more, and returns when the handlers that run have returned.
// Their contexts come from work, whose end tells them to hurry. What a handler
// did not get done it should answer with Retry, for another node to have it at
// once.
//
// Consume outlives outages of the server: it waits, makes the queue anew
// should it be gone, and goes on. Interactive jobs go first.
func (b *Bus) Consume(ctx, work context.Context, cfg ConsumeConfig, handle Handler) error {
	if err := checkToken(string(cfg.Kind)); err != nil {
		return fmt.Errorf("consume jobs of kind %q: %w", cfg.Kind, err)
	}
	if cfg.Interactive < 0 || cfg.Bulk < 0 || cfg.Interactive+cfg.Bulk == 0 {
		return fmt.Errorf("consume jobs of kind %s: %d interactive and %d bulk slots", cfg.Kind, cfg.Interactive, cfg.Bulk)
	}
	if err := b.ensureQueue(ctx, cfg.Kind); err != nil {
		return fmt.Errorf("consume jobs of kind %s: %w", cfg.Kind, err)
	}
	c := &consumer{
		bus: b, kind: cfg.Kind, work: work, handle: handle,
		slots: newSlots(cfg.Interactive, cfg.Bulk),
		runs:  map[string]*run{},
	}
	sub, err := b.conn.Subscribe(b.names.cancel(), c.hearCancel)
	if err != nil {
		return fmt.Errorf("consume jobs: listen for cancels: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }()

	var pulling sync.WaitGroup
	for _, p := range storage.Priorities() {
		if p == storage.Interactive || cfg.Bulk > 0 {
			pulling.Go(func() { c.pull(ctx, p) })
		}
	}
	pulling.Wait()
	c.running.Wait()
	return nil
}

// consumer is one call of Consume.
type consumer struct {
	bus    *Bus
	kind   storage.JobKind
	work   context.Context
	handle Handler
	slots  *slots

	running sync.WaitGroup
	mu      sync.Mutex
	runs    map[string]*run // by the id of the job whose place it is
}

// pull asks for jobs of one priority, one at a time and only while there is a
// slot for it, so that no job lies here while it could run elsewhere.
func (c *consumer) pull(ctx context.Context, p storage.Priority) {
	for c.slots.wait(ctx, p) {
		if p != storage.Interactive {
			c.yield(ctx)
		}
		msg, err := c.next(ctx, p)
		switch {
		case ctx.Err() != nil && msg == nil:
			return
		case err != nil:
			c.recover(ctx, p, err)
		case msg != nil:
			c.accept(msg, p)
		}
	}
}

// next waits for a job for a while; nil means that none came.
func (c *consumer) next(ctx context.Context, p storage.Priority) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, c.bus.times.poll)
	defer cancel()
	consumer, err := c.bus.js.Consumer(ctx, c.bus.names.stream(), consumerName(c.kind, p))
	if err != nil {
		return nil, err
	}
	batch, err := consumer.Fetch(1, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, err
	}
	for msg := range batch.Messages() {
		return msg, nil
	}
	if err := batch.Error(); err != nil && ctx.Err() == nil {
		return nil, err
	}
	return nil, nil
}

// yield lets interactive jobs of the kind that nobody has taken yet go first. It does not
// wait for long: they may be stuck for a reason of their own.
func (c *consumer) yield(ctx context.Context) {
	const turns, turn = 10, 50 * time.Millisecond
	for range turns {
		urgent, err := c.bus.js.Consumer(ctx, c.bus.names.stream(), consumerName(c.kind, storage.Interactive))
		if err != nil || urgent.CachedInfo().NumPending == 0 {
			return
		}
		_ = backoff.Sleep(ctx, turn)
	}
}

// recover pauses after an error, until there is a connection, and sees to it
// that there is a queue.
func (c *consumer) recover(ctx context.Context, p storage.Priority, err error) {
	if c.bus.conn.IsConnected() { // else the loss has been logged
		c.bus.logger.WarnContext(ctx, "fetching jobs failed, retrying", "kind", c.kind, "priority", p.String(), "error", err)
	}
	_ = backoff.Sleep(ctx, c.bus.times.pause)
	for !c.bus.conn.IsConnected() && ctx.Err() == nil {
		_ = backoff.Sleep(ctx, c.bus.times.pause)
	}
	if err := c.bus.ensureQueue(ctx, c.kind); err != nil && ctx.Err() == nil {
		c.bus.logger.WarnContext(ctx, "creating job queue failed, retrying", "error", err)
	}
}

// hearCancel calls off the job that a cancel names, if it runs here.
func (c *consumer) hearCancel(m *nats.Msg) {
	cancel, err := decodeCancel(m.Data)
	if err != nil {
		c.bus.logger.Warn("dropped a foreign cancel", "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.runs {
		if cancel.ID == r.taken {
			r.cancel(ErrCanceled)
		}
	}
}
