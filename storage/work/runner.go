package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hark/storage"
)

// records keeps jobs. What is reported of an attempt that is over is refused with
// storage.ErrStale.
type records interface {
	BeginJob(ctx context.Context, kind storage.JobKind, id, worker string, lease time.Duration) (storage.Job, error)
	RenewLease(ctx context.Context, job storage.Job, lease time.Duration) error
	FinishJob(ctx context.Context, job storage.Job) error
	FailJob(ctx context.Context, job storage.Job, reason string, retryAfter time.Duration) error // storage.ForGood, storage.Hopeless, or a wait
	ReleaseJob(ctx context.Context, job storage.Job) error
}

// Observer is told of work, for metrics. It is called from several goroutines at
// once.
type Observer interface {
	Began(kind storage.JobKind)                                    // work at a place in the queue
	Left(kind storage.JobKind)                                     // a place at which it began
	Ended(kind storage.JobKind, result Result, wall time.Duration) // an attempt
}

// Config is what all kinds on a node have in common.
type Config struct {
	Name     string   // of this worker, as the database and the logs show it
	Observer Observer // nil for nobody
	Logger   *slog.Logger
}

// Runner makes attempts at jobs of one kind. It is safe for concurrent use: the
// caller bounds how many run at once.
type Runner struct {
	records records
	cfg     Config
	kind    Kind
	log     *slog.Logger
}

// NewRunner makes a runner, or says what is missing.
func NewRunner(records records, cfg Config, kind Kind) (*Runner, error) {
	kind, err := kind.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Runner{records: records, cfg: cfg, kind: kind, log: cfg.Logger.With("kind", kind.Name)}, nil
}

// Outcome is what became of an attempt at a job, and what is to become of its
// place in the queue.
type Outcome struct {
	Done       bool          // nothing more to do: take it off the queue
	RetryAfter time.Duration // when not Done: offer it again after this time; 0 means at once
	Missed     bool          // nothing was begun: the job is over, or another attempt at it goes on
}

// reportTimeout bounds reporting the end of an attempt, which also happens
// when ctx has ended.
const reportTimeout = 10 * time.Second

// errLeaseLost ends work whose lease ran out before it could be renewed.
var errLeaseLost = errors.New("lease ran out")

// Run makes one attempt at a job and says what becomes of its place in the
// queue. It returns when all it started has ended. When ctx ends, the job is
// handed back; whether that was for shutdown or because it was called off is for
// the database to know. Running a job that is over, or that another runs, does no
// harm.
func (r *Runner) Run(ctx context.Context, jobID string) Outcome {
	a, err := r.begin(ctx, jobID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		r.log.DebugContext(ctx, "job is over or what it is about is gone", "job", jobID)
		return Outcome{Done: true, Missed: true}
	case errors.Is(err, storage.ErrBusy):
		return Outcome{RetryAfter: r.kind.Lease / 3, Missed: true} // its worker may be dead: look again soon
	case err != nil:
		r.log.WarnContext(ctx, "starting job failed", "job", jobID, "error", err)
		return Outcome{RetryAfter: r.kind.Waits.After(1)}
	}
	begun := time.Now()
	log := r.log.With("job", a.ID, "attempt", a.Attempt)
	err = r.attempt(ctx, a, log)
	outcome, result := r.settle(ctx, a, log, err)
	wall := time.Since(begun)
	if r.cfg.Observer != nil {
		r.cfg.Observer.Ended(r.kind.Name, result, wall)
	}
	logEnd(ctx, log, a, wall, outcome, result, err)
	if outcome.Done && r.kind.Ended != nil {
		r.kind.Ended(ctx, a.Job)
	}
	return outcome
}

// begin opens an attempt. A database that panics is a database that fails.
func (r *Runner) begin(ctx context.Context, jobID string) (*Attempt, error) {
	a := &Attempt{}
	err := Guard(func() (err error) {
		a.Job, err = r.records.BeginJob(ctx, r.kind.Name, jobID, r.cfg.Name, r.kind.Lease)
		return err
	})
	a.Last = a.Try >= r.kind.Attempts
	return a, err
}

// attempt has the handler work, under the lease and for no longer than it may.
func (r *Runner) attempt(ctx context.Context, a *Attempt, log *slog.Logger) error {
	if r.kind.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.kind.Timeout, &Failure{Reason: fmt.Sprintf("It took longer than %s.", r.kind.Timeout)})
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		r.keepLease(ctx, a.Job, log, stop)
	}()
	err := Guard(func() error { return r.kind.Handler.Handle(ctx, a) })
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // what ended the work, rather than what fell over because of it
	}
	stop(nil)
	<-kept
	return err
}

// settle tells the database how the attempt ended.
func (r *Runner) settle(ctx context.Context, a *Attempt, log *slog.Logger, err error) (Outcome, Result) {
	ended := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reportTimeout)
	defer cancel()
	logPanic(ctx, log, err)
	done := Outcome{Done: true}
	report := func(outcome Outcome, result Result, call func() error) (Outcome, Result) {
		return r.report(ctx, log, outcome, result, call)
	}
	f := failureOf(err)
	switch {
	case err == nil && r.kind.EndsItself:
		return done, Done
	case err == nil:
		return report(done, Done, func() error { return r.records.FinishJob(ctx, a.Job) })
	case errors.Is(err, storage.ErrStale):
		return done, Dropped
	case ended:
		return report(Outcome{}, Released, func() error { return r.records.ReleaseJob(ctx, a.Job) })
	case errors.Is(err, errLeaseLost):
		return Outcome{RetryAfter: r.kind.Lease}, Lost
	case f.Then == Wait:
		return report(Outcome{RetryAfter: f.After}, Deferred, func() error { return r.records.ReleaseJob(ctx, a.Job) })
	case f.Then == Hopeless:
		return report(done, Failed, func() error { return r.records.FailJob(ctx, a.Job, f.Reason, storage.Hopeless) })
	case f.Then == GiveUp || a.Last:
		return report(done, Failed, func() error { return r.records.FailJob(ctx, a.Job, f.Reason, storage.ForGood) })
	}
	after := max(r.kind.Waits.After(a.Try), f.After)
	return report(Outcome{RetryAfter: after}, Retried, func() error { return r.records.FailJob(ctx, a.Job, f.Reason, after) })
}

// report runs one call to the database. An attempt that turns out to be over is
// dropped, and one that cannot be reported is left to its lease.
func (r *Runner) report(ctx context.Context, log *slog.Logger, outcome Outcome, result Result, call func() error) (Outcome, Result) {
	err := Guard(call)
	switch {
	case err == nil:
		return outcome, result
	case Over(err):
		return Outcome{Done: true}, Dropped
	}
	log.ErrorContext(ctx, "cannot report the end of an attempt; its lease will run out", "result", string(result), "error", err)
	return Outcome{RetryAfter: r.kind.Lease}, Lost
}

// logEnd logs one line for each attempt.
func logEnd(ctx context.Context, log *slog.Logger, a *Attempt, wall time.Duration, outcome Outcome, result Result, err error) {
	attrs := append([]slog.Attr{slog.String("result", string(result)), slog.Duration("wall", wall)}, a.notes...)
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	if !outcome.Done {
		attrs = append(attrs, slog.Duration("retry_after", outcome.RetryAfter))
	}
	log.LogAttrs(ctx, result.level(), "job ended", attrs...)
}
