package sqldb

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"hark/storage"
)

// A cursor is a place in a list: JSON sealed with AES-GCM under a key of the
// instance, in base64url. It holds numbers that would tell how much there is
// of what one may not see, and what is not ours or was made by another list
// does not open.
type cursorSeal struct {
	aead cipher.AEAD
}

const (
	cursorVersion = 1
	maxCursor     = 1024 // characters
)

func newCursorSeal(key []byte) (*cursorSeal, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("read cursor key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("read cursor key: %w", err)
	}
	return &cursorSeal{aead}, nil
}

// close seals place for one list, which is named by all that must be the same
// when the cursor comes back.
func (c *cursorSeal) close(list string, place any) (string, error) {
	plain, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("make cursor: %w", err)
	}
	nonce := make([]byte, c.aead.NonceSize(), c.aead.NonceSize()+len(plain)+c.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	sealed := c.aead.Seal(nonce, nonce, plain, []byte(list))
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorVersion}, sealed...)), nil
}

// open reads a cursor of the list into place, or fails with storage.ErrBadCursor.
func (c *cursorSeal) open(list, cursor string, place any) error {
	if len(cursor) > maxCursor {
		return storage.ErrBadCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < 1+c.aead.NonceSize() || b[0] != cursorVersion {
		return storage.ErrBadCursor
	}
	nonce, sealed := b[1:1+c.aead.NonceSize()], b[1+c.aead.NonceSize():]
	plain, err := c.aead.Open(nil, nonce, sealed, []byte(list))
	if err != nil {
		return storage.ErrBadCursor
	}
	if err := json.Unmarshal(plain, place); err != nil {
		return storage.ErrBadCursor
	}
	return nil
}

// cursors returns the seal of this instance, reading its key the first time.
func (db *DB) cursors(ctx context.Context) (*cursorSeal, error) {
	db.sealMu.Lock()
	defer db.sealMu.Unlock()
	if db.seal != nil {
		return db.seal, nil
	}
	key, err := db.secret(ctx, cursorKey)
	if err != nil {
		return nil, err
	}
	db.seal, err = newCursorSeal(key)
	return db.seal, err
}

// pageLimit is how many items a page has at the most.
func pageLimit(p storage.Page, standard, most int) int {
	if p.Limit <= 0 {
		return standard
	}
	return min(p.Limit, most)
}
