package recorder

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/storage"
)

const (
	recoverAtOnce = 4  // each reads and sends a whole recording
	lostBatch     = 50 // looked at in one go
)

// recoverLeft finishes the recordings of this node that no session feeds: those
// of an earlier process, and those that could not be finished when they ended.
func (r *Recorder) recoverLeft(ctx context.Context) {
	ours := r.registry.ids() // before the records are asked, who may name one that is finished since
	all, err := r.Records.RecordingsOf(ctx, r.Spool.Node())
	if err != nil {
		r.warn(ctx, "look for recordings that were left", err)
		return
	}
	known := make(map[string]bool, len(all))
	var group errgroup.Group
	group.SetLimit(recoverAtOnce)
	for _, rec := range all {
		known[rec.MessageID] = true
		if ours[rec.MessageID] || r.registry.has(rec.MessageID) {
			continue
		}
		group.Go(func() error {
			r.warn(ctx, "finish a recording that was left", r.takeOver(ctx, rec))
			return nil
		})
	}
	_ = group.Wait() // each says for itself what failed
	r.removeUnknown(ctx, known, ours)
}

// removeUnknown removes the files of recordings that were committed, dropped,
// deleted or taken by another node since they were written. A database that was
// lost knows none of them: then they stay.
func (r *Recorder) removeUnknown(ctx context.Context, known, ours map[string]bool) {
	left, err := r.Spool.Left()
	if err != nil {
		r.warn(ctx, "list the spool", err)
		return
	}
	left = slices.DeleteFunc(left, func(id string) bool { return known[id] || ours[id] || r.registry.has(id) })
	if len(left) == 0 {
		return
	}
	if err := r.Agree(ctx); err != nil {
		r.warn(ctx, "remove spooled recordings without a record", err)
		return
	}
	for _, id := range left {
		r.Logger.InfoContext(ctx, "removing a spooled recording without a record", "message", id)
		r.warn(ctx, "remove a spooled recording", r.Spool.Forget(ctx, id, ""))
	}
}

// recoverLost takes over recordings of nodes that have been silent for long.
func (r *Recorder) recoverLost(ctx context.Context) {
	lost, err := r.Records.LostRecordings(ctx, r.cfg.Lost, lostBatch)
	if err != nil {
		r.warn(ctx, "look for lost recordings", err)
		return
	}
	var group errgroup.Group
	group.SetLimit(recoverAtOnce)
	for _, rec := range lost {
		if rec.Node == r.Spool.Node() {
			continue // a speaker's whose lease is late, or recoverLeft's
		}
		group.Go(func() error {
			r.warn(ctx, "take over a lost recording", r.takeOver(ctx, rec))
			return nil
		})
	}
	_ = group.Wait()
}

// takeOver finishes a recording, once it is surely this node's.
func (r *Recorder) takeOver(ctx context.Context, lost storage.LiveRecording) error {
	claimed, err := r.Records.ClaimRecording(ctx, lost.MessageID, lost.Node, r.Spool.Node(), r.cfg.Lease)
	if isVerdict(err) {
		return nil // another node was faster, or it is gone
	}
	if err != nil {
		return fmt.Errorf("claim recording %s: %w", lost.MessageID, err)
	}
	return r.recover(ctx, claimed)
}

// recover finishes a recording that no session feeds, from the file here and
// the pieces in the store. Its transcript is the job's to make. One without any
// sound is dropped.
func (r *Recorder) recover(ctx context.Context, rec storage.LiveRecording) error {
	log := r.Logger.With("message", rec.MessageID)
	log.InfoContext(ctx, "finishing an abandoned recording", "begun", rec.BegunAt, "conversation", rec.ConversationID)
	began := time.Now()
	original, length, err := r.Spool.Recover(ctx, rec.MessageID, rec.OriginalKey)
	if err == nil {
		err = r.commit(ctx, log, storage.FinishedRecording{
			ID: rec.MessageID, Node: r.Spool.Node(), Original: original, DurationMS: length, EndReason: string(reasonLost),
		}, rec.OriginalKey)
	}
	r.metrics.finished(reasonLost, err, time.Since(began))
	if err != nil {
		return fmt.Errorf("finish recording %s: %w", rec.MessageID, err)
	}
	return nil
}

// warn logs what failed in the background; it will be tried again.
func (r *Recorder) warn(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		r.Logger.WarnContext(ctx, "live recording recovery failed, retrying", "step", what, "error", err)
	}
}
