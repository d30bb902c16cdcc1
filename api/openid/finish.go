package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"hark/storage"
)

// maxSubject is how long a subject may be, in bytes (OpenID Connect Core 1.0, section 2).
const maxSubject = 255

// Finish takes what a browser brings back, whose state was found to be the flow's, and
// returns whom the provider vouches for. The answer of a provider that refuses is a
// [RefusedError]; one that says too little of when somebody signed in there is
// storage.ErrNoAuthTime.
func (p *Provider) Finish(ctx context.Context, f Flow, query url.Values) (storage.Vouched, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	is, err := p.lookUp(ctx, false)
	if err != nil {
		return storage.Vouched{}, fmt.Errorf("finish at provider %s: %w", p.cfg.ID, err)
	}
	v, err := p.finish(oidc.ClientContext(ctx, p.client), is, f, query)
	if err != nil {
		return v, fmt.Errorf("finish at provider %s: %w", p.cfg.ID, err)
	}
	return v, nil
}

func (p *Provider) finish(ctx context.Context, is *discovered, f Flow, query url.Values) (v storage.Vouched, err error) {
	if err := p.checkAnswer(is, query); err != nil {
		return v, err
	}
	tokens, err := is.oauth.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return v, exchangeError(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	if raw == "" {
		return v, errors.New("the provider answered without an ID token; is the scope openid granted?")
	}
	token, err := is.verifier.Verify(ctx, raw)
	if err != nil {
		return v, err
	}
	claims, err := p.check(token, tokens, f)
	if err != nil {
		return v, err
	}
	if claims.lacks(p.cfg) && is.provider.UserInfoEndpoint() != "" {
		if err := claims.complete(ctx, is.provider, tokens); err != nil {
			return v, err
		}
	}
	return p.vouched(claims, raw), nil
}

// checkAnswer looks at what the browser brought, before any of it is used.
func (p *Provider) checkAnswer(is *discovered, query url.Values) error {
	for _, name := range []string{"code", "iss", "error"} {
		if len(query[name]) > 1 {
			return fmt.Errorf("the answer has %s twice", name)
		}
	}
	if query.Has("iss") || is.namesIss {
		if iss := query.Get("iss"); iss != p.cfg.Issuer {
			return fmt.Errorf("the answer is of issuer %q, not of %q", iss, p.cfg.Issuer)
		}
	}
	if query.Has("error") {
		return &RefusedError{told(query.Get("error")), told(query.Get("error_description"))}
	}
	if query.Get("code") == "" {
		return errors.New("the answer has no code")
	}
	return nil
}

// told is a text of the provider's as it is logged.
func told(text string) string { return storage.CutBytes(storage.Printable(text), 200) }

func exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	if refused.Response != nil && refused.Response.StatusCode >= 500 {
		return fmt.Errorf("%w: token endpoint answers %s", ErrAway, refused.Response.Status)
	}
	return &RefusedError{told(refused.ErrorCode), told(refused.ErrorDescription)}
}

// check looks at what the library leaves to its callers.
func (p *Provider) check(token *oidc.IDToken, tokens *oauth2.Token, f Flow) (c claims, err error) {
	if err := c.add(token.Claims); err != nil {
		return c, err
	}
	now := time.Now()
	authorized, _ := c.all["azp"].(string)
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(f.Nonce)) != 1:
		return c, errors.New("the ID token is of another flow: its nonce is not ours")
	case authorized != "" && authorized != p.cfg.ClientID, authorized == "" && len(token.Audience) > 1:
		return c, fmt.Errorf("the ID token was made for client %q", authorized)
	case token.IssuedAt.After(now.Add(skew)):
		return c, fmt.Errorf("the ID token is of the future: %s; one of the clocks is wrong", token.IssuedAt)
	case token.Subject == "" || len(token.Subject) > maxSubject || token.Subject != storage.Printable(token.Subject):
		return c, errors.New("the ID token has no subject that can be kept")
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(tokens.AccessToken); err != nil {
			return c, err
		}
	}
	if f.Fresh {
		at := c.authAt()
		if at.IsZero() {
			return c, storage.ErrNoAuthTime
		}
		if at.Before(f.At.Add(-skew)) {
			return c, fmt.Errorf("signed in there at %s, which is not now: %w", at, storage.ErrNoAuthTime)
		}
	}
	return c, nil
}

