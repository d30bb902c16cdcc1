package signin

import (
	"context"
	"net/http"
	"time"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Workspaces is what is asked of storage about a person's workspaces.
type Workspaces interface {
	JoinedWorkspaces(ctx context.Context, principal storage.Principal) ([]storage.JoinedWorkspace, error)
	Switch(ctx context.Context, principal storage.Principal, workspaceID string) (session storage.Token, secret string, err error)
	CreateWorkspaceFor(ctx context.Context, name string, owner storage.NewOwner) (storage.Workspace, storage.User, error)
	SamePerson(ctx context.Context, userID, otherID string) (bool, error)
}

// JoinedWorkspace is a workspace that the caller is in.
type JoinedWorkspace struct {
	ID       string       `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-000000000001"`
	Name     string       `json:"name" example:"Harbour office"`
	UserID   string       `json:"user_id" format:"uuid" doc:"Who you are there" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Role     storage.Role `json:"role" enum:"owner,admin,member,guest" example:"member"`
	Disabled bool         `json:"disabled,omitempty" doc:"Whether you were deactivated there, and cannot switch to it; left out if not" example:"false"`
	Current  bool         `json:"current" doc:"Whether it is the one of the session that asks" example:"true"`
}

type (
	workspacesOutput struct {
		Body struct {
			Items     []JoinedWorkspace `json:"items" nullable:"false"`
			CanCreate bool              `json:"can_create" doc:"Whether people may create workspaces on this server" example:"false"`
		} `nameHint:"JoinedWorkspaceList"`
	}
	newWorkspaceInput struct {
		Body struct {
			Name string `json:"name" minLength:"1" maxLength:"400" doc:"1 to 80 characters, beside what is taken out" example:"Rowing club"`
		} `nameHint:"WorkspaceRequest"`
	}
	newWorkspaceOutput struct{ Body JoinedWorkspace }
	switchInput        struct {
		ID string `path:"id" doc:"Id of the workspace"`
	}
	switchOutput struct {
		SetCookie string `header:"Set-Cookie"`
	}
)

// ListWorkspaces lists the workspaces of who asks.
func (e *Endpoints) ListWorkspaces() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-workspaces", Scope: storage.ScopeAdmin, Summary: "List your workspaces",
		Description: "All those on this server that you are in, by one address to sign in by. By a signed-in browser only: a token is good for one workspace.",
		Problems:    []problem.Kind{problem.Forbidden},
	}, e.listWorkspaces)
}

func (e *Endpoints) listWorkspaces(ctx context.Context, principal storage.Principal, _ *struct{}) (*workspacesOutput, error) {
	if !storage.MaySwitch(principal, rest.CallFrom(ctx).Kind) {
		return nil, storage.ErrOnlyBrowsersSwitch
	}
	list, err := e.deps.Workspaces.JoinedWorkspaces(ctx, principal)
	if err != nil {
		return nil, err
	}
	out := &workspacesOutput{}
	out.Body.CanCreate = e.deps.CreateWorkspaces
	out.Body.Items = rest.Views(list, func(w storage.JoinedWorkspace) JoinedWorkspace { return joinedView(w, principal) })
	return out, nil
}

// CreateWorkspace makes a workspace of which who asks is the owner.
func (e *Endpoints) CreateWorkspace() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-workspace", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Create a workspace",
		Description: "You are its owner, by the address that you sign in by; switch to it then. Where the server's operator lets people create workspaces (HARK_CREATE_WORKSPACES), and by a signed-in browser only.",
		Status:      http.StatusCreated, Problems: []problem.Kind{problem.Forbidden, problem.Validation}, Example: joinedView(joinedExample(), storage.Principal{}),
	}, e.createWorkspace)
}

func (e *Endpoints) createWorkspace(ctx context.Context, principal storage.Principal, in *newWorkspaceInput) (*newWorkspaceOutput, error) {
	switch {
	case !storage.MaySwitch(principal, rest.CallFrom(ctx).Kind):
		return nil, storage.ErrOnlyBrowsersSwitch
	case !e.deps.CreateWorkspaces:
		return nil, problem.Forbidden.Saying("On this server, workspaces are created by whoever runs it.", nil)
	}
	workspace, user, err := e.deps.Workspaces.CreateWorkspaceFor(ctx, in.Body.Name, storage.NewOwner{UserID: principal.UserID})
	if err != nil {
		return nil, err
	}
	return &newWorkspaceOutput{joinedView(storage.JoinedWorkspace{Workspace: workspace, UserID: user.ID, Role: user.Role}, principal)}, nil
}

// SwitchWorkspace has the browser that asks be in another workspace.
func (e *Endpoints) SwitchWorkspace() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "switch-workspace", Cost: limit.Tokens, Scope: storage.ScopeAdmin, Summary: "Switch to another workspace",
		Description: "Ends the session that asks and sets the cookie of a new one, of who you are in the other workspace, that ends when the old one would have. `not_found` where you are not in it, or were deactivated. By a signed-in browser only, and `step_up` where nothing but a provider's sign-in, which is good for its workspace, says who you are: give your password or use a passkey.",
		Status:      http.StatusNoContent, Problems: []problem.Kind{problem.Forbidden, problem.StepUp, problem.NotFound},
	}, e.switchWorkspace)
}

func (e *Endpoints) switchWorkspace(ctx context.Context, principal storage.Principal, in *switchInput) (*switchOutput, error) {
	switch {
	case !storage.MaySwitch(principal, rest.CallFrom(ctx).Kind):
		return nil, storage.ErrOnlyBrowsersSwitch
	case in.ID == principal.WorkspaceID: // another tab has switched already
		return &switchOutput{}, nil
	}
	session, secret, err := e.deps.Workspaces.Switch(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	cookie := e.switched(ctx, session, secret, principal)
	return &switchOutput{cookie.String()}, nil
}

// switched is the cookie of a session that goes on for one of another workspace, under
// which all ends that went on.
func (e *Endpoints) switched(ctx context.Context, session storage.Token, secret string, before storage.Principal) http.Cookie {
	e.deps.Security.Done(ctx, security.SignIn, session.UserID, session.ID)
	e.deps.Security.Done(ctx, security.SessionReplaced, before.UserID, before.CredentialID)
	e.Revoked(ctx, before.WorkspaceID)
	life := e.deps.SessionTTL
	if !session.ExpiresAt.IsZero() {
		life = time.Until(session.ExpiresAt)
	}
	return e.newSessionCookie(secret, max(1, int(life.Seconds())))
}

// RevokedOf is [Endpoints.Revoked] in all workspaces of the person that the principal is.
func (e *Endpoints) RevokedOf(ctx context.Context, principal storage.Principal) {
	list, err := e.deps.Workspaces.JoinedWorkspaces(ctx, principal)
	if err != nil {
		e.deps.Logger.WarnContext(ctx, "finding the workspaces of a person failed: their other sessions end at the next heartbeat", "error", err)
	}
	e.Revoked(ctx, principal.WorkspaceID)
	for _, one := range list {
		if one.Workspace.ID != principal.WorkspaceID {
			e.Revoked(ctx, one.Workspace.ID)
		}
	}
}

// samePerson says whether a browser is signed in as somebody who signs in now, here or in
// another workspace; nobody is not.
func (e *Endpoints) samePerson(ctx context.Context, before storage.Principal, userID string) (bool, error) {
	if before.UserID == "" || userID == "" {
		return false, nil
	}
	return e.deps.Workspaces.SamePerson(ctx, before.UserID, userID)
}

func joinedView(w storage.JoinedWorkspace, principal storage.Principal) JoinedWorkspace {
	return JoinedWorkspace{ID: w.Workspace.ID, Name: w.Workspace.Name, UserID: w.UserID, Role: w.Role, Disabled: w.Disabled, Current: w.Workspace.ID == principal.WorkspaceID}
}

func joinedExample() storage.JoinedWorkspace {
	return storage.JoinedWorkspace{Workspace: storage.Workspace{ID: example.WorkspaceID, Name: "Rowing club"}, UserID: example.UserID, Role: storage.Owner}
}
