// Package openid asks OpenID providers who somebody is (OpenID Connect Core 1.0), by the
// authorisation code flow with PKCE (RFC 7636, S256).
//
//	Provider.Begin ──> address at the provider ── the browser goes there and comes back ──> Provider.Finish ──> storage.Vouched
//
// A [Flow] is what both need, and what nobody but the browser may bring back: the state,
// the nonce, the verifier of PKCE, and when it began. Whoever calls keeps it in between,
// where only that browser has it, and looks at the state before anything else.
//
// Finish believes an ID token that the provider itself answered the code with, that is
// signed by one of its keys under an algorithm that it names, is for this client, is of
// this flow and has not expired. It allows for clocks that differ by [skew]. An answer
// that names another issuer (RFC 9207), or none where the provider says that it does, is
// refused. Each provider has a redirect address of its own besides, so that one cannot
// pass as another. Claims that the ID token lacks are asked of the userinfo endpoint.
//
// What a provider is (discovery) is asked each time that somebody is to be sent there,
// so that nobody is who would find it away: that is [ErrAway], and the next who needs it
// asks again. Whoever comes back finds it as it was last.
//
// Secrets and codes follow no redirect. Providers are asked over https, but for one on
// this machine.
package openid

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	timeout  = 10 * time.Second // for all that is asked of a provider at a time
	patience = 3 * time.Second  // of who signs out
	skew     = time.Minute
	maxBody  = 1 << 20 // bytes of an answer
	maxHint  = 4 << 10 // bytes of an ID token in an address
)

// ErrAway is the error of a provider that cannot be reached, or does not answer as one.
var ErrAway = errors.New("the provider cannot be reached")

// RefusedError is what a provider answers instead of a code, or of a token for it
// (RFC 6749, sections 4.1.2.1 and 5.2). Nothing in it is for people.
type RefusedError struct{ Code, Description string }

// Error is the code, with the description where there is one.
func (e *RefusedError) Error() string {
	return strings.TrimSuffix("the provider refuses: "+e.Code+": "+e.Description, ": ")
}

// Flow is one sign-in under way.
type Flow struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	At       time.Time `json:"at"`

	// Fresh says that the person is to prove now who they are, whatever session they
	// have at the provider.
	Fresh bool `json:"fresh,omitempty"`
}

// NewFlow begins a flow.
func NewFlow(fresh bool) Flow {
	return Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), At: time.Now(), Fresh: fresh}
}

// Choice is a provider as people see it.
type Choice struct{ ID, Name, Issuer string }

// Provider is one of those that are configured. It is safe for concurrent use.
type Provider struct {
	cfg      Config
	redirect string // where the provider sends the browser back to
	leaving  string // and where to when its session has ended
	client   *http.Client
	turn     chan struct{} // holds one while somebody finds out what the provider is
	known    *discovered   // nil at first; guarded by turn
}

// discovered is what a provider says of itself.
type discovered struct {
	provider   *oidc.Provider
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string // empty where it has none
	namesIss   bool   // whether its answers name the issuer
	said       string // all of it
}

// Choice is the provider as people see it.
func (p *Provider) Choice() Choice { return Choice{p.cfg.ID, p.cfg.Name, p.cfg.Issuer} }

// WorkspaceID is that of the workspace that the provider leads to; empty for the only one.
func (p *Provider) WorkspaceID() string { return p.cfg.Workspace }

// LeadsTo says whether people of a workspace can come by the provider.
func (p *Provider) LeadsTo(workspaceID string) bool {
	return p.cfg.Workspace == "" || p.cfg.Workspace == workspaceID
}

// lookUp returns what the provider is, as it was last or, if so wanted, as it is now.
// While it stays the same, so do the keys that are known of it.
func (p *Provider) lookUp(ctx context.Context, now bool) (*discovered, error) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrAway, context.Cause(ctx))
	}
	defer func() { <-p.turn }()
	if p.known != nil && !now {
		return p.known, nil
	}
	found, err := p.ask(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	if p.known == nil || p.known.said != found.said {
		p.known = found
	}
	return p.known, nil
}

// ask reads the provider's configuration (OpenID Connect Discovery 1.0).
func (p *Provider) ask(ctx context.Context) (*discovered, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		JWKS       string   `json:"jwks_uri"`
		EndSession string   `json:"end_session_endpoint"`
		NamesIss   bool     `json:"authorization_response_iss_parameter_supported"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
	}
	var said json.RawMessage
	if err := errors.Join(provider.Claims(&more), provider.Claims(&said)); err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if p.cfg.ClientSecret == "" || len(more.Methods) > 0 && !slices.Contains(more.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	for _, address := range []string{endpoint.AuthURL, endpoint.TokenURL, more.JWKS, provider.UserInfoEndpoint(), more.EndSession} {
		if address != "" && checkAddress(address) != nil {
			return nil, fmt.Errorf("discovery names an address that is not https: %s", address)
		}
	}
	return &discovered{
		provider: provider,
		oauth: oauth2.Config{
			ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: endpoint, RedirectURL: p.redirect, Scopes: p.cfg.Scopes,
		},
		verifier:   provider.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: func() time.Time { return time.Now().Add(-skew) }}),
		endSession: more.EndSession, namesIss: more.NamesIss, said: string(said),
	}, nil
}

// Begin returns the address at the provider that a browser is to open.
func (p *Provider) Begin(ctx context.Context, f Flow) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	is, err := p.lookUp(ctx, true)
	if err != nil {
		return "", fmt.Errorf("begin at provider %s: %w", p.cfg.ID, err)
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
	if f.Fresh {
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"), oauth2.SetAuthURLParam("prompt", "login"))
	}
	return is.oauth.AuthCodeURL(f.State, options...), nil
}

// EndSession is the address that ends the provider's session of who signs out here
// (OpenID Connect RP-Initiated Logout 1.0) and leads back; empty where there is none.
func (p *Provider) EndSession(ctx context.Context, idToken string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	is, err := p.lookUp(ctx, false)
	if err != nil || is.endSession == "" {
		return ""
	}
	address, err := url.Parse(is.endSession)
	if err != nil {
		return ""
	}
	query := address.Query()
	query.Set("client_id", p.cfg.ClientID)
	query.Set("post_logout_redirect_uri", p.leaving)
	if idToken != "" && len(idToken) <= maxHint {
		query.Set("id_token_hint", idToken)
	}
	address.RawQuery = query.Encode()
	return address.String()
}

// checkAddress refuses an address that others could read or change on its way.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("must be an address such as https://sso.example.org")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must begin with https://; http:// is for a provider on this machine alone")
}
