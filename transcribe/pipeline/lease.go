package pipeline

import (
	"context"
	"time"
)

// keepLease renews the attempt's lease every third of it until ctx ends. When
// the attempt is over, or its lease ran out because the ledger was away, it
// ends the work by stop. It returns nil: the cause is the work's error.
func (a *attempt) keepLease(ctx context.Context, stop context.CancelCauseFunc) error {
	tick := time.NewTicker(a.cfg.Lease / 3)
	defer tick.Stop()
	held := time.Now() // when the lease surely began
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		asked := time.Now()
		err := a.renew(ctx)
		switch {
		case err == nil:
			held = asked
		case ctx.Err() != nil:
			return nil
		case a.isOver(err):
			stop(err)
			return nil
		case time.Since(held) >= a.cfg.Lease:
			stop(errLeaseLost)
			return nil
		default:
			a.log.WarnContext(ctx, "cannot renew the lease of a job", "error", err)
		}
	}
}

// renew asks for the lease once, and waits for the answer only as long as
// there is time to ask again.
func (a *attempt) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Lease/3)
	defer cancel()
	return guard(func() error { return a.Ledger.RenewLease(ctx, a.task, a.cfg.Lease) })
}
