// Package integrations answers, to owners and admins, which programs take part in the
// workspace: integrations (bots), which are users of a kind of their own, and the API
// tokens by which they come.
//
// An integration and its tokens belong to the workspace, whatever becomes of who made
// them. So tokens are made in a signed-in browser alone, after a proof of who it is. What
// a change ends (streams, recordings) ends on every node at once.
package integrations

import (
	"context"
	"net/http"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	CreateIntegration(ctx context.Context, principal storage.Principal, n storage.NewIntegration) (storage.Integration, error)
	Integrations(ctx context.Context, principal storage.Principal, page storage.Page) ([]storage.Integration, string, error)
	Integration(ctx context.Context, principal storage.Principal, id string) (storage.Integration, error)
	ChangeIntegration(ctx context.Context, principal storage.Principal, id string, patch storage.IntegrationPatch) (storage.Integration, error)
	Tokens
}

// Tokens is what the calls about an integration's tokens ask of storage.
type Tokens interface {
	CreateIntegrationToken(ctx context.Context, principal storage.Principal, id string, n storage.NewToken) (storage.Token, string, error)
	IntegrationTokens(ctx context.Context, principal storage.Principal, id string) ([]storage.Token, error)
	RevokeIntegrationToken(ctx context.Context, principal storage.Principal, id, tokenID string) error
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records  Records
	Security *security.Log
	// Revoked has what goes on in a workspace end that may not go on.
	Revoked func(ctx context.Context, workspaceID string)
}

// Endpoints answer the calls about integrations.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps} }

// Integration is a program that takes part in the workspace.
type Integration struct {
	people.User
	Description  string         `json:"description" doc:"What it is for; empty if nobody said" example:"Reads the tide table aloud each morning"`
	CreatedBy    *people.Author `json:"created_by,omitempty" doc:"Who made it; left out where whoever runs the server did"`
	LastActiveAt *time.Time     `json:"last_active_at,omitempty" doc:"When it last asked for something, to the minute; left out if never" example:"2026-03-02T08:15:00Z"`
}

type (
	createInput struct {
		Body struct {
			Name            string       `json:"name" maxLength:"400" doc:"1 to 80 characters, beside what is taken out" example:"Tide table"`
			Description     string       `json:"description,omitempty" maxLength:"2000" doc:"At most 500 characters" example:"Reads the tide table aloud each morning"`
			Role            storage.Role `json:"role,omitempty" enum:"member,guest" doc:"guest, also if left out: is only where it is put; member: is in the conversation for everybody, sees who there is, and makes channels as the rules have it" example:"guest"`
			ConversationIDs []string     `json:"conversation_ids,omitempty" maxItems:"50" nullable:"false" doc:"Channels that you are in, where it is put"`
		} `nameHint:"IntegrationRequest"`
	}
	listInput struct{ rest.PageParams }
	oneInput  struct {
		ID string `path:"id" doc:"Id of the integration"`
	}
	updateInput struct {
		ID   string `path:"id" doc:"Id of the integration"`
		Body struct {
			Name        *string       `json:"name,omitempty" maxLength:"400" doc:"Left out to leave it" example:"Tide table"`
			Description *string       `json:"description,omitempty" maxLength:"2000" doc:"Left out to leave it; empty for none" example:"Reads the tide table aloud each morning"`
			Role        *storage.Role `json:"role,omitempty" enum:"member,guest" doc:"Left out to leave it" example:"guest"`
			Disabled    *bool         `json:"disabled,omitempty" doc:"Whether it is deactivated; left out to leave it" example:"false"`
		} `nameHint:"IntegrationPatch"`
	}
	oneOutput struct{ Body Integration }
)

// Create makes an integration.
func (e *Endpoints) Create() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-integration", Cost: limit.Members, Scope: storage.ScopeAdmin, Status: http.StatusCreated, Summary: "Create an integration",
		Description: "A program that takes part as a user of its own, by API tokens alone: it signs in nowhere, and manages nothing. It belongs to the workspace, whatever becomes of who made it. By owners and admins; a workspace has at most 100 that are active.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Validation}, Example: View(integrationExample()),
	}, e.create)
}

