package storage

import "time"

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
