package work

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"hark/media/backoff"
	"hark/storage"
)

// Handler does the jobs of a kind. It is safe for concurrent use.
type Handler interface {
	// Handle makes one attempt at a job, and returns when all it started has ended.
	// It returns nil when the job is done, and a [Failure], or another error,
	// when it is not; when ctx ends, it returns soon. storage.ErrStale, which the
	// database answers to an attempt that no longer counts, has the job left alone.
	Handle(ctx context.Context, a *Attempt) error
}

// Attempt is one attempt at a job. A handler has it until it returns.
type Attempt struct {
	storage.Job
	Last bool // when this one fails, the job does for good

	notes []slog.Attr
}

// Note adds to the line that is logged when the attempt ends.
func (a *Attempt) Note(attrs ...slog.Attr) { a.notes = append(a.notes, attrs...) }

// Kind is a kind of job that a node does, and how.
type Kind struct {
	Name    storage.JobKind
	Handler Handler

	// Interactive is how many places are kept for interactive jobs, Bulk how many
	// there are for either; one at least of both together.
	Interactive, Bulk int

	Timeout  time.Duration  // most that an attempt may take; 0 means no limit
	Lease    time.Duration  // how long a job stays ours without a sign of life; 0 means 15 s
	Attempts int            // that may fail before the job does for good; 0 means 5
	Waits    backoff.Policy // between them; zero means at most 5 s at first, and 5 min at last

	// EndsItself says that the handler ends the job in the transaction in which it
	// saves what it made. Else the job is ended when the handler returns nil.
	EndsItself bool

	// Ended, when not nil, is told of each job that has ended, for good or ill.
	Ended func(ctx context.Context, job storage.Job)
}

func (k Kind) withDefaults() (Kind, error) {
	if k.Name == "" || k.Handler == nil {
		return k, errors.New("a kind of job needs a name and a handler")
	}
	if k.Lease <= 0 {
		k.Lease = 15 * time.Second
	}
	if k.Attempts <= 0 {
		k.Attempts = 5
	}
	if k.Waits == (backoff.Policy{}) {
		k.Waits = backoff.Policy{First: 5 * time.Second, Most: 5 * time.Minute}
	}
	return k, nil
}

// Result says how an attempt ended, for metrics and logs.
type Result string

// How an attempt can end.
const (
	Done     Result = "done"     // the job is done
	Retried  Result = "retried"  // failed, and will be tried again
	Failed   Result = "failed"   // failed for good
	Dropped  Result = "dropped"  // the job is gone, or another attempt has begun
	Released Result = "released" // handed back, for shutdown
	Deferred Result = "deferred" // handed back, to wait for something
	Lost     Result = "lost"     // the database could not be reached; the lease runs out
)

func (r Result) level() slog.Level {
	switch r {
	case Lost:
		return slog.LevelError
	case Failed, Retried, Deferred:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
