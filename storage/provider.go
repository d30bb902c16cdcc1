package storage

import (
	"errors"
	"fmt"
	"time"
)

// Identity is somebody as an OpenID provider knows them, linked to a user. What it is
// known by is the issuer with the subject, and never an address: addresses change hands.
type Identity struct {
	ID         string
	Issuer     string
	Subject    string
	Email      string // that the provider named last, to be shown; empty for none
	LinkedAt   time.Time
	LastUsedAt time.Time // zero means never
}

// Vouched is who somebody is as a provider says, all of it checked, and what the
// configuration makes of it.
type Vouched struct {
	Provider    string // its id in the configuration
	WorkspaceID string // that it leads to

	Issuer, Subject string
	Email           string // empty for none
	EmailVerified   bool
	Name            string // to be called by, of who is new
	ExternalID      string // by which they were provisioned, if they were; empty for none
	IDToken         string // by which the session there can be ended

	// ProvedAt is when they last proved to the provider who they are; zero where it
	// does not tell, and signing in now has to do.
	ProvedAt time.Time

	Roles      RoleRule
	MayJoin    bool   // become a user without having been invited
	Invitation string // code of the link that they came by; empty for none
}

// RoleRule is what the groups that somebody is in at a provider make of their role.
type RoleRule struct {
	Granted   []Role // by the groups that they are in
	Managed   []Role // that any group would grant
	Otherwise Role   // of who has a managed role and no such group any more, and of who joins
}

// ProviderSession is a session of the provider's, under which one of ours began.
type ProviderSession struct {
	Provider string // its id in the configuration
	IDToken  string
}

// Why somebody whom a provider vouches for is not signed in, or not linked.
var (
	ErrNoUser      = errors.New("no user is linked to this identity")
	ErrEmailInUse  = errors.New("somebody else signs in by this address") // who can link the identity, when they have signed in
	ErrDeactivated = errors.New("the user is deactivated")
	ErrNoAuthTime  = errors.New("the provider does not say when somebody signed in there")
)

// ErrLastWayIn is an ErrConflict: without it somebody could not sign in any more.
var ErrLastWayIn = fmt.Errorf("%w: the last way in", ErrConflict)
