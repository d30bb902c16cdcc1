package bus

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"hark/storage"
)

// panicDelay keeps a job that makes its handler panic from doing so in a loop.
const panicDelay = 10 * time.Second

// run is a job whose handler runs here.
type run struct {
	job    jobPayload
	class  storage.Priority
	taken  string // the job that is worked on; guarded by consumer.mu
	cancel context.CancelCauseFunc
	logger *slog.Logger

	mu  sync.Mutex
	msg jetstream.Msg // the latest delivery, which the server wants to hear about
}

// accept begins to work on a delivery, or gives it back when the slot that was
// free when it was asked for is taken by now.
func (c *consumer) accept(msg jetstream.Msg, p storage.Priority) {
	job, err := decodeJob(msg.Data())
	if err != nil {
		c.bus.logger.Warn("dropped a foreign job", "subject", msg.Subject(), "error", err)
		c.tell(msg.Term())
		return
	}
	if c.redelivered(job, msg) {
		return
	}
	if !c.slots.take(p) {
		c.tell(msg.Nak())
		return
	}
	ctx, cancel := context.WithCancelCause(c.work)
	r := &run{job: job, class: p, taken: job.Job, cancel: cancel, msg: msg, logger: c.bus.logger.With("job", job.Job)}
	c.mu.Lock()
	c.runs[job.Job] = r
	c.mu.Unlock()
	c.running.Go(func() {
		defer c.slots.give(p)
		c.work1(ctx, r)
	})
}

// redelivered tells whether the job runs here already: the server lost sight
// of it in an outage and sent it again. The run goes on under the new
// delivery.
func (c *consumer) redelivered(job jobPayload, msg jetstream.Msg) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.runs[job.Job]
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.msg = msg
	return true
}

// work1 runs the handler, reports that it runs, and tells the server the
// verdict.
func (c *consumer) work1(ctx context.Context, r *run) {
	defer r.cancel(nil)
	stop := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() { c.beat(r, stop) })
	verdict := c.call(ctx, r)
	close(stop)
	beating.Wait()

	// From here on a redelivery is a new run.
	c.mu.Lock()
	delete(c.runs, r.job.Job)
	c.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !verdict.again:
		c.tell(done(ctx, r.msg))
	case verdict.after <= 0:
		c.tell(r.msg.Nak())
	default:
		c.tell(r.msg.NakWithDelay(verdict.after))
	}
}

func (c *consumer) call(ctx context.Context, r *run) (verdict Verdict) {
	defer func() {
		if p := recover(); p != nil {
			r.logger.ErrorContext(ctx, "handler panicked", "panic", p, "stack", string(debug.Stack()))
			verdict = Retry(panicDelay)
		}
	}()
	return c.handle(ctx, Delivery{ID: r.job.Job, Priority: r.class, takes: func(id string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		r.taken = id
	}})
}

// beat keeps the server from giving the job to another worker.
func (c *consumer) beat(r *run, stop <-chan struct{}) {
	ticker := time.NewTicker(c.bus.times.beat)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			r.mu.Lock()
			msg := r.msg
			r.mu.Unlock()
			if err := msg.InProgress(); err != nil {
				r.logger.Debug("the server cannot be told that the job runs", "error", err)
			}
		}
	}
}

// done takes a job out of the queue, and returns once it is out: until then the job has
// its place there, and could not be put into it anew (see [Bus.PublishJob]).
func done(ctx context.Context, msg jetstream.Msg) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTime)
	defer cancel()
	return msg.DoubleAck(ctx)
}

// tell notes that the server could not be told what became of a delivery. It
// will deliver again, and the handler finds the job done.
func (c *consumer) tell(err error) {
	if err != nil {
		c.bus.logger.Warn("the server was not told what became of a job; it will be delivered again", "error", err)
	}
}
