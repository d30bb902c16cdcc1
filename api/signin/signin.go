// Package signin answers who somebody is: it signs people in and out, makes and
// revokes their credentials, and finds out whose request is whose.
//
// A request brings a bearer token or, from a browser, a session cookie
// ([Endpoints.Authenticate]). A browser gets its session by a one-time code, on a
// page that works without scripts: [Endpoints.Ask] shows whom the code signs in,
// and [Endpoints.SignIn] redeems it. What a browser changes is taken from pages of
// ours only.
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

	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Records is what is asked of storage.
type Records interface {
	Authenticate(ctx context.Context, secret string, kind storage.TokenKind) (storage.Principal, error)
	Redeem(ctx context.Context, signInSecret string, ttl time.Duration) (storage.Token, string, error)
	CreateToken(ctx context.Context, userID string, n storage.NewToken) (storage.Token, string, error)
	Tokens(ctx context.Context, principal storage.Principal) ([]storage.Token, error)
	RevokeToken(ctx context.Context, principal storage.Principal, tokenID string) error
	AuditFailedSignIn(ctx context.Context, failed storage.FailedSignIn) error
}

// Bus carries events to all nodes.
type Bus interface {
	PublishEvents(ctx context.Context, events []storage.Event) error
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	Bus       Bus
	Security  *security.Log
	Logger    *slog.Logger
	PublicURL rest.PublicURL

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
}

// New makes [Endpoints].
func New(deps Deps) (*Endpoints, error) {
	e := &Endpoints{deps: deps, csrf: http.NewCrossOriginProtection(), failures: newFailures()}
	if err := e.csrf.AddTrustedOrigin(deps.PublicURL.Scheme + "://" + deps.PublicURL.Host); err != nil {
		return nil, fmt.Errorf("trust the public address: %w", err)
	}
	return e, nil
}

// revoked has all that goes on under a credential end where it was revoked, on
// every node. A node that does not hear of it finds out at its streams' next
// heartbeat.
func (e *Endpoints) revoked(ctx context.Context, workspaceID string) {
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
