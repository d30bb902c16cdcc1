package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"hark/media"
	"hark/storage"
)

// replay answers a request whose idempotency key was used before. The body is
// hashed and not stored; reading stops as soon as it is longer than the
// earlier one.
func (in *Intake) replay(ctx context.Context, actor storage.Actor, earlier storage.Message, hash string, meta Meta, body io.Reader) (storage.Message, bool, error) {
	src := &source{r: body, left: earlier.Original.Bytes, limit: earlier.Original.Bytes}
	sum := sha256.New()
	if _, err := io.Copy(sum, src); err != nil {
		if refusal, ok := media.AsRefusal(err); ok && refusal.Kind == media.TooLarge {
			err = fmt.Errorf("body is longer than the earlier one: %w", &storage.KeyReusedError{MessageID: earlier.ID})
		}
		return storage.Message{}, false, err
	}
	if err := in.completeMeta(ctx, actor, &meta); err != nil {
		return storage.Message{}, false, err
	}
	if requestHash(meta, hex.EncodeToString(sum.Sum(nil))) != hash {
		return storage.Message{}, false, fmt.Errorf("replay message: %w", &storage.KeyReusedError{MessageID: earlier.ID})
	}
	return earlier, false, nil
}

// requestHash covers all that must be equal for a request to be the same
// again. The file name is left out: it is a hint that clients make up.
func requestHash(meta Meta, bodySHA256 string) string {
	recordedAt := ""
	if !meta.RecordedAt.IsZero() {
		recordedAt = strconv.FormatInt(meta.RecordedAt.UnixMilli(), 10)
	}
	h := sha256.New()
	for _, part := range []string{
		"hark message 1", meta.ConversationID, meta.Title, meta.ReplyTo,
		strconv.FormatInt(meta.ReplyAtMS, 10), recordedAt, bodySHA256,
	} {
		fmt.Fprintf(h, "%d:%s,", len(part), part) // a length before each part: no two lists hash alike
	}
	return hex.EncodeToString(h.Sum(nil))
}
