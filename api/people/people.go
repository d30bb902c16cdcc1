// Package people answers who is in a workspace: who asks, the others, and the
// workspace itself.
//
// A call asks storage as the principal who asks, and prints the records by the
// views here. Packages whose answers name people use the same ([View], [Author]).
package people

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
	"hark/storage/quiet"
)

// Records is what the calls ask of storage.
type Records interface {
	People(ctx context.Context, principal storage.Principal) ([]storage.User, error)
	Profile(ctx context.Context, principal storage.Principal) (storage.Profile, error)
	ChangeProfile(ctx context.Context, principal storage.Principal, patch storage.ProfilePatch) (storage.Profile, error)
	RenameWorkspace(ctx context.Context, principal storage.Principal, name string) (storage.Profile, error)
	SetRules(ctx context.Context, principal storage.Principal, changed storage.Rules) (storage.Profile, error)
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records Records
	// Revoked has what goes on in a workspace end that may not go on.
	Revoked func(ctx context.Context, workspaceID string)
	// CreateWorkspaces says whether people may create workspaces.
	CreateWorkspaces bool
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

	Picture       string `json:"picture,omitempty" doc:"Path of their picture, below the public address; its bytes never change. Left out if they have none" example:"/v1/users/0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55/picture?v=1f5a9c02e7b44d38"`
	Pronunciation string `json:"pronunciation,omitempty" doc:"Path of a recording of how their name is pronounced, as of the picture" example:"/v1/users/0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55/pronunciation?v=90c1d7e2a8b3f465"`
}

// Me is who asks.
type Me struct {
	User
	WorkspaceID   string `json:"workspace_id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-000000000001"`
	WorkspaceName string `json:"workspace_name" example:"Harbour office"`
	GeneralID     string `json:"general_id,omitempty" format:"uuid" doc:"Id of the conversation that everybody joins who is added to the workspace, guests excepted; left out where there is none that you are in" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	NeedsSignIn   bool   `json:"needs_sign_in" doc:"Whether you have no password, passkey or linked provider, and sign in by links alone" example:"false"`
	Rules         Rules  `json:"rules" doc:"What the workspace lets its members do"`
	Language      string `json:"language,omitempty" enum:"en,de" doc:"That you want to be spoken to in; left out to follow the browser" example:"en"`
	TimeZone      string `json:"time_zone,omitempty" doc:"Of yours (IANA); left out if you chose none" example:"Europe/Berlin"`

	QuietHours *quiet.Hours `json:"quiet_hours,omitempty" doc:"When you do not want to be disturbed, by the clock of your time zone; left out for never"`

	Switches   bool `json:"switches,omitempty" doc:"To a signed-in browser: whether you are in other workspaces of this server too, or may create one; left out if not" example:"false"`
	NeedsNames bool `json:"needs_names" doc:"Whether nobody has chosen your name yet or, where you are an owner, that of the workspace" example:"false"`
}

type (
	meOutput      struct{ Body Me }
	updateMeInput struct {
		Body struct {
			Name       *string    `json:"name,omitempty" maxLength:"400" doc:"1 to 80 characters, beside what is taken out" example:"Ada Lovelace"`
			Language   *string    `json:"language,omitempty" maxLength:"16" doc:"en or de; empty to follow the browser. Mail to you is in it too" example:"en"`
			TimeZone   *string    `json:"time_zone,omitempty" maxLength:"64" doc:"Name of a zone (IANA); empty for none" example:"Europe/Berlin"`
			QuietHours quietPatch `json:"quiet_hours,omitempty" doc:"null for never"`
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
	p, err := e.deps.Records.Profile(ctx, principal)
	return e.meAnswer(ctx, p, err)
}

// UpdateMe changes the name of who asks.
func (e *Endpoints) UpdateMe() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-me", Cost: limit.Renames, Scope: storage.ScopeWrite, Summary: "Change your profile",
		Description: "What is left out stays. A name is shown anew wherever it was; control characters and marks that turn the direction of text are taken out.",
		Problems:    []problem.Kind{problem.Validation}, Example: meView(profileExample()),
	}, e.updateMe)
}

func (e *Endpoints) updateMe(ctx context.Context, principal storage.Principal, in *updateMeInput) (*meOutput, error) {
	patch := storage.ProfilePatch{Name: in.Body.Name, Language: in.Body.Language, TimeZone: in.Body.TimeZone}
	if in.Body.QuietHours.given {
		patch.QuietHours = &in.Body.QuietHours.hours
	}
	p, err := e.deps.Records.ChangeProfile(ctx, principal, patch)
	return e.meAnswer(ctx, p, err)
}

func (e *Endpoints) meAnswer(ctx context.Context, p storage.Profile, err error) (*meOutput, error) {
	if err != nil {
		return nil, err
	}
	me := meView(p)
	me.Switches = rest.CallFrom(ctx).Kind == storage.SessionToken && (p.Elsewhere || e.deps.CreateWorkspaces)
	return &meOutput{Body: me}, nil
}

func meView(p storage.Profile) Me {
	return Me{
		User: View(p.User), WorkspaceID: p.Workspace.ID, WorkspaceName: p.Workspace.Name, GeneralID: p.Workspace.GeneralID,
		NeedsSignIn: !p.SignsIn, NeedsNames: !p.Named || p.Role.Owns() && !p.Workspace.Named,
		Rules:    rulesView(p.Workspace.Rules),
		Language: p.Language, TimeZone: p.TimeZone, QuietHours: p.QuietHours,
	}
}

// quietPatch tells hours that are left out from null.
type quietPatch struct {
	given bool
	hours *quiet.Hours
}

// UnmarshalJSON reads hours or null.
func (q *quietPatch) UnmarshalJSON(b []byte) error {
	q.given = true
	return json.Unmarshal(b, &q.hours)
}

// Schema is that of hours, or null.
func (quietPatch) Schema(r huma.Registry) *huma.Schema {
	schema := *huma.SchemaFromType(r, reflect.TypeFor[quiet.Hours]())
	schema.Nullable = true
	return &schema
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
	return User{
		ID: u.ID, Kind: cmp.Or(u.Kind, storage.KindPerson), Name: u.Name, Color: Color(u.No), Role: u.Role, Disabled: u.Disabled, CreatedAt: u.CreatedAt,
		Picture: objectPath(u.ID, "picture", u.PictureKey), Pronunciation: objectPath(u.ID, "pronunciation", u.PronunciationKey),
	}
}

// objectPath is where an object of a user is answered; empty where there is none.
func objectPath(userID, what, key string) string {
	if key == "" {
		return ""
	}
	return "/v1/users/" + userID + "/" + what + "?v=" + storage.KeyVersion(key)
}

// UserExample is a user as descriptions show them.
func UserExample() User { return View(profileExample().User) }

func profileExample() storage.Profile {
	return storage.Profile{
		User: storage.User{
			ID: example.UserID, Name: "Ada", Named: true, Role: storage.RoleMember, No: 1, CreatedAt: example.Time(0), PictureKey: "picture", PronunciationKey: "pronunciation",
		},
		Personal: storage.Personal{Language: "en", TimeZone: "Europe/Berlin", QuietHours: &quiet.Hours{From: "22:00", To: "07:00"}},
		SignsIn:  true,
		Workspace: storage.Workspace{
			ID: example.WorkspaceID, Name: "Harbour office", Named: true, CreatedAt: example.Time(0), GeneralID: example.ConversationID, Rules: storage.DefaultRules,
		},
	}
}
