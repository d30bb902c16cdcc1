package storage

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Account is a person across workspaces, who signs in by their e-mail address. In
// each workspace they are a user of their own. Users whom an admin made have none
// until they set an address.
type Account struct {
	ID    string
	Email string // as they wrote it

	// PasswordHash is a PHC string; empty for none. It leaves the server in no answer.
	PasswordHash string
	CreatedAt    time.Time

	// UserID is the user who signs in by it: of the account's who are not disabled the one
	// who was signed in last, or else the first; empty for none.
	UserID string
	// Ways is how many ways the user has to sign in on their own, and to prove who they
	// are: a password, each passkey, each linked identity. Links are none, mailed or handed
	// on, and neither are recovery codes: each works once. Passkeys and RecoveryCodes are
	// how many the person has, in whichever of their workspaces they were made; an identity
	// is a way into the workspace that it was linked in. All are only known of who asks.
	Ways, Passkeys, RecoveryCodes int

	// Waiting is the address that waits to be confirmed; without an address where none
	// does. It is only known of who asks.
	Waiting EmailChange

	// KnownDevice says whether they signed in before from the browser that asks.
	KnownDevice bool
	// ProvedUntil is how long the credential that asked needs no further proof of who
	// it is; zero where it does.
	ProvedUntil time.Time
}

// MaxEmail is how long an e-mail address may be, in bytes (RFC 5321, section 4.5.3.1.3).
const MaxEmail = 254

// EmailKey is the form of an e-mail address by which accounts are told apart: two
// that differ in case alone are one.
func EmailKey(email string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(email)))
}

// CheckEmail checks an e-mail address as far as it matters for keeping it; whoever
// sends mail checks the rest.
func CheckEmail(email string) error {
	local, domain, _ := strings.Cut(email, "@")
	if local == "" || domain == "" || len(email) > MaxEmail || len(EmailKey(email)) > 2*MaxEmail || !utf8.ValidString(email) || email != Printable(email) {
		return &InvalidError{Field: "email", Problem: "must be an e-mail address, such as ada@example.org"}
	}
	return nil
}

// ErrOnlyBrowsers is the error of who may not change how they sign in with what they
// came with ([MayChangeAccount]).
var ErrOnlyBrowsers = &ForbiddenError{Reason: "Only a signed-in browser can change how you sign in. A token cannot."}

// EmailChange is an address that waits to be confirmed by who reads its mail.
type EmailChange struct {
	UserID    string // by whom it was asked for
	UserName  string
	Workspace string // its name
	AccountID string // of the user; empty for none
	Email     string
	ExpiresAt time.Time
}

// EmailChangeLife is how long an address can be confirmed.
const EmailChangeLife = time.Hour

// Addressee is to whom a mail goes: at which address, and in which language, as they chose
// it; empty where they chose none.
type Addressee struct{ Email, Language string }

// Notice makes the job that mails something to somebody.
type Notice func(to Addressee) (NewJob, error)

// EmailMails makes the jobs that mail of an address which is to be confirmed.
type EmailMails struct {
	Confirm func(to Addressee, secret string) (NewJob, error) // to who reads the new address
	Taken   Notice                                            // to who signs in by it already
}

// AccountChange is what is to be changed of an account; nil leaves what is there.
type AccountChange struct {
	Email        *string
	PasswordHash *string // a PHC string

	// Confirm has an address that is another than before wait until it is confirmed; nil
	// sets it at once. A password of who has no account yet waits with it.
	Confirm *EmailMails
}

// ProofLife is how long what dangerous calls ask for, a proof of who one
// is or a sign-in, is good for.
const ProofLife = 10 * time.Minute

// SignInMethod is a way in, as the audit log names it.
type SignInMethod string

// The ways in.
const (
	ByLink     SignInMethod = "link"       // a one-time link that was handed on
	ByMail     SignInMethod = "mail"       // a one-time link that was mailed
	ByPassword SignInMethod = "password"   // e-mail and password
	ByInvite   SignInMethod = "invitation" // as they joined by one
	ByPasskey  SignInMethod = "passkey"
	ByRecovery SignInMethod = "recovery_code"
	ByProvider SignInMethod = "provider" // an OpenID provider vouched for them
	ByAdmin    SignInMethod = "admin"    // a one-time link that an owner or an admin made for them
)

// OfPerson says whether the way in is the person's own, or one that who runs the server
// gave them, and so one into each of their workspaces. An invitation is whoever's has it,
// and a provider and an admin vouch for the people of one workspace: neither must get into
// another workspace as one of them.
func (m SignInMethod) OfPerson() bool {
	return m == ByLink || m == ByMail || m == ByPassword || m == ByPasskey || m == ByRecovery
}

// ErrOwnProof is an ErrStepUp: a proof by a provider does not do, since what is asked for
// concerns other workspaces too.
var ErrOwnProof = fmt.Errorf("%w: it has to be by a password or a passkey", ErrStepUp)

// ErrOnlyBrowsersSwitch is the error of who may not switch to another workspace with what
// they came with ([MaySwitch]).
var ErrOnlyBrowsersSwitch = &ForbiddenError{Reason: "Only a signed-in browser can switch to another workspace. A token is good for one."}

// JoinedWorkspace is a workspace that a person is in, and who they are there.
type JoinedWorkspace struct {
	Workspace Workspace // its id and name
	UserID    string
	Role      Role
	Disabled  bool // was deactivated there
}

// NewOwner is who is to own a new workspace. With neither an address nor a user they are
// a new user without an account.
type NewOwner struct {
	Name   string // empty means that of the account's user of before or, where there is none, that nobody has chosen one
	Email  string // address of the account that they have, or are to have; empty for none
	UserID string // of whose account is meant; empty for that of the address
}

// SignIn is what somebody brings who signs in: a one-time code, a password or a passkey
// that was checked, a recovery code, or what a provider vouches for.
type SignIn struct {
	Code         string // of a one-time link; empty for the other ways
	RecoveryCode string // as [ReadRecoveryCode] returns it; empty for the other ways

	UserID       string      // whose password or passkey it is
	PasswordHash string      // of the account, which the password was checked against
	Passkey      *PasskeyUse // nil for the other ways

	Vouched *Vouched // nil for the other ways

	// Wanted is the id of the conversation or the message to open then: of the users of an
	// account the one signs in who sees it. Empty for none.
	Wanted string

	Name   string        // of the session, such as "Firefox on Linux"; empty means the code's
	Life   time.Duration // of the session
	Device string        // secret that marks the browser; empty for none. Its SHA-256 is kept

	// Notice makes the job that tells the person, at their address, of a sign-in from a
	// browser not seen before, or by a recovery code; nil where nobody can be told.
	Notice func(to Addressee, session Token) (NewJob, error)
}
