package recorder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"hark/media/whip"
	"hark/storage"
	"hark/transcribe/live"
)

// Start is what somebody who begins to speak says about it. The draft is clean
// already (intake.Admit).
type Start struct {
	ConversationID string
	storage.Draft
	Captions storage.CaptionAudience
	Offer    string // SDP
}

// beginTimeout bounds what a Begin asks of records and spool.
const beginTimeout = 15 * time.Second

// Begin answers an offer: the message is recorded, in state recording, and
// what the session brings goes into it.
//
// The errors that a caller can do something about are [*whip.OfferError],
// storage.ErrNotFound (no such conversation, not in it, or no such message to
// reply to), and this package's sentinels. On error nothing is left behind.
func (r *Recorder) Begin(ctx context.Context, principal storage.Principal, start Start) (_ *Recording, err error) {
	if r.open == nil {
		return nil, ErrOff
	}
	id := storage.NewID()
	rec := &Recording{
		recorder: r, id: id, key: storage.NewOriginalKey(principal.WorkspaceID, id), principal: principal,
		conversationID: start.ConversationID, captions: start.Captions, begun: time.Now(),
		over: make(chan struct{}), log: r.Logger.With("message", id),
	}
	if err := r.registry.enter(rec); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, beginTimeout)
	defer cancel()
	session, err := r.open(ctx, start.Offer, rec)
	if err != nil {
		r.registry.leave(rec)
		r.registry.forget(rec)
		if errors.Is(err, whip.ErrClosed) {
			err = fmt.Errorf("%w: %w", ErrClosing, err)
		}
		return nil, fmt.Errorf("open session: %w", err)
	}
	r.registry.attach(rec, session)
	defer func() {
		if err != nil {
			r.abandon(ctx, rec)
		}
	}()
	if err := r.record(ctx, rec, start); err != nil {
		return nil, err
	}
	rec.listener = r.listenTo(rec)
	captions := rec.listener != nil
	rec.say(notice{Type: "hello", MessageID: rec.id, Captions: &captions})
	if err := r.registry.open(rec); err != nil {
		return nil, err
	}
	rec.live.Store(true)
	r.tellOngoing(ctx, rec)
	go r.finishWhenOver(rec)
	rec.log.InfoContext(ctx, "live recording began", "conversation", rec.conversationID, "user", principal.UserID, "captions", string(rec.captions))
	return rec, nil
}

// record makes the message and its track.
func (r *Recorder) record(ctx context.Context, rec *Recording, start Start) error {
	message, err := r.Records.BeginRecording(ctx, rec.principal, storage.NewRecording{
		ID: rec.id, ConversationID: start.ConversationID, Draft: start.Draft,
		OriginalKey: rec.key, Node: r.Spool.Node(), Lease: r.cfg.Lease, Captions: start.Captions,
	})
	if err != nil {
		return fmt.Errorf("record start of recording: %w", err)
	}
	rec.recorded, rec.sentAt = true, message.CreatedAt.UnixMilli()
	if rec.track, err = r.Spool.Create(ctx, rec.id, rec.key, channels(rec.session.Answer())); err != nil {
		return fmt.Errorf("open track: %w", err)
	}
	return nil
}

// listenTo opens the live transcript. Recording goes on without one.
func (r *Recorder) listenTo(rec *Recording) listener {
	if r.listen == nil || rec.captions == storage.CaptionsOff {
		return nil
	}
	l, err := r.listen(live.Options{Language: r.cfg.Language, Captions: rec.caption})
	if err != nil {
		rec.log.Info("captions unavailable for live recording", "error", err)
		return nil
	}
	return l
}

// abandon undoes a Begin that came to nothing. What it cannot undo now is
// found later: a record without a sound, a file without a record.
func (r *Recorder) abandon(ctx context.Context, rec *Recording) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), beginTimeout)
	defer cancel()
	rec.session.Close(whip.Failed) // has rec leave the registry
	if rec.listener != nil {
		rec.listener.Cancel()
	}
	var errs []error
	if rec.recorded {
		errs = append(errs, r.Records.DropRecording(ctx, rec.id, r.Spool.Node()))
	}
	if rec.track != nil {
		errs = append(errs, r.Spool.Discard(ctx, rec.id, rec.key))
	}
	if err := errors.Join(errs...); err != nil {
		rec.log.WarnContext(ctx, "removing a recording that failed to start failed", "error", err)
	}
	r.registry.forget(rec)
}

// channels is how many channels an answer asks to be sent (RFC 7587, section
// 7.1: without stereo=1, one).
func channels(answer string) int {
	for line := range strings.Lines(answer) {
		if !strings.HasPrefix(line, "a=fmtp:") {
			continue
		}
		_, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		for param := range strings.SplitSeq(params, ";") {
			if strings.TrimSpace(param) == "stereo=1" {
				return 2
			}
		}
	}
	return 1
}
