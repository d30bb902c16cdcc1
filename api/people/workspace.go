package people

import (
	"context"
	"time"

	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Workspace is where everything is that you can see.
type Workspace struct {
	ID        string    `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-000000000001"`
	Name      string    `json:"name" example:"Harbour office"`
	CreatedAt time.Time `json:"created_at" example:"2026-03-01T09:30:00Z"`
}

type (
	workspaceOutput      struct{ Body Workspace }
	updateWorkspaceInput struct {
		Body struct {
			Name string `json:"name" maxLength:"400" doc:"1 to 80 characters, beside what is taken out" example:"Harbour office"`
		} `nameHint:"WorkspacePatch"`
	}
)

// GetWorkspace answers where who asks is.
func (e *Endpoints) GetWorkspace() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-workspace", Scope: storage.ScopeRead, Cacheable: true,
		Summary: "The workspace you are in", Example: workspaceView(profileExample().Workspace),
	}, e.getWorkspace)
}

func (e *Endpoints) getWorkspace(ctx context.Context, principal storage.Principal, _ *struct{}) (*workspaceOutput, error) {
	return workspaceAnswer(e.deps.Records.Profile(ctx, principal))
}

// UpdateWorkspace changes the name of the workspace.
func (e *Endpoints) UpdateWorkspace() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-workspace", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Change the name of the workspace",
		Description: "By an owner or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.Validation}, Example: workspaceView(profileExample().Workspace),
	}, e.updateWorkspace)
}

func (e *Endpoints) updateWorkspace(ctx context.Context, principal storage.Principal, in *updateWorkspaceInput) (*workspaceOutput, error) {
	return workspaceAnswer(e.deps.Records.RenameWorkspace(ctx, principal, in.Body.Name))
}

func workspaceAnswer(p storage.Profile, err error) (*workspaceOutput, error) {
	if err != nil {
		return nil, err
	}
	return &workspaceOutput{Body: workspaceView(p.Workspace)}, nil
}

func workspaceView(w storage.Workspace) Workspace {
	return Workspace{ID: w.ID, Name: w.Name, CreatedAt: w.CreatedAt}
}
