package signin

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"hark/storage"
)

// How many failed sign-ins a node records in the audit log, which is kept for ever:
// so many at once, and then one a minute. Those left out are counted.
const (
	failuresBurst = 60
	failuresEvery = time.Minute
)

// failures bounds what strangers add to the audit log. It is safe for concurrent use.
type failures struct {
	recorded *rate.Limiter
	left     atomic.Int64 // since the last that was recorded
}

func newFailures() *failures {
	return &failures{recorded: rate.NewLimiter(rate.Every(failuresEvery), failuresBurst)}
}

// auditFailure records an attempt to sign in that failed, unless there were too
// many. That it could not be recorded changes no answer.
func (e *Endpoints) auditFailure(ctx context.Context, failed storage.FailedSignIn) {
	if !e.failures.recorded.Allow() {
		e.failures.left.Add(1)
		return
	}
	failed.LeftOut = e.failures.left.Swap(0)
	if err := e.deps.Records.AuditFailedSignIn(ctx, failed); err != nil {
		e.failures.left.Add(failed.LeftOut + 1)
		e.deps.Logger.WarnContext(ctx, "recording failed sign-in failed", "error", err)
	}
}

// auditLater is auditFailure after the answer.
func (e *Endpoints) auditLater(ctx context.Context, failed storage.FailedSignIn) {
	taken := e.later.do(ctx, "recording failed sign-in", func(ctx context.Context) error {
		e.auditFailure(ctx, failed)
		return nil
	})
	if !taken {
		e.failures.left.Add(1)
	}
}

// reasonOf is why a code signs nobody in, as it is recorded.
func reasonOf(err error) string {
	if errors.Is(err, storage.ErrExpired) {
		return "expired"
	}
	return "unknown or used"
}
