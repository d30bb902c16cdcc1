package signin

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	afterwards     = 64               // tasks at once
	afterwardsTime = 30 * time.Second // for each
)

// background does what must not make an answer's time differ, once the answer is
// sent. It is safe for concurrent use.
type background struct {
	log    *slog.Logger
	places chan struct{}
	group  sync.WaitGroup
}

func newBackground(log *slog.Logger) *background {
	return &background{log: log, places: make(chan struct{}, afterwards)}
}

// do runs a task with what its request carries, though the request is over. It
// reports false, and does nothing, while there are too many.
func (b *background) do(ctx context.Context, what string, task func(context.Context) error) bool {
	select {
	case b.places <- struct{}{}:
	default:
		return false
	}
	ctx = context.WithoutCancel(ctx)
	b.group.Go(func() {
		defer func() { <-b.places }()
		ctx, cancel := context.WithTimeout(ctx, afterwardsTime)
		defer cancel()
		if err := task(ctx); err != nil {
			b.log.WarnContext(ctx, "task after an answer failed", "task", what, "error", err)
		}
	})
	return true
}

// wait waits until no task is left, or ctx ends.
func (b *background) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.group.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
