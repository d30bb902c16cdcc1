package integrations

import (
	"context"
	"net/http"

	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/api/signin"
	"hark/storage"
)

type (
	tokensOutput struct {
		Body struct {
			Items []signin.Token `json:"items" nullable:"false"`
		} `nameHint:"TokenList"`
	}
	newTokenInput struct {
		ID   string `path:"id" doc:"Id of the integration"`
		Body struct {
			Name      string   `json:"name" minLength:"1" maxLength:"100" doc:"What it is for" example:"cron job"`
			ExpiresIn int64    `json:"expires_in,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds until it expires; 0 means never" example:"31536000"`
			Scopes    []string `json:"scopes,omitempty" minItems:"1" maxItems:"100" nullable:"false" doc:"Of read, write, record and conversation:ID, never admin; left out, for the first three" example:"[\"record\"]"`
		} `nameHint:"IntegrationTokenRequest"`
	}
	newTokenOutput struct{ Body signin.NewToken }
	tokenInput     struct {
		ID      string `path:"id" doc:"Id of the integration"`
		TokenID string `path:"token_id" doc:"Id of the token"`
	}
)

// CreateToken makes a token of an integration.
func (e *Endpoints) CreateToken() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-integration-token", Cost: limit.Tokens, Scope: storage.ScopeAdmin, Status: http.StatusCreated, Summary: "Create a token of an integration",
		Description: "The secret is shown once; only its hash is kept. The token belongs to the workspace: it outlives the session and the place of who made it. So owners and admins make one in a signed-in browser alone, and `step_up` where neither the password was given nor a passkey used within the last 10 minutes. An integration has at most 50.",
		Problems:    []problem.Kind{problem.Forbidden, problem.StepUp, problem.NotFound, problem.Validation}, Example: signin.NewTokenExample(),
	}, e.createToken)
}

func (e *Endpoints) createToken(ctx context.Context, principal storage.Principal, in *newTokenInput) (*newTokenOutput, error) {
	n, err := signin.APIToken(in.Body.Name, in.Body.ExpiresIn, in.Body.Scopes)
	if err != nil {
		return nil, err
	}
	token, secret, err := e.deps.Records.CreateIntegrationToken(ctx, principal, in.ID, n)
	if err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.TokenCreated, principal.UserID, token.ID)
	return &newTokenOutput{Body: signin.NewToken{Token: signin.TokenView(token, principal), Secret: secret}}, nil
}

// ListTokens lists the tokens of an integration.
func (e *Endpoints) ListTokens() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-integration-tokens", Scope: storage.ScopeAdmin, Summary: "List an integration's tokens",
		Description: "Those that are good, the oldest first. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.listTokens)
}

func (e *Endpoints) listTokens(ctx context.Context, principal storage.Principal, in *oneInput) (*tokensOutput, error) {
	tokens, err := e.deps.Records.IntegrationTokens(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	out := &tokensOutput{}
	out.Body.Items = rest.Views(tokens, func(t storage.Token) signin.Token { return signin.TokenView(t, principal) })
	return out, nil
}

// RevokeToken ends a token of an integration, and all that goes on under it.
func (e *Endpoints) RevokeToken() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "revoke-integration-token", Scope: storage.ScopeAdmin, Summary: "Revoke a token of an integration",
		Description: "It stops working at once, as with one of yours. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.revokeToken)
}

func (e *Endpoints) revokeToken(ctx context.Context, principal storage.Principal, in *tokenInput) (*struct{}, error) {
	if err := e.deps.Records.RevokeIntegrationToken(ctx, principal, in.ID, in.TokenID); err != nil {
		return nil, err
	}
	e.deps.Security.Done(ctx, security.TokenRevoked, principal.UserID, in.TokenID)
	e.deps.Revoked(ctx, principal.WorkspaceID)
	return nil, nil
}
