package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hark/media"
	"hark/transcribe"
)

// Outcome is what shall happen with the job's place in the queue.
type Outcome struct {
	Done       bool          // nothing more to do: take it off the queue
	RetryAfter time.Duration // when not Done: offer it again after this time; 0 means at once
}

// Result says how an attempt ended, for metrics and logs.
type Result string

// How an attempt can end.
const (
	Ready    Result = "ready"    // all is made and saved
	Retried  Result = "retried"  // failed, and will be tried again
	Failed   Result = "failed"   // failed for good
	Dropped  Result = "dropped"  // the message is gone, or another attempt has begun
	Released Result = "released" // handed back, for shutdown
	Deferred Result = "deferred" // handed back until the object store is the right one
	Lost     Result = "lost"     // the ledger could not be reached; the lease runs out
)

// reportTimeout bounds reporting the end of an attempt, which also happens
// when ctx has ended.
const reportTimeout = 10 * time.Second

// otherStoreWait is how long a job waits whose clip may be in another store.
const otherStoreWait = time.Minute

// defaultAttempts is for a ledger that sets no bound: there must be one.
const defaultAttempts = 5

// errLeaseLost ends work whose lease ran out before it could be renewed.
var errLeaseLost = errors.New("lease ran out")

// Handle does one attempt at a job and says what becomes of its place in the
// queue. It returns when all it started has ended. When ctx ends, the job is
// handed back; whether that was for shutdown or because its message was
// deleted is for the ledger to know. Handling a job twice does no harm.
func (w *Worker) Handle(ctx context.Context, jobID string) Outcome {
	log := w.Logger.With("job", jobID)
	task, err := w.begin(ctx, jobID)
	switch {
	case errors.Is(err, w.Errors.Gone):
		log.DebugContext(ctx, "job is done or its message is gone")
		return Outcome{Done: true}
	case errors.Is(err, w.Errors.Busy):
		return Outcome{RetryAfter: w.cfg.Lease / 3} // its worker may be dead: look again soon
	case err != nil:
		log.WarnContext(ctx, "cannot begin job", "error", err)
		return Outcome{RetryAfter: w.delay(1)}
	}

	begun := time.Now()
	a := &attempt{Worker: w, task: task, log: log.With("message", task.MessageID, "attempt", task.Attempt)}
	err = a.work(ctx)
	outcome, result := a.settle(ctx, err)
	wall := time.Since(begun)
	w.Observer.Done(a.audio(), wall, result)
	a.logEnd(ctx, wall, outcome, result, err)
	return outcome
}

// logEnd logs one line for each attempt.
func (a *attempt) logEnd(ctx context.Context, wall time.Duration, outcome Outcome, result Result, err error) {
	attrs := []slog.Attr{slog.String("result", string(result)), slog.Duration("duration", a.audio()), slog.Duration("wall", wall)}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	if !outcome.Done {
		attrs = append(attrs, slog.Duration("retry_after", outcome.RetryAfter))
	}
	a.log.LogAttrs(ctx, result.level(), "job ended", attrs...)
}

// begin opens an attempt. A ledger that panics is a ledger that fails.
func (w *Worker) begin(ctx context.Context, jobID string) (task Task, err error) {
	err = guard(func() (err error) {
		task, err = w.Ledger.BeginJob(ctx, jobID, w.cfg.Name, w.cfg.Lease)
		return err
	})
	if task.MaxAttempts <= 0 {
		task.MaxAttempts = defaultAttempts
	}
	if task.Try <= 0 {
		task.Try = task.Attempt
	}
	return task, err
}

// work runs the attempt under its lease.
func (a *attempt) work(ctx context.Context) error {
	if a.task.Attempt > a.task.MaxAttempts {
		return transcribe.Fail(nil, "Work on this recording was cut off %d times before it could end. "+
			"The recording is kept. You can retry.", a.task.Try-1)
	}
	ctx, stop := context.WithCancelCause(ctx)
	lease := start(func() error { return a.keepLease(ctx, stop) })
	err := guard(func() error { return a.run(ctx) })
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // what ended the work, rather than what fell over because of it
	}
	stop(nil)
	return errors.Join(err, lease.wait())
}

// settle tells the ledger how the attempt ended.
func (a *attempt) settle(ctx context.Context, err error) (Outcome, Result) {
	if err == nil {
		return Outcome{Done: true}, Ready
	}
	ended := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTimeout)
	defer cancel()
	a.logPanic(ctx, err)
	switch {
	case a.isOver(err):
		return Outcome{Done: true}, Dropped
	case ended:
		return a.report(Outcome{}, Released, func() error { return a.Ledger.ReleaseJob(ctx, a.task) })
	case errors.Is(err, errOtherStore):
		return a.report(Outcome{RetryAfter: otherStoreWait}, Deferred, func() error { return a.Ledger.ReleaseJob(ctx, a.task) })
	case errors.Is(err, errLeaseLost):
		return Outcome{RetryAfter: a.cfg.Lease}, Lost
	}
	if reason, final := a.finalReason(err); final {
		return a.report(Outcome{Done: true}, Failed, func() error { return a.Ledger.FailJob(ctx, a.task, reason, -1) })
	}
	after := max(a.delay(a.task.Try), wantedDelay(err))
	return a.report(Outcome{RetryAfter: after}, Retried, func() error {
		return a.Ledger.FailJob(ctx, a.task, "Something failed while "+failedStage(err)+"; it will be tried again.", after)
	})
}

// report runs one call to the ledger. An attempt that turns out to be over is
// dropped, and one that cannot be reported is left to its lease.
func (a *attempt) report(outcome Outcome, result Result, call func() error) (Outcome, Result) {
	err := guard(call)
	switch {
	case err == nil:
		return outcome, result
	case a.isOver(err):
		return Outcome{Done: true}, Dropped
	}
	a.log.Error("cannot report the end of an attempt; its lease will run out", "result", string(result), "error", err)
	return Outcome{RetryAfter: a.cfg.Lease}, Lost
}

// isOver reports whether the ledger said that the attempt no longer counts.
func (a *attempt) isOver(err error) bool {
	return errors.Is(err, a.Errors.Stale) || errors.Is(err, a.Errors.Gone)
}

// finalReason returns the words for people when err ends the job for good.
func (a *attempt) finalReason(err error) (string, bool) {
	var failure *transcribe.PermanentError
	if refusal, ok := media.AsRefusal(err); ok {
		return refusal.Reason, true
	}
	if errors.As(err, &failure) {
		return failure.Reason, true
	}
	if errors.Is(err, transcribe.ErrPermanent) {
		return "The recogniser cannot work as it is set up; the server's log says why. " +
			"The recording is kept and plays. Retry when the recogniser is mended.", true
	}
	if a.task.Attempt >= a.task.MaxAttempts {
		return fmt.Sprintf("Work on this recording failed %d times, at last while %s. "+
			"The recording is kept. You can retry.", a.task.Try, failedStage(err)), true
	}
	return "", false
}

func (r Result) level() slog.Level {
	switch r {
	case Lost:
		return slog.LevelError
	case Failed, Retried, Deferred:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
