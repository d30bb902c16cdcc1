package signin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Token is a credential of the caller's, without its secret.
type Token struct {
	ID         string            `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Kind       storage.TokenKind `json:"kind" enum:"api,session,sign_in" doc:"api: for programs; session: a signed-in browser; sign_in: a one-time address" example:"api"`
	Name       string            `json:"name" example:"laptop"`
	CreatedAt  time.Time         `json:"created_at" example:"2026-03-01T09:30:00Z"`
	LastUsedAt *time.Time        `json:"last_used_at,omitempty" doc:"To the minute; left out if never" example:"2026-03-02T10:00:00Z"`
	ExpiresAt  *time.Time        `json:"expires_at,omitempty" doc:"Left out if it never expires" example:"2027-03-01T09:30:00Z"`
	Scopes     []string          `json:"scopes" nullable:"false" doc:"What it is good for, of what its user may do; see the top of this page" example:"[\"read\",\"record\"]"`
	ParentID   string            `json:"parent_id,omitempty" format:"uuid" doc:"The token that it was made with, and ends with" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e56"`
	Device     string            `json:"device,omitempty" doc:"What it was used with last, as far as the User-Agent tells" example:"Firefox on Linux"`
	Address    string            `json:"address,omitempty" doc:"IP address that it was used from last" example:"203.0.113.7"`
	Method     string            `json:"method,omitempty" enum:"link,mail,password,passkey,recovery_code,invitation,provider,admin" doc:"Of a session: how it was signed in; more may be added" example:"password"`
	Current    bool              `json:"current" doc:"Whether this is the one that asks" example:"false"`
}

// NewToken is a credential that was just made, with its secret.
type NewToken struct {
	Token
	Secret string `json:"secret" doc:"Shown this once" example:"hark_4fN0vqHk3mXc8Zt1bW7yRs2LpQd9UaEg5JiKoTnVx6M"`
}

type (
	tokensOutput struct {
		Body struct {
			Items []Token `json:"items" nullable:"false"`
		} `nameHint:"TokenList"`
	}
	newTokenInput struct {
		Body struct {
			Name      string   `json:"name" minLength:"1" maxLength:"100" doc:"What it is for" example:"laptop"`
			ExpiresIn int64    `json:"expires_in,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds until it expires; 0 means never or, made with another token, as late as that" example:"31536000"`
			Scopes    []string `json:"scopes,omitempty" minItems:"1" maxItems:"100" nullable:"false" doc:"What it is to be good for; left out, for all that you may or, made with another token, all that it may" example:"[\"read\",\"record\"]"`
		} `nameHint:"TokenRequest"`
	}
	newTokenOutput struct{ Body NewToken }
	tokenInput     struct {
		ID string `path:"id" doc:"Id of the token"`
	}
)

// ListTokens lists the credentials of who asks.
func (e *Endpoints) ListTokens() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-tokens", Scope: storage.ScopeAdmin, Summary: "List your tokens and sessions",
		Description: "To a signed-in browser also your sessions in other workspaces, which could switch to this one.",
	}, e.listTokens)
}

func (e *Endpoints) listTokens(ctx context.Context, principal storage.Principal, _ *struct{}) (*tokensOutput, error) {
	tokens, err := e.deps.Records.Tokens(ctx, principal)
	if err != nil {
		return nil, err
	}
	out := &tokensOutput{}
	out.Body.Items = rest.Views(tokens, func(t storage.Token) Token { return TokenView(t, principal) })
	return out, nil
}

// CreateToken makes a credential for a program.
func (e *Endpoints) CreateToken() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-token", Cost: limit.Tokens, Scope: storage.ScopeAdmin, Summary: "Create an API token",
		Description: "The secret is shown once; only its hash is kept. Made with another token it never exceeds that, and ends with it; made in a signed-in browser it outlives your signing out. " +
			"With the scope `scim` alone it is for an identity provider, and good for nothing else: by an owner or an admin in a signed-in browser, and `step_up` where neither the password was given nor a passkey used within the last 10 minutes.",
		Status: http.StatusCreated, Problems: []problem.Kind{problem.Forbidden, problem.StepUp, problem.Validation}, Example: NewTokenExample(),
	}, e.createToken)
}

// APIToken is what an API token is made with, by what a caller says of it: its life is in
// seconds, and no scopes mean all that there are for it.
func APIToken(name string, life int64, scopes []string) (n storage.NewToken, err error) {
	n = storage.NewToken{Kind: storage.APIToken, Life: time.Duration(life) * time.Second}
	if n.Name, err = storage.CleanTitle(name); err != nil || n.Name == "" {
		return n, problem.Invalid("body.name", "must say what the token is for", err)
	}
	n.Scopes, err = storage.ParseScopes(scopes)
	return n, err
}

