package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Draft is what a sender says of a message, beside its sound. Every way in
// carries one: an upload, a live recording, an import.
type Draft struct {
	Title      string
	ReplyTo    string    // message id; empty means no reply
	ReplyAtMS  int64     // the place in the message replied to; meaningful when ReplyTo is set
	RecordedAt time.Time // zero, and whatever lies ahead of now, means now
	Unsent     bool      // only its author may know of the message until it is sent
}

// Clean brings a draft to the form in which it is kept. A value that cannot be
// kept is an [InvalidError]. It may be called again after more was set.
func (d *Draft) Clean() (err error) {
	if d.Title, err = CleanTitle(d.Title); err != nil {
		return err
	}
	if err := d.cleanReply(); err != nil {
		return err
	}
	if d.RecordedAt.IsZero() {
		return nil
	}
	d.RecordedAt = d.RecordedAt.UTC().Truncate(time.Millisecond)
	if d.RecordedAt.Unix() < 0 {
		return &InvalidError{Field: "recorded_at", Problem: "must not lie before 1970"}
	}
	return nil
}

func (d *Draft) cleanReply() error {
	if d.ReplyTo == "" {
		d.ReplyAtMS = 0
		return nil
	}
	id, err := uuid.Parse(d.ReplyTo)
	if err != nil {
		return &InvalidError{Field: "reply_to", Problem: "must be the id of a message"}
	}
	d.ReplyTo = id.String()
	if d.ReplyAtMS < 0 || d.ReplyAtMS > MaxReplyAtMS {
		return &InvalidError{Field: "reply_at_ms", Problem: "must be a place in the message, in milliseconds"}
	}
	return nil
}

// RequestHash covers all that must be equal for a request to be the same again
// (see [NewMessage.IdempotencyKey]): the draft as the sender gave it, where it
// goes, and the sound. It returns hex.
func (d Draft) RequestHash(conversationID, soundSHA256 string) string {
	recordedAt := ""
	if !d.RecordedAt.IsZero() {
		recordedAt = strconv.FormatInt(d.RecordedAt.UnixMilli(), 10)
	}
	parts := []string{"hark message 1", conversationID, d.Title, d.ReplyTo, strconv.FormatInt(d.ReplyAtMS, 10), recordedAt, soundSHA256}
	if d.Unsent { // messages hash as they did before there were drafts
		parts = append(parts, "draft")
	}
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s,", len(part), part) // a length before each part: no two lists hash alike
	}
	return hex.EncodeToString(h.Sum(nil))
}
