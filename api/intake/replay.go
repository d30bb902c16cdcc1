package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"hark/storage"
)

// replay answers a request whose idempotency key was used before. The body is
// hashed and not stored; reading stops as soon as it is longer than the
// earlier one. The file name may differ: it is a hint that clients make up.
func replay(earlier storage.Message, hash string, meta Meta, body io.Reader) (storage.Message, bool, error) {
	src := &source{r: body, left: earlier.Original.Bytes, full: fmt.Errorf("body is longer than the earlier one: %w", &storage.KeyReusedError{MessageID: earlier.ID})}
	sum := sha256.New()
	if _, err := io.Copy(sum, src); err != nil {
		return storage.Message{}, false, err
	}
	if err := meta.complete(); err != nil {
		return storage.Message{}, false, err
	}
	if meta.RequestHash(meta.ConversationID, hex.EncodeToString(sum.Sum(nil))) != hash {
		return storage.Message{}, false, fmt.Errorf("replay message: %w", &storage.KeyReusedError{MessageID: earlier.ID})
	}
	return earlier, false, nil
}
