package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/storage"
)

const (
	reachFor   = time.Minute // as long as machines that start together are apart
	reachEvery = time.Second
)

// reach opens a part that may be a service elsewhere. One that does not answer
// is tried again for a while, since what starts together is not ready
// together; any other error is the answer.
func (p *Program) reach(ctx context.Context, part string, open func() error) error {
	began := time.Now()
	for {
		err := open()
		if err == nil {
			if waited := time.Since(began); waited > reachEvery {
				p.log.InfoContext(ctx, "service is reachable", "part", part, "after", waited.Round(time.Millisecond).String())
			}
			return nil
		}
		if !errors.Is(err, storage.ErrUnreachable) || time.Since(began) > reachFor {
			return fmt.Errorf("open %s: %w", part, err)
		}
		p.log.WarnContext(ctx, "service not reachable yet, retrying", "part", part, "for", reachFor.String(), "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("open %s: %w", part, context.Cause(ctx))
		case <-time.After(reachEvery):
		}
	}
}
