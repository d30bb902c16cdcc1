// Package cursor seals places in lists, so that a page can tell where the next
// one begins and nothing else.
package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"hark/storage"
)

// Seal makes cursors: places in lists as JSON, sealed with AES-GCM under a key
// of the instance, in base64url. They hold numbers that would tell how much
// there is of what one may not see, and what is not ours or was made by another
// list does not open. It is safe for concurrent use.
type Seal struct {
	aead cipher.AEAD
}

const (
	version   = 1
	maxLength = 1024 // characters
)

// New takes a key of 32 bytes.
func New(key []byte) (*Seal, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("read cursor key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("read cursor key: %w", err)
	}
	return &Seal{aead}, nil
}

// Close seals place for one list, which is named by all that must be the same
// when the cursor comes back.
func (c *Seal) Close(list string, place any) (string, error) {
	plain, err := json.Marshal(place)
	if err != nil {
		return "", fmt.Errorf("make cursor: %w", err)
	}
	nonce := make([]byte, c.aead.NonceSize(), c.aead.NonceSize()+len(plain)+c.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	sealed := c.aead.Seal(nonce, nonce, plain, []byte(list))
	return base64.RawURLEncoding.EncodeToString(append([]byte{version}, sealed...)), nil
}

// Open reads a cursor of the list into place, or fails with storage.ErrBadCursor.
func (c *Seal) Open(list, cursor string, place any) error {
	if len(cursor) > maxLength {
		return storage.ErrBadCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < 1+c.aead.NonceSize() || b[0] != version {
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
