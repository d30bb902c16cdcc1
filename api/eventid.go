package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// eventIDs gives events ids that say nothing. A workspace numbers its events
// in one row, so plain numbers would tell how much goes on in conversations
// that one is not in. An id is the number and a mark of the workspace, together
// one AES block: the same on every node, in order for nobody but us, and not
// to be made up.
type eventIDs struct{ block cipher.Block }

func newEventIDs(key []byte) (eventIDs, error) {
	block, err := aes.NewCipher(derive(key, "event ids"))
	if err != nil {
		return eventIDs{}, fmt.Errorf("prepare event ids: %w", err)
	}
	return eventIDs{block: block}, nil
}

// derive makes a key for one purpose of the key for all.
func derive(key []byte, purpose string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("hark " + purpose))
	return h.Sum(nil)
}

func (e eventIDs) seal(workspaceID string, seq int64) string {
	var plain, sealed [aes.BlockSize]byte
	binary.BigEndian.PutUint64(plain[:8], uint64(seq))
	copy(plain[8:], workspaceMark(workspaceID))
	e.block.Encrypt(sealed[:], plain[:])
	return base64.RawURLEncoding.EncodeToString(sealed[:])
}

var errNotEventID = errors.New("not an event id of this workspace")

// open returns the number in an id. "0" is the place before the first event.
func (e eventIDs) open(workspaceID, id string) (int64, error) {
	if id == "0" {
		return 0, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(sealed) != aes.BlockSize {
		return 0, errNotEventID
	}
	var plain [aes.BlockSize]byte
	e.block.Decrypt(plain[:], sealed)
	seq := int64(binary.BigEndian.Uint64(plain[:8]))
	if subtle.ConstantTimeCompare(plain[8:], workspaceMark(workspaceID)) != 1 || seq < 0 {
		return 0, errNotEventID
	}
	return seq, nil
}

func workspaceMark(workspaceID string) []byte {
	sum := sha256.Sum256([]byte(workspaceID))
	return sum[:8]
}
