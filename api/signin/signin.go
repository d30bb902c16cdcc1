// Package signin answers who somebody is: it signs people in and out, makes and
// revokes their credentials, and finds out whose request is whose.
//
// A request brings a bearer token or, from a browser, a session cookie
// ([Endpoints.Authenticate]). A browser gets its session on a page that works without
// scripts, in one of several ways: by e-mail and password, by a one-time link that was
// mailed, by one that was handed on, by a provider (package openid), or by a recovery
// code; with a script, by a passkey (package passkey). [Endpoints.Ask] shows the page,
// [Endpoints.SignIn] takes its forms, and [Endpoints.Callback] takes browsers back from
// providers. Each way in says who somebody is by a
// storage.SignIn; all end in [Endpoints.begin], which makes the session. What a
// browser changes is taken from pages of ours only.
//
// # Providers
//
// A browser goes to a provider with a [flow] in a cookie of its own, to sign in, to join
// by an invitation, to link an identity, or to prove who its person is. An answer that
// comes to a browser without that flow is not looked at: nobody is signed in as somebody
// else by a link, and no code that was stolen is redeemed. What is linked is an issuer
// with a subject. Whoever comes with the address of somebody who is here, and is not
// linked, is told to sign in first: an address is no proof, whoever verified it. A
// sign-in counts as a proof of who somebody is from when the provider says that they
// proved it there; where it does not say, from now.
//
// # Several workspaces
//
// A session is of one user, and so of one workspace. Who signs in comes into the
// workspace of the page that they want to see, or else into the one that they were in
// last, and switches from there ([Endpoints.SwitchWorkspace]): the session ends and one in
// the other workspace takes its place, so that a browser has one at a time. It needs no
// more than signing in there would: what is a person's own, password, passkeys, recovery
// codes and links, gets them into each of their workspaces, and proofs by it go with them.
// A provider is trusted by its workspace alone, whose people run it: a session that began
// there does not switch, nor change what is the person's own, until they have proved who
// they are by that. The new session ends when the old one would have, so that one that
// was stolen gains no time by switching. No workspace has rules of its own yet about how
// one signs in; where one is to ask for its provider, Switch has to as well.
//
// # What strangers find out
//
// Nobody learns whether there is an account: an address that is not known is answered
// with the same page and status as a wrong password, after a hash of the same cost; and
// who asks for a link by mail gets the same answer whatever the address is. What differs,
// the entry in the audit log and the mail, is written after the answer, in the
// [background], which the end of the server waits for. Attempts are limited by
// account and by address. Those from a browser from which the account was signed in to
// are counted apart: who guesses elsewhere does not lock its owner out.
//
// A credential that was revoked ends all that goes on under it, on every node: a
// passing event says so.
package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"hark/api/openid"
	"hark/api/passkey"
	"hark/api/password"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Records is what is asked of storage.
type Records interface {
	Ways
	Authenticate(ctx context.Context, secret string, kind storage.TokenKind) (storage.Principal, error)
	CreateToken(ctx context.Context, userID string, n storage.NewToken) (storage.Token, string, error)
	Tokens(ctx context.Context, principal storage.Principal) ([]storage.Token, error)
	RevokeToken(ctx context.Context, principal storage.Principal, tokenID string) error
	RevokeOthers(ctx context.Context, principal storage.Principal) error
}

// Ways is what ways in ask of storage.
type Ways interface {
	SignIn(ctx context.Context, s storage.SignIn) (session storage.Token, secret string, err error)
	AccountByEmail(ctx context.Context, email, device string) (storage.Account, error)
	MailSignIn(ctx context.Context, email, wanted string, life time.Duration, mail func(to storage.Addressee, code storage.Token, secret string) (storage.NewJob, error)) error
	AuditFailedSignIn(ctx context.Context, failed storage.FailedSignIn) error
	OnlyWorkspace(ctx context.Context) (storage.Workspace, error)
	Profile(ctx context.Context, principal storage.Principal) (storage.Profile, error)
}

// Passkeys is what signing in by a passkey asks of storage.
type Passkeys interface {
	PasskeyOf(ctx context.Context, credentialID []byte) (storage.Passkey, error)
	RefusePasskey(ctx context.Context, p storage.Passkey, challenge storage.Challenge) error
}

// Identities is what is asked of storage about those at providers.
type Identities interface {
	Account(ctx context.Context, principal storage.Principal) (storage.Account, error)
	LinkIdentity(ctx context.Context, principal storage.Principal, v storage.Vouched) error
	UnlinkIdentity(ctx context.Context, principal storage.Principal, id string, byMail bool) error
	ProveByIdentity(ctx context.Context, principal storage.Principal, v storage.Vouched) error
	ProviderSession(ctx context.Context, principal storage.Principal) (storage.ProviderSession, error)
}

// Bus carries events to all nodes.
type Bus interface {
	PublishEvents(ctx context.Context, events []storage.Event) error
}

// Deps are the parts that [Endpoints] work with. All are required but Providers.
type Deps struct {
	Records    Records
	Passkeys   Passkeys
	Workspaces Workspaces
	Keys       *passkey.Keys
	Identities Identities
	Providers  []*openid.Provider
	Bus        Bus
	Security   *security.Log
	Logger     *slog.Logger
	Limits     *rest.Limits
	Passwords  *password.Hasher
	PublicURL  rest.PublicURL

	// Key seals what browsers keep while they are at a provider; the same on all nodes.
	Key []byte

	// Mail says whether a mail server is configured.
	Mail bool

	// CreateWorkspaces says whether people may create workspaces.
	CreateWorkspaces bool
	// SessionTTL is how long a browser stays signed in.
	SessionTTL time.Duration
	// RecheckLive has live recordings of this node end that may not go on.
	RecheckLive func()
}

// Endpoints answer the calls about credentials, and the sign-in page.
type Endpoints struct {
	deps     Deps
	csrf     *http.CrossOriginProtection
	failures *failures
	flows    flows
	later    *background
}

// New makes [Endpoints].
func New(deps Deps) (*Endpoints, error) {
	e := &Endpoints{deps: deps, csrf: http.NewCrossOriginProtection(), failures: newFailures(), later: newBackground(deps.Logger)}
	if err := e.csrf.AddTrustedOrigin(deps.PublicURL.Scheme + "://" + deps.PublicURL.Host); err != nil {
		return nil, fmt.Errorf("trust the public address: %w", err)
	}
	var err error
	e.flows, err = newFlows(deps.Key)
	return e, err
}

// Finish waits for what goes on after its answer, until ctx ends.
func (e *Endpoints) Finish(ctx context.Context) error { return e.later.wait(ctx) }

// Revoked has all that goes on under a credential end where it was revoked, on
// every node. A node that does not hear of it finds out at its streams' next
// heartbeat.
func (e *Endpoints) Revoked(ctx context.Context, workspaceID string) {
	e.deps.RecheckLive()
	event := storage.Event{WorkspaceID: workspaceID, Type: storage.CredentialRevoked, At: storage.Now()}
	if err := e.deps.Bus.PublishEvents(ctx, []storage.Event{event}); err != nil {
		e.deps.Logger.WarnContext(ctx, "publishing credential revocation failed", "error", err)
	}
}

// isNoCredential reports whether an error says that a secret is not, or no longer,
// a credential, and not that looking for it failed.
func isNoCredential(err error) bool {
	return errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrExpired)
}
