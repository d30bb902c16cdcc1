package events

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"hark/storage"
)

// place is a place in a workspace's events: behind the one numbered seq, which
// was the last at a time.
type place struct {
	seq int64
	at  time.Time // to the millisecond; zero for the very beginning
}

// beginning is the id of the place before the first event.
const beginning = "0"

// sealer gives the events that one user hears ids that say nothing. A workspace
// numbers its events in one row, so plain numbers would tell how much goes on in
// conversations that one is not in; and so would ids that are the same as long
// as nothing happens. An id is a place, encrypted and authenticated by AES-GCM
// under a key of the user's own:
//
//   - Of an event, the nonce is made of the place, so that the same event has the
//     same id on all streams of the user, who sees that event anyhow.
//   - Of a place without an event, where a stream begins, the nonce is random: two
//     such ids tell nothing of what happened between.
//
// Both kinds look alike and have one length; another user's open nothing.
type sealer struct {
	aead   cipher.AEAD
	nonces []byte // key of the nonces of events
}

const (
	nonceBytes = 12
	plainBytes = 16
	tagBytes   = 16
)

var idEncoding = base64.RawURLEncoding.Strict()

func newSealer(key []byte, principal storage.Principal) (sealer, error) {
	block, err := aes.NewCipher(derive(key, "event ids", principal))
	if err != nil {
		return sealer{}, fmt.Errorf("prepare event ids: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return sealer{}, fmt.Errorf("prepare event ids: %w", err)
	}
	return sealer{aead: aead, nonces: derive(key, "event id nonces", principal)}, nil
}

// derive makes a user's key for one purpose of the key for all.
func derive(key []byte, purpose string, principal storage.Principal) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("hark " + purpose + "\x00" + principal.WorkspaceID + "\x00" + principal.UserID))
	return h.Sum(nil)
}

// sealEvent returns the id of an event that the user hears.
func (s sealer) sealEvent(e storage.Event) string {
	plain := place{seq: e.Seq, at: e.At}.bytes()
	h := hmac.New(sha256.New, s.nonces)
	h.Write(plain)
	return s.seal(h.Sum(nil)[:nonceBytes], plain)
}

// sealPlace returns an id of a place, another each time.
func (s sealer) sealPlace(p place) string {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // never fails
	return s.seal(nonce, p.bytes())
}

func (s sealer) seal(nonce, plain []byte) string {
	return idEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, nil))
}

// open returns the place of an id. "0" is the place before the first event.
func (s sealer) open(id string) (place, error) {
	if id == beginning {
		return place{}, nil
	}
	if len(id) != idEncoding.EncodedLen(nonceBytes+plainBytes+tagBytes) {
		return place{}, ErrBadID
	}
	sealed, err := idEncoding.DecodeString(id)
	if err != nil {
		return place{}, ErrBadID
	}
	plain, err := s.aead.Open(nil, sealed[:nonceBytes], sealed[nonceBytes:], nil)
	if err != nil {
		return place{}, ErrBadID
	}
	return parsePlace(plain)
}

func (p place) bytes() []byte {
	var ms int64
	if !p.at.IsZero() {
		ms = p.at.UnixMilli()
	}
	plain := binary.BigEndian.AppendUint64(make([]byte, 0, plainBytes), uint64(p.seq))
	return binary.BigEndian.AppendUint64(plain, uint64(ms))
}

func parsePlace(plain []byte) (place, error) {
	p := place{seq: int64(binary.BigEndian.Uint64(plain))}
	if ms := int64(binary.BigEndian.Uint64(plain[8:])); ms != 0 {
		p.at = time.UnixMilli(ms).UTC()
	}
	if p.seq < 0 {
		return place{}, ErrBadID
	}
	return p, nil
}
