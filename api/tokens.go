package api

import (
	"context"
	"net/http"
	"time"

	"hark/api/intake"
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
			Name      string `json:"name" minLength:"1" maxLength:"100" doc:"What it is for" example:"laptop"`
			ExpiresIn int64  `json:"expires_in,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds until it expires; 0 means never" example:"31536000"`
		} `nameHint:"TokenRequest"`
	}
	newTokenOutput struct{ Body NewToken }
	tokenInput     struct {
		ID string `path:"id" doc:"Id of the token"`
	}
)

func (s *Server) routeTokens() {
	handle(s, operation{
		id: "list-tokens", method: http.MethodGet, path: "/v1/tokens", tag: tagYou, summary: "Your tokens and sessions",
	}, s.listTokens)
	handle(s, operation{
		id: "create-token", method: http.MethodPost, path: "/v1/tokens", tag: tagYou, summary: "Make an API token",
		description: "The secret is shown once; only its hash is kept.",
		status:      http.StatusCreated, problems: []kind{kindValidation}, example: exampleNewToken(),
	}, s.createToken)
	handle(s, operation{
		id: "revoke-token", method: http.MethodDelete, path: "/v1/tokens/{id}", tag: tagYou, summary: "Revoke a token or session",
		description: "It stops working at once; live recordings that it began end within seconds, and keep what was said; event streams that it opened end within a minute.",
		problems:    []kind{kindNotFound},
	}, s.revokeToken)
	handle(s, operation{
		id: "sign-out", method: http.MethodPost, path: "/v1/sign-out", tag: tagYou, summary: "End the session",
		description: "Revokes the session, or the token, that asks, clears the cookie, and has the browser forget the answers that it kept. What is not sent yet stays on the device.",
	}, s.signOut)
}

func (s *Server) listTokens(ctx context.Context, actor storage.Actor, _ *struct{}) (*tokensOutput, error) {
	tokens, err := s.DB.Tokens(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &tokensOutput{}
	out.Body.Items = views(tokens, func(t storage.Token) Token { return tokenView(t, actor) })
	return out, nil
}

func (s *Server) createToken(ctx context.Context, actor storage.Actor, in *newTokenInput) (*newTokenOutput, error) {
	name, err := intake.CleanTitle(in.Body.Name)
	if err != nil || name == "" {
		return nil, invalid("body.name", "must say what the token is for", err)
	}
	ttl := time.Duration(in.Body.ExpiresIn) * time.Second
	token, secret, err := s.DB.CreateToken(ctx, actor.UserID, storage.APIToken, name, ttl)
	if err != nil {
		return nil, err
	}
	s.security.done(ctx, eventTokenCreated, actor.UserID, token.ID)
	return &newTokenOutput{Body: NewToken{Token: tokenView(token, actor), Secret: secret}}, nil
}

func (s *Server) revokeToken(ctx context.Context, actor storage.Actor, in *tokenInput) (*struct{}, error) {
	if err := s.DB.RevokeToken(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	s.security.done(ctx, eventTokenRevoked, actor.UserID, in.ID)
	s.recheckLive()
	return nil, nil
}

type signOutOutput struct {
	SetCookie     http.Cookie `header:"Set-Cookie"`
	ClearSiteData string      `header:"Clear-Site-Data" doc:"Has a browser forget what it kept of answers"`
}

func (s *Server) signOut(ctx context.Context, actor storage.Actor, _ *struct{}) (*signOutOutput, error) {
	if err := s.DB.RevokeToken(ctx, actor, actor.TokenID); err != nil {
		return nil, err
	}
	s.security.done(ctx, eventSignOut, actor.UserID, actor.TokenID)
	s.recheckLive()
	return &signOutOutput{SetCookie: s.newSessionCookie("", -1), ClearSiteData: `"cache"`}, nil
}

func tokenView(t storage.Token, actor storage.Actor) Token {
	return Token{
		ID: t.ID, Kind: t.Kind, Name: t.Name, CreatedAt: t.CreatedAt,
		LastUsedAt: timeOrNil(t.LastUsedAt), ExpiresAt: timeOrNil(t.ExpiresAt),
		Current: t.ID == actor.TokenID,
	}
}

// timeOrNil is nil for the zero time, so that JSON leaves it out.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
