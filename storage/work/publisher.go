package work

import (
	"context"
	"log/slog"
	"sync"

	"hark/storage"
)

// mostKept is how many jobs wait to be published at the most. Those beyond are
// left to maintenance, as those that a crash kept back.
const mostKept = 10_000

// queue is where workers hear of jobs.
type queue interface {
	PublishJob(ctx context.Context, job storage.JobRef) error
}

// Publisher puts jobs in the queue that were committed on this node. Nobody else
// does, but for the leader, which publishes what is due and was kept back. It is
// safe for concurrent use.
type Publisher struct {
	queue queue
	log   *slog.Logger

	mu   sync.Mutex
	jobs []storage.JobRef
	more chan struct{} // holds a token when there are jobs
}

// NewPublisher makes a publisher, which keeps what is added until it runs.
func NewPublisher(q queue, log *slog.Logger) *Publisher {
	return &Publisher{queue: q, log: log, more: make(chan struct{}, 1)}
}

// Add has jobs published that are committed. It does not wait.
func (p *Publisher) Add(jobs []storage.JobRef) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = append(p.jobs, jobs[:min(len(jobs), mostKept-len(p.jobs))]...)
	select {
	case p.more <- struct{}{}:
	default: // it is woken already
	}
}

// Run publishes until ctx ends, and then what was added before.
func (p *Publisher) Run(ctx context.Context) {
	for {
		select {
		case <-p.more:
		case <-ctx.Done():
		}
		ended := ctx.Err() != nil // and whoever adds has stopped before
		p.publish(context.WithoutCancel(ctx))
		if ended {
			return
		}
	}
}

// publish publishes what was added. What follows a failure is left to maintenance,
// rather than to wait for the queue time and again.
func (p *Publisher) publish(ctx context.Context) {
	p.mu.Lock()
	jobs := p.jobs
	p.jobs = nil
	p.mu.Unlock()
	for i, job := range jobs {
		if err := p.queue.PublishJob(ctx, job); err != nil {
			p.log.WarnContext(ctx, "publishing jobs failed; maintenance will retry", "jobs", len(jobs)-i, "error", err)
			return
		}
	}
}