// claims are what a provider says of somebody.
type claims struct{ all map[string]any }

// add takes in claims that are not there yet.
func (c *claims) add(read func(any) error) error {
	var more map[string]any
	if err := read(&more); err != nil {
		return err
	}
	if c.all == nil {
		c.all = map[string]any{}
	}
	for name, value := range more {
		if _, have := c.all[name]; !have {
			c.all[name] = value
		}
	}
	return nil
}

// lacks says whether more is to be asked of the provider.
func (c claims) lacks(cfg Config) bool {
	return c.text("email") == "" || c.text("name") == "" || cfg.wantsGroups() && c.all[cfg.GroupsClaim] == nil
}

// complete asks the userinfo endpoint, whose answer must be about the same person.
func (c *claims) complete(ctx context.Context, provider *oidc.Provider, tokens *oauth2.Token) error {
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("%w: userinfo: %w", ErrAway, err)
	}
	if info.Subject != c.text("sub") {
		return errors.New("userinfo is about somebody else")
	}
	var more map[string]any
	if err := info.Claims(&more); err != nil {
		return err
	}
	_, verified := c.all["email_verified"]
	if _, has := more["email"]; has && (c.text("email") == "" || !verified) { // an address and whether it is verified come from one place
		delete(c.all, "email")
		delete(c.all, "email_verified")
	}
	return c.add(info.Claims)
}

func (c claims) text(name string) string {
	text, _ := c.all[name].(string)
	return strings.TrimSpace(text)
}

// authAt is when somebody signed in at the provider; zero where it is not told.
func (c claims) authAt() time.Time {
	seconds, ok := c.all["auth_time"].(float64)
	if !ok || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// verified says whether the provider verified the address. Some write the word.
func (c claims) verified() bool {
	value := c.all["email_verified"]
	return value == true || value == "true"
}

// groups are those of a claim that is a text or a list of them.
func (c claims) groups(claim string) []string {
	switch value := c.all[claim].(type) {
	case string:
		return []string{value}
	case []any:
		var groups []string
		for _, one := range value {
			if group, ok := one.(string); ok {
				groups = append(groups, group)
			}
		}
		return groups
	}
	return nil
}

// vouched is what the configuration makes of claims.
func (p *Provider) vouched(c claims, raw string) storage.Vouched {
	v := storage.Vouched{
		Provider: p.cfg.ID, WorkspaceID: p.cfg.Workspace, Issuer: p.cfg.Issuer, Subject: c.text("sub"), IDToken: raw, ProvedAt: c.authAt(),
		Name: nameOf(c), Roles: storage.RoleRule{Otherwise: p.cfg.DefaultRole},
	}
	if email := c.text("email"); storage.CheckEmail(email) == nil {
		v.Email, v.EmailVerified = email, c.verified()
	}
	if p.cfg.ExternalIDClaim != "" {
		v.ExternalID = c.text(p.cfg.ExternalIDClaim)
	}
	groups := c.groups(p.cfg.GroupsClaim)
	for group, role := range p.cfg.Roles {
		v.Roles.Managed = append(v.Roles.Managed, role)
		if slices.Contains(groups, group) {
			v.Roles.Granted = append(v.Roles.Granted, role)
		}
	}
	v.MayJoin = p.cfg.Join.admits(v, groups)
	return v
}

// nameOf is what somebody is called, as well as the provider tells.
func nameOf(c claims) string {
	local, _, _ := strings.Cut(c.text("email"), "@")
	for _, name := range []string{c.text("name"), c.text("given_name") + " " + c.text("family_name"), c.text("preferred_username"), local, c.text("sub")} {
		runes := []rune(name)
		if name, err := storage.CleanName(string(runes[:min(len(runes), storage.MaxName)])); err == nil {
			return name
		}
	}
	return storage.UnchosenOwner
}
