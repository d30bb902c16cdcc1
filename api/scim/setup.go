package scim

import (
	"context"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
	"hark/storage/provision"
)

// Provisioning is how an identity provider keeps the people of the workspace.
type Provisioning struct {
	BaseURL string          `json:"base_url" format:"uri" doc:"Where SCIM is, for the provider" example:"https://hark.example.org/scim/v2"`
	Tokens  []ProviderToken `json:"tokens" nullable:"false" doc:"By which providers come, the newest first; at most 100"`
}

// ProviderToken is one by which a provider comes, without its secret.
type ProviderToken struct {
	ID         string       `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name       string       `json:"name" example:"Entra ID"`
	User       ProviderUser `json:"user" doc:"Who made it, and as whom it acts"`
	CreatedAt  time.Time    `json:"created_at" example:"2026-03-01T09:30:00Z"`
	LastUsedAt *time.Time   `json:"last_used_at,omitempty" doc:"To the minute; left out if never" example:"2026-03-02T10:00:00Z"`
	ExpiresAt  *time.Time   `json:"expires_at,omitempty" doc:"Left out if it never expires" example:"2027-03-01T09:30:00Z"`
	Address    string       `json:"address,omitempty" doc:"IP address that it was used from last" example:"203.0.113.7"`
}

// ProviderUser is whose a token is.
type ProviderUser struct {
	ID   string `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e54"`
	Name string `json:"name" example:"Ada"`
}

// ProvisionedGroup is one that a provider keeps here.
type ProvisionedGroup struct {
	ID         string       `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e58"`
	Name       string       `json:"name" example:"Contractors"`
	ExternalID string       `json:"external_id,omitempty" doc:"The provider's own id; left out if there is none" example:"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"`
	Members    int          `json:"members" doc:"How many there are" example:"12"`
	Role       storage.Role `json:"role" enum:"admin,member,guest,none" doc:"That its members get" example:"guest"`
	ChangedAt  time.Time    `json:"changed_at" example:"2026-03-02T10:00:00Z"`
}

// noRole stands for none.
const noRole = "none"

type (
	provisioningOutput struct{ Body Provisioning }
	groupOutput        struct{ Body ProvisionedGroup }
	groupsInput        struct{ rest.PageParams }
	groupRoleInput     struct {
		ID   string `path:"id" doc:"Id of the group"`
		Body struct {
			Role storage.Role `json:"role" enum:"admin,member,guest,none" doc:"That its members are to get; at the most your own" example:"guest"`
		} `nameHint:"ProvisionedGroupPatch"`
	}
)

// GetProvisioning shows how a provider comes.
func (e *Endpoints) GetProvisioning() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-provisioning", Scope: storage.ScopeAdmin, Summary: "Get provisioning",
		Description: "The address of SCIM 2.0, at which an identity provider such as Entra ID or Okta keeps the people of the workspace, and the tokens by which they come. " +
			"A token is made by `POST /v1/tokens` with the scope `scim`. By an owner or an admin.",
		Problems: []problem.Kind{problem.Forbidden}, Example: Provisioning{BaseURL: "https://hark.example.org/scim/v2", Tokens: []ProviderToken{tokenView(tokenExample(), "Ada")}},
	}, e.getProvisioning)
}

func (e *Endpoints) getProvisioning(ctx context.Context, principal storage.Principal, _ *struct{}) (*provisioningOutput, error) {
	tokens, whose, err := e.deps.Setup.ProvisioningTokens(ctx, principal)
	if err != nil {
		return nil, err
	}
	view := func(t storage.Token) ProviderToken { return tokenView(t, whose[t.UserID].Name) }
	return &provisioningOutput{Body: Provisioning{BaseURL: e.base(), Tokens: rest.Views(tokens, view)}}, nil
}

// ListGroups lists what groups providers keep.
func (e *Endpoints) ListGroups() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-provisioned-groups", Scope: storage.ScopeAdmin, Summary: "List provisioned groups",
		Description: "The groups that identity providers keep here, by name, and the role that each gives its members. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.BadCursor}, Example: rest.Page[ProvisionedGroup]{Items: []ProvisionedGroup{groupView(groupExample())}},
	}, e.listGroups)
}

func (e *Endpoints) listGroups(ctx context.Context, principal storage.Principal, in *groupsInput) (*rest.PageOutput[ProvisionedGroup], error) {
	list, next, err := e.deps.Setup.GroupPage(ctx, principal, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), list, next, groupView), nil
}

// SetGroupRole has the members of a group get a role.
func (e *Endpoints) SetGroupRole() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-provisioned-group", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Change the role that a group gives",
		Description: "Its members get the role at once, and whoever joins it later; of several groups the highest counts. Who has a role of a group, and leaves the last that gives it, becomes a member. " +
			"Owners stay owners, and who asks stays what they are. By an owner or an admin in a signed-in browser; `step_up` where neither the password was given nor a passkey used within the last 10 minutes.",
		Problems: []problem.Kind{problem.Forbidden, problem.StepUp, problem.NotFound, problem.Validation}, Example: groupView(groupExample()),
	}, e.setGroupRole)
}

func (e *Endpoints) setGroupRole(ctx context.Context, principal storage.Principal, in *groupRoleInput) (*groupOutput, error) {
	role := in.Body.Role
	if role == noRole {
		role = ""
	}
	group, err := e.deps.Setup.SetGroupRole(ctx, principal, in.ID, role)
	if err != nil {
		return nil, err
	}
	e.deps.Revoked(ctx, principal.WorkspaceID)
	return &groupOutput{Body: groupView(group)}, nil
}

func tokenView(t storage.Token, name string) ProviderToken {
	return ProviderToken{
		ID: t.ID, Name: t.Name, User: ProviderUser{ID: t.UserID, Name: name}, CreatedAt: t.CreatedAt,
		LastUsedAt: rest.TimeOrNil(t.LastUsedAt), ExpiresAt: rest.TimeOrNil(t.ExpiresAt), Address: t.Address,
	}
}

func groupView(g provision.Group) ProvisionedGroup {
	view := ProvisionedGroup{ID: g.ID, Name: g.Name, ExternalID: g.ExternalID, Members: g.Size, Role: g.Role, ChangedAt: g.ChangedAt}
	if view.Role == "" {
		view.Role = noRole
	}
	return view
}

func tokenExample() storage.Token {
	return storage.Token{ID: example.TokenID, UserID: example.UserID, Name: "Entra ID", CreatedAt: example.Time(0), LastUsedAt: example.Time(60), Address: "203.0.113.7"}
}

func groupExample() provision.Group {
	return provision.Group{
		ID: example.TokenID, GroupKnown: provision.GroupKnown{Name: "Contractors", ExternalID: "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159"},
		Role: storage.Guest, Size: 12, ChangedAt: example.Time(0),
	}
}