func (e *Endpoints) create(ctx context.Context, principal storage.Principal, in *createInput) (*oneOutput, error) {
	for _, id := range in.Body.ConversationIDs {
		if !rest.IsID(id) {
			return nil, storage.ErrNotFound
		}
	}
	return answer(e.deps.Records.CreateIntegration(ctx, principal, storage.NewIntegration{
		Name: in.Body.Name, Description: in.Body.Description, Role: in.Body.Role, ConversationIDs: in.Body.ConversationIDs,
	}))
}

// List lists the workspace's integrations.
func (e *Endpoints) List() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-integrations", Scope: storage.ScopeAdmin, Summary: "List integrations",
		Description: "Those that were made last first, deactivated ones among them. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.BadCursor, problem.Validation},
		Example:     rest.Page[Integration]{Items: []Integration{View(integrationExample())}},
	}, e.list)
}

func (e *Endpoints) list(ctx context.Context, principal storage.Principal, in *listInput) (*rest.PageOutput[Integration], error) {
	list, next, err := e.deps.Records.Integrations(ctx, principal, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), list, next, View), nil
}

// Get answers one integration.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-integration", Scope: storage.ScopeAdmin, Summary: "Get an integration",
		Description: "By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound}, Example: View(integrationExample()),
	}, e.get)
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, in *oneInput) (*oneOutput, error) {
	return answer(e.deps.Records.Integration(ctx, principal, in.ID))
}

// Update changes an integration.
func (e *Endpoints) Update() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-integration", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Change an integration, deactivate, activate",
		Description: "By an owner or an admin. Deactivating does what deleting does. Activated again it gets new tokens: the old ones stay ended.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Validation}, Example: View(integrationExample()),
	}, e.update)
}

func (e *Endpoints) update(ctx context.Context, principal storage.Principal, in *updateInput) (*oneOutput, error) {
	return e.change(ctx, principal, in.ID, storage.IntegrationPatch{
		Name: in.Body.Name, Description: in.Body.Description, MemberPatch: storage.MemberPatch{Role: in.Body.Role, Disabled: in.Body.Disabled},
	})
}

func (e *Endpoints) change(ctx context.Context, principal storage.Principal, id string, patch storage.IntegrationPatch) (*oneOutput, error) {
	integration, err := e.deps.Records.ChangeIntegration(ctx, principal, id, patch)
	if err == nil {
		e.deps.Revoked(ctx, principal.WorkspaceID)
	}
	return answer(integration, err)
}

// Delete deactivates an integration.
func (e *Endpoints) Delete() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "delete-integration", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Deactivate an integration",
		Description: "Ends its tokens, event streams and recordings at once. What it said stays, with its name; so does the integration, deactivated. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.remove)
}

func (e *Endpoints) remove(ctx context.Context, principal storage.Principal, in *oneInput) (*struct{}, error) {
	_, err := e.change(ctx, principal, in.ID, storage.IntegrationPatch{MemberPatch: storage.MemberPatch{Disabled: new(true)}})
	return nil, err
}

func answer(i storage.Integration, err error) (*oneOutput, error) {
	if err != nil {
		return nil, err
	}
	return &oneOutput{Body: View(i)}, nil
}

// View is an integration as the API shows it.
func View(i storage.Integration) Integration {
	v := Integration{User: people.View(i.User), Description: i.Description, LastActiveAt: rest.TimeOrNil(i.LastActiveAt)}
	if maker := i.CreatedBy; maker.ID != "" {
		v.CreatedBy = new(people.NewAuthor(maker.ID, maker.Name, maker.No, maker.Kind))
	}
	return v
}

func integrationExample() storage.Integration {
	return storage.Integration{
		User:        storage.User{ID: "0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e59", Kind: storage.KindIntegration, Name: "Tide table", Named: true, Role: storage.Guest, No: 7, CreatedAt: example.Time(0)},
		Description: "Reads the tide table aloud each morning", CreatedBy: storage.User{ID: example.UserID, Name: "Ada", No: 1},
		LastActiveAt: example.Time(24 * 60 * 60),
	}
}
