package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hark/media"
	"hark/media/admission"
	"hark/storage"
)

// Accept takes one clip of size bytes (-1 when that is not known) from body
// and returns the message that it became. created is false when principal sent the
// same clip with the same idempotency key before: then the message is the
// earlier one, and nothing new is kept.
//
// The errors that a sender can do something about are [*media.Refusal],
// [*FieldError], storage.ErrNotFound (no such conversation, or not a member),
// storage.ErrKeyReused, storage.ErrKeySpent, and this package's sentinels. body may be left unread.
func (in *Intake) Accept(ctx context.Context, principal storage.Principal, meta Meta, body io.Reader, size int64) (msg storage.Message, created bool, err error) {
	if err := in.checkSender(ctx, principal, &meta); err != nil {
		return storage.Message{}, false, err
	}
	if size > in.limits.MaxBytes {
		return storage.Message{}, false, tooLarge(in.limits.MaxBytes)
	}
	leave, err := in.enter(ctx, principal.UserID)
	if err != nil {
		return storage.Message{}, false, err
	}
	defer leave()

	if meta.IdempotencyKey != "" {
		earlier, hash, err := in.Records.MessageByKey(ctx, principal, meta.IdempotencyKey)
		switch {
		case err == nil:
			return replay(earlier, hash, meta, body)
		case !errors.Is(err, storage.ErrNotFound):
			return storage.Message{}, false, fmt.Errorf("look for an earlier message: %w", err)
		}
	}
	room, err := in.checkNew(ctx, principal, meta)
	if err != nil {
		return storage.Message{}, false, err
	}
	if size > room.bytes {
		return storage.Message{}, false, room.full
	}
	return in.take(ctx, principal, meta, body, size, room)
}

// enter waits for a place for a user's clip, which leave gives back. Most are
// let in within the second, and a script that sends a folder at once has not
// asked for too much.
func (in *Intake) enter(ctx context.Context, userID string) (leave func(), err error) {
	leave, err = in.gate.Enter(ctx, userID, 0)
	switch {
	case errors.Is(err, admission.ErrKeyFull):
		return nil, ErrTooManyUploads
	case errors.Is(err, admission.ErrFull):
		return nil, ErrSaturated
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return leave, nil
}

// Admit checks all that can be checked before the first byte of sound, and
// brings meta to the form in which it is kept. It is for recordings that come
// in by another way than Accept, which makes the same checks.
func (in *Intake) Admit(ctx context.Context, principal storage.Principal, meta *Meta) error {
	if err := in.checkSender(ctx, principal, meta); err != nil {
		return err
	}
	_, err := in.checkNew(ctx, principal, *meta)
	return err
}

// checkSender checks what holds for every recording, one that is sent again too.
func (in *Intake) checkSender(ctx context.Context, principal storage.Principal, meta *Meta) error {
	if err := meta.clean(); err != nil {
		return err
	}
	if _, err := in.Records.Conversation(ctx, principal, meta.ConversationID); err != nil {
		return fmt.Errorf("look at conversation %s: %w", meta.ConversationID, err)
	}
	return nil
}

// checkNew checks what a recording needs to become another message. One that was
// kept before needs none of it: its sender, who did not hear so, is to hear it
// also where it was the one that used a quota up.
func (in *Intake) checkNew(ctx context.Context, principal storage.Principal, meta Meta) (room, error) {
	found, err := in.findRoom(ctx, principal)
	if err != nil {
		return room{}, err
	}
	return found, in.checkReply(ctx, principal, meta)
}

// checkReply makes sure that the message replied to is there to be replied to.
func (in *Intake) checkReply(ctx context.Context, principal storage.Principal, meta Meta) error {
	if meta.ReplyTo == "" {
		return nil
	}
	replied, err := in.Records.Message(ctx, principal, meta.ReplyTo)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("look at message %s: %w", meta.ReplyTo, err)
	}
	if err != nil || replied.ConversationID != meta.ConversationID || replied.Unsent {
		return &FieldError{Field: FieldReplyTo, Problem: "there is no such message in this conversation"}
	}
	return nil
}

// take keeps the clip and records it.
func (in *Intake) take(ctx context.Context, principal storage.Principal, meta Meta, body io.Reader, size int64, room room) (storage.Message, bool, error) {
	id := storage.NewID()
	clip, err := in.keep(ctx, storage.NewOriginalKey(principal.WorkspaceID, id), body, size, room)
	if err != nil {
		return storage.Message{}, false, err
	}
	before := meta.ReplyTo
	if err = meta.complete(); err == nil && meta.ReplyTo != before {
		err = in.checkReply(ctx, principal, meta)
	}
	if err != nil {
		in.remove(ctx, clip.original.Key)
		return storage.Message{}, false, err
	}
	clip.original.Filename = meta.Filename
	return in.record(ctx, principal, clip.message(id, meta))
}

// record commits a clip whose bytes are kept. From here on the sender's going
// away changes nothing: a commit that is cut off in the middle helps nobody.
func (in *Intake) record(ctx context.Context, principal storage.Principal, record storage.NewMessage) (storage.Message, bool, error) {
	if err := ctx.Err(); err != nil {
		in.remove(ctx, record.Original.Key)
		return storage.Message{}, false, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	commitCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	msg, created, err := in.Records.Accept(commitCtx, principal, record)
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
	return msg, true, nil
}

// isVerdict tells a transaction that was surely refused from one whose outcome
// is not known.
func isVerdict(err error) bool {
	for _, refused := range []error{
		storage.ErrNotFound, storage.ErrKeyReused, storage.ErrKeySpent, storage.ErrConflict, storage.ErrForbidden, storage.ErrInvalid, storage.ErrSignedOut,
	} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
}

// remove takes away an object that no message will have. A failure is logged:
// the sweep for orphans finds it.
func (in *Intake) remove(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	if err := in.Objects.Delete(ctx, key); err != nil && !errors.Is(err, storage.ErrNotFound) {
		in.Logger.WarnContext(ctx, "orphan delete failed; maintenance will retry", "error", err)
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
		Draft:          meta.Draft,
		DurationMS:     k.declared.Milliseconds(),
		Original:       k.original,
		Priority:       k.priority(meta),
		IdempotencyKey: meta.IdempotencyKey,
		RequestHash:    meta.RequestHash(meta.ConversationID, k.original.SHA256),
	}
}

// assumedBytesPerSec is a low bit rate of speech, at which a clip counts that
// does not say how long it is: guessing it too long costs it a place in the
// queue, no more.
const assumedBytesPerSec = 4000

// priority is the less urgent of what the sender asks for and what the length allows.
func (k kept) priority(meta Meta) storage.Priority {
	length := k.declared
	if length == 0 {
		length = time.Duration(k.original.Bytes/assumedBytesPerSec) * time.Second
	}
	return max(meta.Priority, storage.PriorityOf(length))
}

func tooLarge(limit int64) error {
	return media.Refuse(media.TooLarge, nil, "The recording is larger than %s, which is the most that one may be. Send it in parts, or in a format that takes less space.", media.FormatBytes(limit))
}
