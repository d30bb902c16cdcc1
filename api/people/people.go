// Package people answers who is in a workspace: who asks, the others, and the
// workspace itself.
//
// A call asks storage as the principal who asks, and prints the records by the
// views here. Packages whose answers name people use the same ([View], [Author]).
package people

import (
	"cmp"
	"context"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	People(ctx context.Context, principal storage.Principal) ([]storage.User, error)
	Profile(ctx context.Context, principal storage.Principal) (storage.Profile, error)
	Rename(ctx context.Context, principal storage.Principal, name string) (storage.Profile, error)
	RenameWorkspace(ctx context.Context, principal storage.Principal, name string) (storage.Profile, error)
	SetRules(ctx context.Context, principal storage.Principal, changed storage.Rules) (storage.Profile, error)
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records Records
	// Revoked has what goes on in a workspace end that may not go on.
	Revoked func(ctx context.Context, workspaceID string)
}

// Endpoints answer the calls about people.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps} }

// User is a person in the workspace, or an integration.
type User struct {
	ID        string           `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Kind      storage.UserKind `json:"kind" enum:"person,integration" doc:"integration: a program that takes part by its API tokens; more may be added" example:"person"`
	Name      string           `json:"name" doc:"As they call themselves; several may have the same" example:"Ada"`
	Color     int              `json:"color" minimum:"0" maximum:"11" doc:"Which of twelve colours to show them in, by the order of joining: the first dozen differ" example:"0"`
	Role      storage.Role     `json:"role" enum:"owner,admin,member,guest" example:"member"`
	Disabled  bool             `json:"disabled,omitempty" doc:"Whether they are kept out; left out if not" example:"false"`
	CreatedAt time.Time        `json:"created_at" example:"2026-03-01T09:30:00Z"`
}

// Me is who asks.
type Me struct {
	User
	WorkspaceID   string `json:"workspace_id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-000000000001"`
	WorkspaceName string `json:"workspace_name" example:"Harbour office"`
	GeneralID     string `json:"general_id,omitempty" format:"uuid" doc:"Id of the conversation that everybody joins who is added to the workspace, guests excepted; left out where there is none that you are in" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	NeedsSignIn   bool   `json:"needs_sign_in" doc:"Whether you have no password, passkey or linked provider, and sign in by links alone" example:"false"`
	Rules         Rules  `json:"rules" doc:"What the workspace lets its members do"`
	NeedsNames    bool   `json:"needs_names" doc:"Whether nobody has chosen your name yet or, where you are an owner, that of the workspace" example:"false"`
}

type (
	meOutput      struct{ Body Me }
	updateMeInput struct {
		Body struct {
			Name string `json:"name" maxLength:"400" doc:"1 to 80 characters, beside what is taken out" example:"Ada Lovelace"`
		} `nameHint:"MePatch"`
	}
)

type usersOutput struct {
	Body struct {
		Items []User `json:"items" nullable:"false"`
	} `nameHint:"UserList"`
}

// GetMe answers who asks.
func (e *Endpoints) GetMe() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-me", Cacheable: true,
		Summary: "Get current user", Example: meView(profileExample()),
	}, e.getMe)
}

func (e *Endpoints) getMe(ctx context.Context, principal storage.Principal, _ *struct{}) (*meOutput, error) {
	return meAnswer(e.deps.Records.Profile(ctx, principal))
}

// UpdateMe changes the name of who asks.
func (e *Endpoints) UpdateMe() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-me", Cost: limit.Renames, Scope: storage.ScopeWrite, Summary: "Change your name",
		Description: "It is shown anew wherever it was. Control characters and marks that turn the direction of text are taken out.",
		Problems:    []problem.Kind{problem.Validation}, Example: meView(profileExample()),
	}, e.updateMe)
}

func (e *Endpoints) updateMe(ctx context.Context, principal storage.Principal, in *updateMeInput) (*meOutput, error) {
	return meAnswer(e.deps.Records.Rename(ctx, principal, in.Body.Name))
}

func meAnswer(p storage.Profile, err error) (*meOutput, error) {
	if err != nil {
		return nil, err
	}
	return &meOutput{Body: meView(p)}, nil
}

func meView(p storage.Profile) Me {
	return Me{
		User: View(p.User), WorkspaceID: p.Workspace.ID, WorkspaceName: p.Workspace.Name, GeneralID: p.Workspace.GeneralID,
		NeedsSignIn: !p.SignsIn, NeedsNames: !p.Named || p.Role.Owns() && !p.Workspace.Named,
		Rules: rulesView(p.Workspace.Rules),
	}
}

// ListUsers lists the people of the workspace.
func (e *Endpoints) ListUsers() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-users", Scope: storage.ScopeRead, Cacheable: true,
		Summary:     "List users",
		Description: "Everybody, in the order of joining. Guests, and members where the workspace's rules keep the directory from them, see themselves and those with whom they share a conversation.",
	}, e.listUsers)
}

func (e *Endpoints) listUsers(ctx context.Context, principal storage.Principal, _ *struct{}) (*usersOutput, error) {
	users, err := e.deps.Records.People(ctx, principal)
	if err != nil {
		return nil, err
	}
	out := &usersOutput{}
	out.Body.Items = rest.Views(users, View)
	return out, nil
}

// View is u as the API shows them.
func View(u storage.User) User {
	return User{ID: u.ID, Kind: cmp.Or(u.Kind, storage.KindPerson), Name: u.Name, Color: Color(u.No), Role: u.Role, Disabled: u.Disabled, CreatedAt: u.CreatedAt}
}

func profileExample() storage.Profile {
	return storage.Profile{
		User:    storage.User{ID: example.UserID, Name: "Ada", Named: true, Role: storage.RoleMember, No: 1, CreatedAt: example.Time(0)},
		SignsIn: true,
		Workspace: storage.Workspace{
			ID: example.WorkspaceID, Name: "Harbour office", Named: true, CreatedAt: example.Time(0), GeneralID: example.ConversationID, Rules: storage.DefaultRules,
		},
	}
}
