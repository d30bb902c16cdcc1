// Package password says which passwords may be set, and keeps them as argon2id
// hashes in the PHC string format.
//
// A password is what somebody typed in Unicode's form NFKC, so that it is the same
// from every keyboard. It has [MinLength] to [MaxLength] characters, of any kind, and
// is none of those that many people have ([Check]).
//
// A hash takes 19 MiB and some tens of milliseconds (argon2id with m=19456, t=2, p=1,
// as OWASP's Password Storage Cheat Sheet has it). A [Hasher] makes so many at once and
// has the others wait, so that a burst of sign-ins takes no more memory than that; who
// would wait too long gets [ErrBusy]. Parameters stand in each hash: those kept under
// older ones go on to be verified.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	memory   = 19 << 10 // KiB
	passes   = 2
	threads  = 1
	saltSize = 16 // bytes
	sumSize  = 32 // bytes

	// maxMemory is the most that a kept hash may ask for, in KiB.
	maxMemory = 256 << 10
)

const (
	atOnce  = 4               // hashes that are computed at once
	waiting = 64              // that wait for that
	maxWait = 5 * time.Second // of one that waits
)

// ErrBusy is the error of too many passwords at once.
var ErrBusy = errors.New("too many passwords are being checked")

// errForeign is the error of a hash that is none of ours.
var errForeign = errors.New("not an argon2id hash")

// Hasher hashes and verifies passwords. It is safe for concurrent use.
type Hasher struct {
	places chan struct{}
	queue  chan struct{}
	dummy  string
}

// NewHasher makes a [Hasher].
func NewHasher() *Hasher {
	return &Hasher{
		places: make(chan struct{}, atOnce), queue: make(chan struct{}, atOnce+waiting),
		dummy: hash("", make([]byte, saltSize)), // of no password that may be set
	}
}

// Hash returns the PHC string of a password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	return hash(Normal(password), salt), nil
}

// Verify reports whether a password is that of a PHC string. An empty string, for
// who has no password or is not known, is no password's, and takes as long.
func (h *Hasher) Verify(ctx context.Context, password, phc string) (bool, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	p, salt, sum, err := parse(phc)
	if err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	got := argon2.IDKey([]byte(Normal(password)), salt, p.passes, p.memory, p.threads, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1 && known, nil
}

// acquire takes one of the places, until release is called.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	patience := time.NewTimer(maxWait)
	defer patience.Stop()
	select {
	case h.places <- struct{}{}:
		return func() { <-h.places; <-h.queue }, nil
	case <-patience.C:
		err = ErrBusy
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	<-h.queue
	return nil, err
}

// Normal is the form in which a password is compared and hashed.
func Normal(password string) string { return norm.NFKC.String(password) }

var base = base64.RawStdEncoding

func hash(password string, salt []byte) string {
	sum := argon2.IDKey([]byte(password), salt, passes, memory, threads, sumSize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, threads, base.EncodeToString(salt), base.EncodeToString(sum))
}

// params are what a hash was made with.
type params struct {
	memory, passes uint32
	threads        uint8
}

// parse reads a PHC string. It refuses what would take more than a hash of ours may.
func parse(phc string) (p params, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errForeign
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil {
		return p, nil, nil, errForeign
	}
	salt, saltErr := base.DecodeString(parts[4])
	sum, sumErr := base.DecodeString(parts[5])
	if errors.Join(saltErr, sumErr) != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 ||
		p.passes < 1 || p.passes > 16 || p.threads < 1 || p.memory < 8 || p.memory > maxMemory {
		return p, nil, nil, errForeign
	}
	return p, salt, sum, nil
}
