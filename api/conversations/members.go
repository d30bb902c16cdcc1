package conversations

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hark/api/limit"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Member is a user in a conversation.
type Member struct {
	UserID   string           `json:"user_id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name     string           `json:"name" example:"Ada"`
	Color    int              `json:"color" minimum:"0" maximum:"11" doc:"See User" example:"0"`
	Kind     storage.UserKind `json:"kind" enum:"person,integration" doc:"See User" example:"person"`
	Role     storage.Role     `json:"role" enum:"owner,admin,member,guest" doc:"In the workspace" example:"member"`
	JoinedAt time.Time        `json:"joined_at" example:"2026-03-01T09:30:00Z"`
}

type (
	membersOutput struct {
		Body struct {
			Items []Member `json:"items" nullable:"false"`
		} `nameHint:"MemberList"`
	}
	addMemberInput struct {
		ID   string `path:"id" doc:"Id of the conversation"`
		Body struct {
			UserID string `json:"user_id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e56"`
		} `nameHint:"MemberRequest"`
	}
	memberInput struct {
		ID     string `path:"id" doc:"Id of the conversation"`
		UserID string `path:"user_id" doc:"Id of the user"`
	}
)

// ListMembers lists who is in a conversation.
func (e *Endpoints) ListMembers() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-members", Scope: storage.ScopeRead, Cacheable: true, Summary: "List members",
		Problems: []problem.Kind{problem.NotFound},
	}, e.listMembers)
}

func (e *Endpoints) listMembers(ctx context.Context, principal storage.Principal, in *getInput) (*membersOutput, error) {
	members, err := e.deps.Members.ConversationMembers(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.Items = rest.Views(members, func(m storage.ConversationMember) Member {
		return Member{UserID: m.UserID, Name: m.Name, Color: people.Color(m.UserNo), Kind: m.Kind, Role: m.Role, JoinedAt: m.JoinedAt}
	})
	return out, nil
}

// AddMember adds somebody to a channel.
func (e *Endpoints) AddMember() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "add-member", Cost: limit.Members, Scope: storage.ScopeWrite, Summary: "Add a member",
		Description: "To a channel; a direct conversation stays between those it was made for. Anybody in it but guests may add whom they know of; the workspace's rules say who adds guests. What is shown to them of what was said before, the conversation's `history` says.",
		Status:      http.StatusNoContent, Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.Conflict, problem.Validation},
	}, e.addMember)
}

func (e *Endpoints) addMember(ctx context.Context, principal storage.Principal, in *addMemberInput) (*struct{}, error) {
	if _, err := e.deps.Records.Conversation(ctx, principal, in.ID); err != nil {
		return nil, err
	}
	if !rest.IsID(in.Body.UserID) {
		return nil, noSuchUser("body.user_id", nil)
	}
	err := e.deps.Members.AddConversationMember(ctx, principal, in.ID, in.Body.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, noSuchUser("body.user_id", err)
	}
	return nil, err
}

// RemoveMember removes somebody from a channel, or lets them leave.
func (e *Endpoints) RemoveMember() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "remove-member", Scope: storage.ScopeWrite, Summary: "Remove a member, or leave",
		Description: "From then on the conversation is not there for them. Who made the channel, owners and admins may remove others, but nobody whose role stands above their own.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Conflict},
	}, e.removeMember)
}

func (e *Endpoints) removeMember(ctx context.Context, principal storage.Principal, in *memberInput) (*struct{}, error) {
	if err := e.deps.Members.RemoveConversationMember(ctx, principal, in.ID, in.UserID); err != nil {
		return nil, err
	}
	e.deps.RecheckLive()
	return nil, nil
}
