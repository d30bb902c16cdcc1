package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hark/media/backoff"
	"hark/media/whip"
	"hark/storage"
	"hark/transcribe/live"
)

const (
	hearTimeout    = 30 * time.Second // for the end of a live transcript
	stepTimeout    = 2 * time.Minute  // for one try at a step of the end
	letTimeout     = 10 * time.Second // for clearing up, which may be done later
	publishTimeout = 2 * time.Second
)

// stepPauses are before a step of the end is tried again.
var stepPauses = backoff.Policy{First: 250 * time.Millisecond, Most: 30 * time.Second}

// finishWhenOver makes a whole message of a recording, once its session is
// over.
func (r *Recorder) finishWhenOver(rec *Recording) {
	defer r.registry.forget(rec)
	<-rec.over
	r.metrics.came(rec.packets.Load(), rec.session.Stats())
	log := rec.log.With("reason", string(rec.reason))
	began := time.Now()
	err := r.finish(rec, log)
	r.tellOngoing(r.work, rec)
	r.metrics.finished(rec.reason, err, time.Since(began))
	if err != nil {
		r.left.Add(1)
		log.Warn("finishing live recording was interrupted; the next start will finish it", "error", err)
		return
	}
	log.Info("live recording finished", "packets", rec.packets.Load(), "took", time.Since(began).String())
}

// finish fails only when there is no more time.
func (r *Recorder) finish(rec *Recording, log *slog.Logger) error {
	if rec.packets.Load() == 0 {
		if rec.listener != nil {
			rec.listener.Cancel()
		}
		return r.drop(r.work, log, rec.id, rec.key)
	}
	heard := make(chan *live.Result, 1)
	go func() { heard <- r.finishListening(rec, log) }()
	if err := r.hold(r.work, rec, log); err != nil {
		<-heard
		return r.notHeld(r.work, log, rec, err)
	}
	done := storage.FinishedRecording{ID: rec.id, Node: r.Spool.Node(), EndReason: endReason(rec.reason)}
	err := persist(r.work, log, "put a live recording in the store", func(ctx context.Context) (err error) {
		if err := r.puts.Acquire(ctx, 1); err != nil {
			return err
		}
		defer r.puts.Release(1)
		done.Original, done.DurationMS, err = rec.track.Finish(ctx)
		return notVerdict(err)
	})
	if result := <-heard; result != nil {
		done.Transcript, done.Improve = result.Transcript, result.Poor
		done.Peaks, done.LoudnessLUFS = result.Peaks, &result.LoudnessLUFS
	}
	if err != nil {
		return fmt.Errorf("put in the store: %w", err)
	}
	return r.commit(r.work, log, done, rec.key)
}

// hold makes sure that the recording is this node's still, before its sound
// goes where another node may have put it.
func (r *Recorder) hold(ctx context.Context, rec *Recording, log *slog.Logger) error {
	if r.holds(rec, time.Now()) {
		return nil
	}
	node := r.Spool.Node()
	return persist(ctx, log, "hold a live recording", func(ctx context.Context) error {
		_, err := r.Records.ClaimRecording(ctx, rec.id, node, node, r.cfg.Lease)
		return err
	})
}

// notHeld clears up after a recording that another node has, or that is gone.
func (r *Recorder) notHeld(ctx context.Context, log *slog.Logger, rec *Recording, err error) error {
	if !isVerdict(err) {
		return err
	}
	return r.drop(ctx, log, rec.id, rec.key) // which tells the two apart, and drops nothing
}

// finishListening returns what was heard, or nil for the job to listen again.
func (r *Recorder) finishListening(rec *Recording, log *slog.Logger) *live.Result {
	if rec.listener == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.hear, hearTimeout)
	defer cancel()
	result, err := rec.listener.Finish(ctx)
	if err != nil {
		rec.listener.Cancel()
		log.Info("live transcript failed; the job will make it", "error", err)
		return nil
	}
	r.metrics.heard(result.Poor)
	return result
}

// commit records a recording whose sound is in the store, has its job done,
// and lets the spool forget it. One that lasts 0 was not put, and is dropped.
func (r *Recorder) commit(ctx context.Context, log *slog.Logger, done storage.FinishedRecording, key string) error {
	if done.DurationMS == 0 {
		return r.drop(ctx, log, done.ID, key)
	}
	err := persist(ctx, log, "record a live recording", func(ctx context.Context) (err error) {
		_, err = r.Records.FinishRecording(ctx, done)
		return err
	})
	if err == nil {
		r.let(ctx, log, func(ctx context.Context) error { return r.Spool.Forget(ctx, done.ID, key) })
		return nil
	}
	return r.refused(ctx, log, done.ID, key, err)
}

// drop removes the message of a recording in which nothing was said.
func (r *Recorder) drop(ctx context.Context, log *slog.Logger, id, key string) error {
	err := persist(ctx, log, "drop an empty recording", func(ctx context.Context) error {
		return r.Records.DropRecording(ctx, id, r.Spool.Node())
	})
	if err == nil {
		err = storage.ErrNotFound
	}
	return r.refused(ctx, log, id, key, err)
}

// refused clears up after a recording that the records do not have, or not for
// this node. Any other error is returned: the recording stays.
func (r *Recorder) refused(ctx context.Context, log *slog.Logger, id, key string, err error) error {
	switch {
	case errors.Is(err, storage.ErrNotFound): // deleted meanwhile, or dropped
		r.let(ctx, log, func(ctx context.Context) error { return r.Spool.Discard(ctx, id, key) })
	case isVerdict(err):
		log.ErrorContext(ctx, "live recording taken over by another node; audio since its last uploaded piece is lost", "error", err)
		// The pieces are the other node's now.
		r.let(ctx, log, func(ctx context.Context) error { return r.Spool.Forget(ctx, id, "") })
	default:
		return err
	}
	return nil
}

// let has the spool let go of a recording. What it cannot remove now is found
// later, by the next look or the sweep for orphans.
func (r *Recorder) let(ctx context.Context, log *slog.Logger, do func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), letTimeout)
	defer cancel()
	if err := do(ctx); err != nil {
		log.WarnContext(ctx, "removing recording from spool failed; maintenance will retry", "error", err)
	}
}

// persist does one step again and again until it is done, the records refuse
// it, or ctx ends: what it is about was acknowledged.
func persist(ctx context.Context, log *slog.Logger, what string, do func(context.Context) error) error {
	for failures := 1; ; failures++ {
		err := try(ctx, do)
		if err == nil || isVerdict(err) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		pause := stepPauses.After(failures)
		log.WarnContext(ctx, "finishing a recording: step failed, retrying", "what", what, "pause", pause.String(), "error", err)
		if backoff.Sleep(ctx, pause) != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

func try(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	return do(ctx)
}

// notVerdict is for errors of other parts, which may use the same sentinels.
func notVerdict(err error) error {
	if isVerdict(err) {
		return errors.New(err.Error())
	}
	return err
}

// isVerdict tells an answer of the records from records that are away.
func isVerdict(err error) bool {
	return errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrStale) || errors.Is(err, storage.ErrBusy) ||
		errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrForbidden)
}

// endReason is how the records say why a recording ended: nothing when who
// spoke ended it.
func endReason(reason whip.Reason) string {
	if reason == whip.Stopped {
		return ""
	}
	return reasonName(reason)
}
