package work

import (
	"context"
	"fmt"
	"sync"

	"hark/storage"
	"hark/storage/bus"
)

// turns is the database, which knows whose turn it is.
type turns interface {
	records
	NextJob(ctx context.Context, kind storage.JobKind, p storage.Priority) (id string, err error)
}

// places is the queue, in which jobs have their places.
type places interface {
	Consume(ctx, work context.Context, cfg bus.ConsumeConfig, handle bus.Handler) error
}

// Worker does the jobs of the kinds that it was given, and of no other.
type Worker struct {
	turns   turns
	queue   places
	runners []*Runner
	cfg     Config
}

// NewWorker makes a worker, or says which kind is incomplete, or twice.
func NewWorker(db turns, queue places, cfg Config, kinds ...Kind) (*Worker, error) {
	w := &Worker{turns: db, queue: queue, cfg: cfg}
	seen := map[storage.JobKind]bool{}
	for _, k := range kinds {
		r, err := NewRunner(db, cfg, k)
		if err != nil {
			return nil, fmt.Errorf("kind %q: %w", k.Name, err)
		}
		if seen[k.Name] {
			return nil, fmt.Errorf("kind %q has two handlers", k.Name)
		}
		seen[k.Name] = true
		w.runners = append(w.runners, r)
	}
	return w, nil
}

// Run takes jobs from the queue until ctx ends; a job that is under way then goes on
// until work ends, and is handed back. It returns when none is. When one kind cannot
// be taken, the others end too.
func (w *Worker) Run(ctx, work context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	failed := make(chan error, len(w.runners))
	for _, r := range w.runners {
		running.Go(func() {
			cfg := bus.ConsumeConfig{Kind: r.kind.Name, Interactive: r.kind.Interactive, Bulk: r.kind.Bulk}
			if err := w.queue.Consume(ctx, work, cfg, w.handler(r)); err != nil {
				failed <- err
				stop(err)
			}
		})
	}
	running.Wait()
	close(failed)
	return <-failed
}

// handler makes an attempt at each place of a kind in the queue.
func (w *Worker) handler(r *Runner) bus.Handler {
	return func(ctx context.Context, at bus.Delivery) bus.Verdict {
		if o := w.cfg.Observer; o != nil {
			o.Began(r.kind.Name)
			defer o.Left(r.kind.Name)
		}
		out := w.take(ctx, r, at)
		if out.Done {
			return bus.Done()
		}
		return bus.Retry(out.RetryAfter)
	}
}

// mostMissed is how often a worker that is slower than others asks again whose
// turn it is, before the queue has it asked anew.
const mostMissed = 10

// take makes an attempt at the job of the kind whose turn it is, or at the one that
// the queue names if none is due. There are as many places in the queue as jobs
// that are open, so each is taken, though maybe at the place of another. A place is
// given up for a job that has ended, or when none is due and the one that it names
// is over: while others are due it is theirs.
func (w *Worker) take(ctx context.Context, r *Runner, at bus.Delivery) Outcome {
	for range mostMissed {
		id, err := w.turns.NextJob(ctx, r.kind.Name, at.Priority)
		if err != nil { // none is due; or a database that cannot say, and will not let it begin either
			at.Takes(at.ID)
			return r.Run(ctx, at.ID)
		}
		at.Takes(id)
		if out := r.Run(ctx, id); !out.Missed {
			return out
		}
	}
	return Outcome{Missed: true}
}