func (e *Endpoints) createToken(ctx context.Context, principal storage.Principal, in *newTokenInput) (*newTokenOutput, error) {
	n, err := APIToken(in.Body.Name, in.Body.ExpiresIn, in.Body.Scopes)
	if err != nil {
		return nil, err
	}
	n.MadeWith = principal.CredentialID
	token, secret, err := e.deps.Records.CreateToken(ctx, principal.UserID, n)
	if err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.TokenCreated, principal.UserID, token.ID)
	return &newTokenOutput{Body: NewToken{Token: TokenView(token, principal), Secret: secret}}, nil
}

// RevokeToken ends a credential, and all that goes on under it.
func (e *Endpoints) RevokeToken() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "revoke-token", Scope: storage.ScopeAdmin, Summary: "Revoke a token or session",
		Description: "One of yours or, for owners and admins, of anybody whose role does not stand above theirs. It stops working at once, as do the tokens that were made with it; live recordings that it began end within seconds, and keep what was said; event streams that it opened end at once.",
		Problems:    []problem.Kind{problem.NotFound},
	}, e.revokeToken)
}

func (e *Endpoints) revokeToken(ctx context.Context, principal storage.Principal, in *tokenInput) (*struct{}, error) {
	if err := e.deps.Records.RevokeToken(ctx, principal, in.ID); err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.TokenRevoked, principal.UserID, in.ID)
	e.RevokedOf(ctx, principal)
	return nil, nil
}

// RevokeOthers ends all credentials but the one that asks.
func (e *Endpoints) RevokeOthers() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "revoke-other-tokens", Scope: storage.ScopeAdmin, Summary: "Revoke all your other tokens and sessions",
		Description: "All of yours but the session that asks: browsers, API tokens and sign-in links; of other workspaces, browsers and links. By a signed-in browser only, and `step_up` where neither the password was given nor a passkey used within the last 10 minutes. What goes on under them ends as with one.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp},
	}, e.revokeOthers)
}

func (e *Endpoints) revokeOthers(ctx context.Context, principal storage.Principal, _ *struct{}) (*struct{}, error) {
	if err := e.deps.Records.RevokeOthers(ctx, principal); err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.TokenRevoked, principal.UserID, "all others")
	e.RevokedOf(ctx, principal)
	return nil, nil
}

type signOutOutput struct {
	SetCookie     http.Cookie `header:"Set-Cookie"`
	ClearSiteData string      `header:"Clear-Site-Data" doc:"Has a browser forget what it kept of answers"`
	Body          SignedOut
}

// SignedOut says what is left to do by who signed out.
type SignedOut struct {
	EndSessionURL string `json:"end_session_url,omitempty" format:"uri" doc:"Address at the provider that the session began at, for the browser to open, so that its session there ends too; it comes back. Left out if there is none" example:"https://sso.example.org/end_session?client_id=hark&id_token_hint=…"`
}

// SignOut ends the credential that asks.
func (e *Endpoints) SignOut() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "sign-out", Summary: "Sign out",
		Description: "Revokes the session, or the token, that asks, clears the cookie, and has the browser forget the answers that it kept. What is not sent yet stays on the device. A session that began at an OpenID provider is ended there at the address that is answered.",
		Example:     SignedOut{EndSessionURL: "https://sso.example.org/end_session?client_id=hark&id_token_hint=…"},
	}, e.signOut)
}

func (e *Endpoints) signOut(ctx context.Context, principal storage.Principal, _ *struct{}) (*signOutOutput, error) {
	there, err := e.deps.Identities.ProviderSession(ctx, principal)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	if err := e.deps.Records.RevokeToken(ctx, principal, principal.CredentialID); err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.SignOut, principal.UserID, principal.CredentialID)
	e.Revoked(ctx, principal.WorkspaceID)
	return &signOutOutput{SetCookie: e.newSessionCookie("", -1), ClearSiteData: `"cache"`, Body: SignedOut{e.endSession(ctx, there)}}, nil
}

// TokenView is a credential as the API shows it to the principal.
func TokenView(t storage.Token, principal storage.Principal) Token {
	return Token{
		ID: t.ID, Kind: t.Kind, Name: t.Name, CreatedAt: t.CreatedAt,
		LastUsedAt: rest.TimeOrNil(t.LastUsedAt), ExpiresAt: rest.TimeOrNil(t.ExpiresAt),
		Scopes: t.Scopes.List(), ParentID: t.ParentID,
		Device: DeviceName(t.Agent), Address: t.Address, Method: string(t.Method),
		Current: t.ID == principal.CredentialID,
	}
}

// NewTokenExample is one for the description.
func NewTokenExample() NewToken {
	token := storage.Token{ID: example.TokenID, UserID: example.UserID, Kind: storage.APIToken, Name: "laptop", CreatedAt: example.Time(0)}
	return NewToken{Token: TokenView(token, storage.Principal{}), Secret: "hark_4fN0vqHk3mXc8Zt1bW7yRs2LpQd9UaEg5JiKoTnVx6M"}
}
