package work

import (
	"context"
	"log/slog"
	"time"

	"hark/storage"
)

// keepLease renews the lease of a job every third of it until ctx ends. When the
// attempt is over, or its lease ran out because the database was away, it ends the
// work by stop.
func (r *Runner) keepLease(ctx context.Context, job storage.Job, log *slog.Logger, stop context.CancelCauseFunc) {
	tick := time.NewTicker(r.kind.Lease / 3)
	defer tick.Stop()
	held := time.Now() // when the lease surely began
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := time.Now()
		err := r.renew(ctx, job)
		switch {
		case err == nil:
			held = asked
		case ctx.Err() != nil:
			return
		case Over(err):
			stop(err)
			return
		case time.Since(held) >= r.kind.Lease:
			stop(errLeaseLost)
			return
		default:
			log.WarnContext(ctx, "renewing job lease failed", "error", err)
		}
	}
}

// renew asks for the lease once, and waits for the answer only as long as
// there is time to ask again.
func (r *Runner) renew(ctx context.Context, job storage.Job) error {
	ctx, cancel := context.WithTimeout(ctx, r.kind.Lease/3)
	defer cancel()
	return Guard(func() error { return r.records.RenewLease(ctx, job, r.kind.Lease) })
}
