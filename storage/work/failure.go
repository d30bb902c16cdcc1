package work

import (
	"errors"
	"time"

	"hark/storage"
)

// Failure is an error of a handler that says what is to become of the job, and why
// in words for those who wait for it. It can be wrapped.
type Failure struct {
	Err    error  // for the log; nil for nothing more than the reason
	Reason string // why the job failed, or waits; it is kept with the job
	Then   Then
	After  time.Duration // the job waits at least so long before it is tried again; 0 for what the schedule says
}

// Then is what becomes of a job whose attempt failed.
type Then int

// What can become of it.
const (
	TryAgain Then = iota // by the kind's schedule, while attempts are left
	Wait                 // it is handed back and offered again after Failure.After; the attempt does not count
	GiveUp               // it fails for good; a person may have it tried again
	Hopeless             // it fails for good, and trying it again cannot help
)

// Error is the cause, or the reason where there is no other.
func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Reason
	}
	return f.Err.Error()
}

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// failureOf is what an error says of a job; one that says nothing has it tried again.
func failureOf(err error) Failure {
	var f *Failure
	if errors.As(err, &f) {
		return *f
	}
	return Failure{Err: err, Reason: "The work failed; the server's log says why."}
}

// Over reports whether err says that an attempt no longer counts: it was superseded,
// or its job is gone.
func Over(err error) bool {
	return errors.Is(err, storage.ErrStale) || errors.Is(err, storage.ErrNotFound)
}
