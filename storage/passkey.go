package storage

import (
	"strings"
	"time"
)

// MaxPasskeys is how many passkeys one person may have.
const MaxPasskeys = 20

// Passkey is a key of which a person's device or password manager has the private
// half, and by which they sign in (a WebAuthn credential). It is a user's, and not
// their account's: who has no address can have one too. While its user is disabled it
// signs nobody in.
type Passkey struct {
	ID         string
	UserID     string
	Name       string
	CreatedAt  time.Time
	LastUsedAt time.Time // zero means never

	CredentialID   []byte // chosen by the authenticator; no two passkeys have one
	PublicKey      []byte // in COSE (RFC 9052)
	SignCount      uint32 // of signatures made, as the authenticator says; 0 where it does not count
	BackupEligible bool   // can be copied to other devices; never changes
	BackedUp       bool   // is copied
	Transports     []string
}

// Challenge is what a passkey signed; each is good for one signature.
type Challenge struct {
	Value   string
	Expires time.Time
}

// PasskeyUse is that a passkey signed a challenge, which was checked.
type PasskeyUse struct {
	PasskeyID string
	SignCount uint32 // as it is now; it has to be above the one before, unless both are 0
	BackedUp  bool
	Challenge Challenge
}

// RecoveryCodes is how many recovery codes are made at once.
const RecoveryCodes = 10

// RecoveryCodeLength is how many characters a recovery code has, beside dashes. Each
// is one of 32: 100 random bits, which nobody guesses, here or with the hashes at hand.
const RecoveryCodeLength = 20

// RecoveryAlphabet has the characters of recovery codes: Crockford's base32, in small
// letters. None looks like another.
const RecoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var recoveryReader = strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1")

// ReadRecoveryCode takes a recovery code as somebody wrote it: in any case, with or
// without dashes and spaces, and with o for 0, or i or l for 1. It reports false for
// what cannot be one.
func ReadRecoveryCode(written string) (code string, ok bool) {
	code = recoveryReader.Replace(strings.ToLower(strings.TrimSpace(written)))
	return code, len(code) == RecoveryCodeLength && strings.Trim(code, RecoveryAlphabet) == ""
}

// PrintRecoveryCode writes a recovery code as it is shown: in groups of five.
func PrintRecoveryCode(code string) string {
	var groups []string
	for from := 0; from < len(code); from += 5 {
		groups = append(groups, code[from:min(from+5, len(code))])
	}
	return strings.Join(groups, "-")
}
