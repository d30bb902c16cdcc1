package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hark/media"
	"hark/storage"
	"hark/storage/work"
	"hark/transcribe"
)

const (
	// longest is how long one attempt may take. It is for work that hangs: the
	// longest recording on the slowest machine takes less.
	longest = 24 * time.Hour

	// otherStoreWait is how long a job waits whose clip may be in another store.
	otherStoreWait = time.Minute

	// maxWanted bounds how long an error may ask to wait.
	maxWanted = time.Hour
)

// Kind is the worker as the handler of the kind transcribe, with places for so many
// interactive and bulk jobs. ended, which may be nil, is told of jobs that have ended.
func (w *Worker) Kind(interactive, bulk int, ended func(context.Context, storage.Job)) work.Kind {
	return work.Kind{
		Name: storage.Transcribe, Handler: w, Interactive: interactive, Bulk: bulk,
		Timeout: longest, Lease: w.cfg.Lease, EndsItself: true, Ended: ended,
	}
}

// Handle implements work.Handler.
func (w *Worker) Handle(ctx context.Context, job *work.Attempt) error {
	task, err := w.Records.Task(ctx, job.Job)
	if err != nil {
		return err
	}
	begun := time.Now()
	a := &attempt{Worker: w, task: task, last: job.Last, log: w.Logger.With("job", job.ID, "message", task.MessageID, "attempt", job.Attempt)}
	err = a.run(ctx)
	audio := a.audio()
	job.Note(slog.String("message", task.MessageID), slog.Duration("duration", audio))
	if err == nil {
		w.Observer.Ready(audio, time.Since(begun))
		return nil
	}
	return a.failure(err)
}

// failure says what becomes of a job whose attempt ended with err, and why in words
// for people.
func (a *attempt) failure(err error) error {
	f := &work.Failure{Err: err, After: wantedDelay(err)}
	var failure *transcribe.PermanentError
	refusal, refused := media.AsRefusal(err)
	switch {
	case errors.Is(err, errOtherStore):
		f.Then, f.After = work.Wait, otherStoreWait
	case refused && refusal.Kind != media.OverBudget: // for what the clip is
		f.Reason, f.Then = refusal.Reason, work.Hopeless
	case refused:
		f.Reason, f.Then = refusal.Reason, work.GiveUp
	case errors.As(err, &failure):
		f.Reason, f.Then = failure.Reason, work.GiveUp
	case errors.Is(err, transcribe.ErrPermanent):
		f.Reason, f.Then = "The recogniser cannot work as it is set up; the server's log says why. "+
			"The recording is kept and plays. Retry when the recogniser is mended.", work.GiveUp
	case a.last:
		f.Reason = fmt.Sprintf("Work on this recording failed %d times, at last while %s. "+
			"The recording is kept. You can retry.", a.task.Try, failedStage(err))
	default:
		f.Reason = "Something failed while " + failedStage(err) + "; it will be tried again."
	}
	return f
}

// wantedDelay is how long an error asks to wait, such as that of a remote
// engine that is told to come back later; 0 when it asks for nothing.
func wantedDelay(err error) time.Duration {
	var polite interface{ RetryAfter() time.Duration }
	if errors.As(err, &polite) {
		return min(polite.RetryAfter(), maxWanted)
	}
	return 0
}
