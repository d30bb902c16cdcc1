// Package members answers, to owners and admins, who is in the workspace and what place
// each has in it: their role, and whether they are let in.
//
// What a change ends (sessions, streams, recordings) ends on every node at once; the
// others who look at the list hear of it by an event.
package members

import (
	"context"
	"net/http"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	Members(ctx context.Context, principal storage.Principal, words string, page storage.Page) ([]storage.Member, string, error)
	ChangeMember(ctx context.Context, principal storage.Principal, userID string, patch storage.MemberPatch) (storage.Member, error)
	CreateMemberLink(ctx context.Context, principal storage.Principal, userID string, life time.Duration) (storage.Token, string, error)
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	PublicURL rest.PublicURL
	// Revoked has what goes on in a workspace end that may not go on.
	Revoked func(ctx context.Context, workspaceID string)
}

// Endpoints answer the calls about the people of a workspace.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps} }

// WorkspaceMember is a user with what those may know who manage the workspace's people.
type WorkspaceMember struct {
	people.User
	LastActiveAt *time.Time `json:"last_active_at,omitempty" doc:"When they, or a program of theirs, last asked for something, to the minute; left out if never" example:"2026-03-02T08:15:00Z"`
}

type (
	listInput struct {
		rest.PageParams
		Q string `query:"q" maxLength:"200" doc:"Only those whose name has parts that begin with these words, whatever their case and accents" example:"ada lo"`
	}
	updateInput struct {
		ID   string `path:"id" doc:"Id of the user"`
		Body struct {
			Role     *storage.Role `json:"role,omitempty" enum:"owner,admin,member,guest" doc:"At the most your own; left out to leave it" example:"admin"`
			Disabled *bool         `json:"disabled,omitempty" doc:"Whether they are kept out; left out to leave it" example:"false"`
		} `nameHint:"WorkspaceMemberPatch"`
	}
	memberOutput struct{ Body WorkspaceMember }
	memberInput  struct {
		ID string `path:"id" doc:"Id of the user"`
	}
	linkOutput struct{ Body SignInLink }
)

// SignInLink is an address that signs somebody in once.
type SignInLink struct {
	Link      string    `json:"link" format:"uri" doc:"To hand on to them; shown once" example:"https://hark.example.org/sign-in?code=hark_9JbLQvN3"`
	ExpiresAt time.Time `json:"expires_at" example:"2026-03-02T09:30:00Z"`
}

// linkLife is how long a sign-in link can be used.
const linkLife = 24 * time.Hour

// List lists everybody.
func (e *Endpoints) List() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-workspace-members", Scope: storage.ScopeAdmin, Summary: "List the workspace's members",
		Description: "Everybody with their role and when they were last active, those who came last first. By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.BadCursor, problem.Validation},
		Example:     rest.Page[WorkspaceMember]{Items: []WorkspaceMember{view(memberExample())}},
	}, e.list)
}

func (e *Endpoints) list(ctx context.Context, principal storage.Principal, in *listInput) (*rest.PageOutput[WorkspaceMember], error) {
	members, next, err := e.deps.Records.Members(ctx, principal, in.Q, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), members, next, view), nil
}

// Update changes somebody's role, or whether they are let in.
func (e *Endpoints) Update() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-workspace-member", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Change a member's role, deactivate, activate",
		Description: "By an owner or an admin; nobody changes somebody whose role is above theirs, gives a role above theirs, or deactivates themselves. " +
			"Deactivating ends all their sessions, tokens, event streams and recordings at once, revokes the invitations that they made and hands over the channels that they made " +
			"to who has been there longest; what they said stays. The last owner stays one.",
		Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.LastOwner, problem.Validation}, Example: view(memberExample()),
	}, e.update)
}

func (e *Endpoints) update(ctx context.Context, principal storage.Principal, in *updateInput) (*memberOutput, error) {
	member, err := e.deps.Records.ChangeMember(ctx, principal, in.ID, storage.MemberPatch{Role: in.Body.Role, Disabled: in.Body.Disabled})
	if err != nil {
		return nil, err
	}
	e.deps.Revoked(ctx, principal.WorkspaceID)
	return &memberOutput{Body: view(member)}, nil
}

// CreateLink makes a sign-in link for somebody.
func (e *Endpoints) CreateLink() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-sign-in-link", Cost: limit.Tokens, Scope: storage.ScopeAdmin, Summary: "Create a sign-in link for a member",
		Description: "For who has lost their ways in. By an owner or an admin, in a signed-in browser, for somebody else whose role is not above theirs; `step_up` where neither the password was given nor a passkey used within the last 10 minutes. " +
			"The link works once, for a day, and signs in to this workspace alone. The person is told by mail when it was used, where they have an address.",
		Status:   http.StatusCreated,
		Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.StepUp},
		Example:  SignInLink{Link: "https://hark.example.org/sign-in?code=hark_9JbLQvN3", ExpiresAt: example.Time(24 * 60 * 60)},
	}, e.createLink)
}

func (e *Endpoints) createLink(ctx context.Context, principal storage.Principal, in *memberInput) (*linkOutput, error) {
	token, secret, err := e.deps.Records.CreateMemberLink(ctx, principal, in.ID, linkLife)
	if err != nil {
		return nil, err
	}
	return &linkOutput{SignInLink{Link: e.deps.PublicURL.Address() + "/sign-in?code=" + secret, ExpiresAt: token.ExpiresAt}}, nil
}

func view(m storage.Member) WorkspaceMember {
	return WorkspaceMember{User: people.View(m.User), LastActiveAt: rest.TimeOrNil(m.LastActiveAt)}
}

func memberExample() storage.Member {
	return storage.Member{
		User:         storage.User{ID: example.UserID, Name: "Ada", Named: true, Role: storage.RoleMember, No: 1, CreatedAt: example.Time(0)},
		LastActiveAt: example.Time(24 * 60 * 60),
	}
}
