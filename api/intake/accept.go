package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hark/media"
	"hark/storage"
	"hark/transcribe"
)

// Accept takes one clip of size bytes (-1 when that is not known) from body
// and returns the message that it became. created is false when actor sent the
// same clip with the same idempotency key before: then the message is the
// earlier one, and nothing new is kept.
//
// The errors that a sender can do something about are [*media.Refusal],
// [*FieldError], storage.ErrNotFound (no such conversation, or not a member),
// storage.ErrKeyReused, storage.ErrKeySpent, and this package's sentinels. body may be left unread.
func (in *Intake) Accept(ctx context.Context, actor storage.Actor, meta Meta, body io.Reader, size int64) (msg storage.Message, created bool, err error) {
	if err := in.Admit(ctx, actor, &meta); err != nil {
		return storage.Message{}, false, err
	}
	if size > in.limits.MaxBytes {
		return storage.Message{}, false, tooLarge(in.limits.MaxBytes)
	}
	leave, err := in.gate.enter(ctx, actor.UserID)
	if err != nil {
		return storage.Message{}, false, err
	}
	defer leave()

	if meta.IdempotencyKey != "" {
		earlier, hash, err := in.Messages.MessageByKey(ctx, actor, meta.IdempotencyKey)
		switch {
		case err == nil:
			return in.replay(ctx, actor, earlier, hash, meta, body)
		case !errors.Is(err, storage.ErrNotFound):
			return storage.Message{}, false, fmt.Errorf("look for an earlier message: %w", err)
		}
	}
	return in.take(ctx, actor, meta, body, size)
}

// Admit checks all that can be checked before the first byte of sound, and
// brings meta to the form in which it is kept. It is for recordings that come
// in by another way than Accept, which calls it too.
func (in *Intake) Admit(ctx context.Context, actor storage.Actor, meta *Meta) error {
	if err := meta.clean(); err != nil {
		return err
	}
	if _, err := in.Messages.Conversation(ctx, actor, meta.ConversationID); err != nil {
		return fmt.Errorf("look at conversation %s: %w", meta.ConversationID, err)
	}
	return in.checkReply(ctx, actor, *meta)
}

// checkReply makes sure that the message replied to is there to be replied to.
func (in *Intake) checkReply(ctx context.Context, actor storage.Actor, meta Meta) error {
	if meta.ReplyTo == "" {
		return nil
	}
	replied, err := in.Messages.Message(ctx, actor, meta.ReplyTo)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("look at message %s: %w", meta.ReplyTo, err)
	}
	if err != nil || replied.ConversationID != meta.ConversationID {
		return &FieldError{Field: FieldReplyTo, Problem: "there is no such message in this conversation"}
	}
	return nil
}

// take keeps the clip and records it.
func (in *Intake) take(ctx context.Context, actor storage.Actor, meta Meta, body io.Reader, size int64) (storage.Message, bool, error) {
	id := storage.NewID()
	clip, err := in.keep(ctx, storage.NewOriginalKey(actor.WorkspaceID, id), body, size)
	if err != nil {
		return storage.Message{}, false, err
	}
	if err := in.completeMeta(ctx, actor, &meta); err != nil {
		in.remove(ctx, clip.original.Key)
		return storage.Message{}, false, err
	}
	clip.original.Filename = meta.Filename
	return in.record(ctx, actor, clip.message(id, meta))
}

// completeMeta adds to meta what came after the sound.
func (in *Intake) completeMeta(ctx context.Context, actor storage.Actor, meta *Meta) error {
	if meta.Rest == nil {
		return nil
	}
	before := meta.ReplyTo
	if err := meta.Rest(meta); err != nil {
		return err
	}
	if err := meta.clean(); err != nil {
		return err
	}
	if meta.ReplyTo == before {
		return nil
	}
	return in.checkReply(ctx, actor, *meta)
}

// record commits a clip whose bytes are kept. From here on the sender's going
// away changes nothing: a commit that is cut off in the middle helps nobody.
func (in *Intake) record(ctx context.Context, actor storage.Actor, record storage.NewMessage) (storage.Message, bool, error) {
	if err := ctx.Err(); err != nil {
		in.remove(ctx, record.Original.Key)
		return storage.Message{}, false, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	commitCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	msg, job, created, err := in.Messages.Accept(commitCtx, actor, record)
	if err != nil {
		if isVerdict(err) {
			in.remove(ctx, record.Original.Key)
		}
		return storage.Message{}, false, fmt.Errorf("record message %s: %w", record.ID, err)
	}
	if !created {
		in.remove(ctx, record.Original.Key)
		return msg, false, nil
	}
	in.Publish(ctx, msg, job)
	return msg, true, nil
}

// isVerdict tells a transaction that was surely refused from one whose outcome
// is not known.
func isVerdict(err error) bool {
	for _, refused := range []error{
		storage.ErrNotFound, storage.ErrKeyReused, storage.ErrKeySpent, storage.ErrConflict, storage.ErrForbidden, storage.ErrInvalid,
	} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
}

// Publish tells the workers of a job that is recorded. A failure is only logged:
// the sweeper publishes what was kept back.
func (in *Intake) Publish(ctx context.Context, msg storage.Message, job storage.JobRef) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
	defer cancel()
	if err := in.Jobs.PublishJob(ctx, job); err != nil {
		in.Logger.WarnContext(ctx, "job not published; the sweeper will",
			"job", job.ID, "message", msg.ID, "error", err)
	}
}

// remove takes away an object that no message will have. A failure is logged:
// the sweep for orphans finds it.
func (in *Intake) remove(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := in.Objects.Delete(ctx, key); err != nil && !errors.Is(err, storage.ErrNotFound) {
		in.Logger.WarnContext(ctx, "object of no message not removed; the sweep will", "error", err)
	}
}

// kept is a clip whose bytes are in the object store.
type kept struct {
	original storage.Original
	declared time.Duration // 0 when the clip does not say
}

func (k kept) message(id string, meta Meta) storage.NewMessage {
	return storage.NewMessage{
		ID:             id,
		ConversationID: meta.ConversationID,
		Title:          meta.Title,
		ReplyTo:        meta.ReplyTo,
		ReplyAtMS:      meta.ReplyAtMS,
		RecordedAt:     meta.RecordedAt,
		DurationMS:     k.declared.Milliseconds(),
		Original:       k.original,
		Priority:       k.priority(meta),
		IdempotencyKey: meta.IdempotencyKey,
		RequestHash:    requestHash(meta, k.original.SHA256),
	}
}

// assumedBytesPerSec is a low bit rate of speech, at which a clip counts that
// does not say how long it is: guessing it too long costs it a place in the
// queue, no more.
const assumedBytesPerSec = 4000

// priority is the less urgent of what the sender asks for and what the length allows.
func (k kept) priority(meta Meta) transcribe.Priority {
	length := k.declared
	if length == 0 {
		length = time.Duration(k.original.Bytes/assumedBytesPerSec) * time.Second
	}
	return max(meta.Priority, storage.PriorityOf(length))
}

func tooLarge(limit int64) error {
	return media.Refuse(media.TooLarge, nil, "The recording is larger than %s, which is the most that one may be. Send it in parts, or in a format that takes less space.", humanBytes(limit))
}
