package signin

import (
	"context"
	"net/http"

	"hark/api/openid"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

type (
	linkInput struct {
		Body struct {
			Provider string `json:"provider" minLength:"1" maxLength:"32" doc:"Id of the provider" example:"keycloak"`
		} `nameHint:"LinkRequest"`
	}
	proveInput struct {
		Body struct {
			Provider string `json:"provider" minLength:"1" maxLength:"32" doc:"Id of the provider" example:"keycloak"`
			To       string `json:"to,omitempty" maxLength:"512" doc:"Page of the app to come back to; its first when left out" example:"/settings"`
		} `nameHint:"ProviderProof"`
	}
	departOutput struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
		Body      Departure
	}
	identityInput struct {
		ID string `path:"id" doc:"Id of the identity"`
	}
)

// Departure is the way to a provider.
type Departure struct {
	URL string `json:"url" format:"uri" doc:"Address at the provider for this browser to open, within 15 minutes" example:"https://sso.example.org/authorize?client_id=hark&state=…"`
}

// LinkIdentity begins to link an identity at a provider to who asks.
func (e *Endpoints) LinkIdentity() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "link-identity", Scope: storage.ScopeAdmin, Summary: "Begin linking a provider",
		Description: "Answers with the address at an OpenID provider that this browser is to open. It comes back to Settings, and the identity is linked: from then on it signs you in. By a signed-in browser only, and `step_up` where who you are was not proved within the last 10 minutes.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.NotFound, problem.Unavailable}, Example: departureExample(),
	}, e.linkIdentity)
}

func (e *Endpoints) linkIdentity(ctx context.Context, principal storage.Principal, in *linkInput) (*departOutput, error) {
	if _, err := e.MayChange(ctx, principal); err != nil {
		return nil, err
	}
	return e.sendAway(ctx, principal, in.Body.Provider, flow{Purpose: toLink, To: "/settings"})
}

// MayChange returns the account of who may change how they sign in, before anything is
// begun or costs much; storage decides when it is done.
func (e *Endpoints) MayChange(ctx context.Context, principal storage.Principal) (storage.Account, error) {
	if !storage.MayChangeAccount(principal, rest.CallFrom(ctx).Kind) {
		return storage.Account{}, storage.ErrOnlyBrowsers
	}
	account, err := e.deps.Identities.Account(ctx, principal)
	if err == nil && account.Ways > 0 && account.ProvedUntil.IsZero() {
		err = storage.ErrStepUp
	}
	return account, err
}

// sendAway answers with the way to a provider.
func (e *Endpoints) sendAway(ctx context.Context, principal storage.Principal, id string, f flow) (*departOutput, error) {
	provider := e.provider(id)
	if provider == nil || !provider.LeadsTo(principal.WorkspaceID) {
		return nil, problem.NotFound.Because(nil)
	}
	f.Credential = principal.CredentialID
	address, cookie, err := e.depart(ctx, provider, f)
	if err != nil {
		return nil, err
	}
	return &departOutput{SetCookie: cookie, Body: Departure{URL: address}}, nil
}

// UnlinkIdentity has an identity sign who asks in no more.
func (e *Endpoints) UnlinkIdentity() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "unlink-identity", Scope: storage.ScopeAdmin, Summary: "Unlink a provider",
		Description: "You can't sign in by it any more, and your other sessions that began by it end. Refused as `last_way_in` where you would have none left. By a signed-in browser only, and `step_up` where who you are was not proved within the last 10 minutes.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.NotFound, problem.LastWayIn},
	}, e.unlinkIdentity)
}

func (e *Endpoints) unlinkIdentity(ctx context.Context, principal storage.Principal, in *identityInput) (*struct{}, error) {
	if err := e.deps.Identities.UnlinkIdentity(ctx, principal, in.ID, e.deps.Mail); err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.TokenRevoked, principal.UserID, "sessions of identity "+in.ID)
	e.RevokedOf(ctx, principal) // a session that began by it may go on in another workspace
	return nil, nil
}

// ProveByProvider begins to prove at a provider who one is.
func (e *Endpoints) ProveByProvider() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "step-up-by-provider", Scope: storage.ScopeAdmin, Summary: "Begin proving who you are at a provider",
		Description: "Answers with the address at an OpenID provider that you are linked at, for this browser to open. The provider asks you to sign in there anew; then, for 10 minutes, what answers `step_up` can be done with the session that asks.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Unavailable}, Example: departureExample(),
	}, e.proveByProvider)
}

func (e *Endpoints) proveByProvider(ctx context.Context, principal storage.Principal, in *proveInput) (*departOutput, error) {
	if rest.CallFrom(ctx).Kind != storage.SessionToken {
		return nil, problem.Forbidden.Saying("Only a signed-in browser can prove who you are at a provider. A token cannot.", nil)
	}
	return e.sendAway(ctx, principal, in.Body.Provider, flow{Purpose: toProve, To: in.Body.To})
}

// Problem makes problems of the errors that only these calls have.
func Problem(err error) *problem.Problem {
	return problem.Sentinels{{Err: openid.ErrAway, Kind: problem.Unavailable, RetryAfter: "30"}}.Find(err)
}

func departureExample() Departure {
	return Departure{URL: "https://sso.example.org/authorize?client_id=hark&state=…"}
}
