package people

import (
	"context"

	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Rules are what the workspace lets its members do.
type Rules struct {
	InviteMembers  storage.Allowed `json:"invite_members" enum:"members,admins" doc:"Who invites people as members: members (everybody but guests) or admins (owners and admins alone)" example:"admins"`
	InviteGuests   storage.Allowed `json:"invite_guests" enum:"members,admins" doc:"Who invites guests, and adds them to channels" example:"admins"`
	CreateChannels storage.Allowed `json:"create_channels" enum:"members,admins" doc:"Who makes channels" example:"members"`
	SeeDirectory   storage.Allowed `json:"see_directory" enum:"members,admins" doc:"Who sees everybody; the others see those with whom they share a conversation" example:"members"`
}

type (
	rulesOutput      struct{ Body Rules }
	updateRulesInput struct {
		Body struct {
			InviteMembers  storage.Allowed `json:"invite_members,omitempty" enum:"members,admins" doc:"Left out to leave it" example:"members"`
			InviteGuests   storage.Allowed `json:"invite_guests,omitempty" enum:"members,admins" doc:"Left out to leave it" example:"admins"`
			CreateChannels storage.Allowed `json:"create_channels,omitempty" enum:"members,admins" doc:"Left out to leave it" example:"members"`
			SeeDirectory   storage.Allowed `json:"see_directory,omitempty" enum:"members,admins" doc:"Left out to leave it" example:"members"`
		} `nameHint:"RulesPatch"`
	}
)

// GetRules answers the rules that hold for who asks.
func (e *Endpoints) GetRules() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-workspace-rules", Scope: storage.ScopeRead, Cacheable: true, Summary: "Get the workspace's rules",
		Description: "What the workspace lets its members do. Owners and admins do all of it, guests none.",
		Example:     rulesView(storage.DefaultRules),
	}, e.getRules)
}

func (e *Endpoints) getRules(ctx context.Context, principal storage.Principal, _ *struct{}) (*rulesOutput, error) {
	p, err := e.deps.Records.Profile(ctx, principal)
	if err != nil {
		return nil, err
	}
	return &rulesOutput{Body: rulesView(p.Workspace.Rules)}, nil
}

// UpdateRules changes the rules.
func (e *Endpoints) UpdateRules() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-workspace-rules", Cost: limit.Renames, Scope: storage.ScopeAdmin, Summary: "Change the workspace's rules",
		Description: "By an owner or an admin. They hold at once: event streams of those for whom something changes end, to be connected again, and open invitations are revoked that who made them may not make any more.",
		Problems:    []problem.Kind{problem.Forbidden, problem.Validation}, Example: rulesView(storage.DefaultRules),
	}, e.updateRules)
}

func (e *Endpoints) updateRules(ctx context.Context, principal storage.Principal, in *updateRulesInput) (*rulesOutput, error) {
	p, err := e.deps.Records.SetRules(ctx, principal, storage.Rules(in.Body))
	if err != nil {
		return nil, err
	}
	e.deps.Revoked(ctx, principal.WorkspaceID)
	return &rulesOutput{Body: rulesView(p.Workspace.Rules)}, nil
}

func rulesView(r storage.Rules) Rules { return Rules(r) }
