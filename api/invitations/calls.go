package invitations

import (
	"cmp"
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

// Invitation lets people join by a link.
type Invitation struct {
	ID            string                  `json:"id" format:"uuid" example:"0197a3c2-aaaa-7d05-b1c6-5e7788990a1b"`
	Role          storage.Role            `json:"role" enum:"member,guest" doc:"Of who joins by it" example:"guest"`
	Uses          int                     `json:"uses" doc:"How many may join by it" example:"5"`
	UsesLeft      int                     `json:"uses_left" doc:"How many more could, were it open" example:"4"`
	State         storage.InvitationState `json:"state" enum:"open,used_up,expired,revoked" example:"open"`
	CreatedBy     InvitationUser          `json:"created_by"`
	CreatedAt     time.Time               `json:"created_at" example:"2026-03-01T09:30:00Z"`
	ExpiresAt     time.Time               `json:"expires_at" example:"2026-03-08T09:30:00Z"`
	Email         string                  `json:"email,omitempty" doc:"Address that the link was mailed to; left out if none" example:"grace@example.org"`
	Conversations []InvitedTo             `json:"conversations" nullable:"false" doc:"Where who joins is put, as far as you are there; members are in the conversation for everybody besides"`
	Joined        []InvitationUser        `json:"joined" nullable:"false" doc:"The last who came by it, 20 at the most; the newest first"`
}

// InvitationUser is who made an invitation, or came by it.
type InvitationUser struct { //nolint:revive // the schema is named after the type
	ID    string `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name  string `json:"name" example:"Ada"`
	Color int    `json:"color" minimum:"0" maximum:"11" doc:"See User" example:"0"`
}

// InvitedTo is a conversation that an invitation leads to.
type InvitedTo struct {
	ID    string `json:"id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Title string `json:"title" example:"Field notes"`
}

// NewInvitation is an invitation with its link.
type NewInvitation struct {
	Invitation
	Link   string `json:"link" doc:"Shown this once. Whoever has it can join" example:"https://hark.example.org/join?code=hark_…"`
	Mailed bool   `json:"mailed" doc:"Whether the link is on its way to the address; where this server sends no mail, pass it on yourself" example:"true"`
}

type (
	createInput struct {
		Body struct {
			Role            storage.Role `json:"role" enum:"member,guest" doc:"Of who joins by it" example:"guest"`
			Uses            int          `json:"uses,omitempty" minimum:"1" maximum:"1000" doc:"How many may join by it; 1 if left out" example:"5"`
			ExpiresIn       int64        `json:"expires_in,omitempty" minimum:"3600" maximum:"2592000" doc:"Seconds until the link runs out; a week if left out" example:"604800"`
			ConversationIDs []string     `json:"conversation_ids,omitempty" maxItems:"20" nullable:"false" doc:"Channels that you are in, where who joins is put; needed for guests. Who joins opens the first"`
			Email           string       `json:"email,omitempty" maxLength:"254" doc:"Address to mail the link to" example:"grace@example.org"`
			Language        string       `json:"language,omitempty" enum:"en,de" doc:"Of the mail; English if left out" example:"en"`
		} `nameHint:"InvitationRequest"`
	}
	createOutput struct{ Body NewInvitation }
	listInput    struct{ rest.PageParams }
	oneInput     struct {
		ID string `path:"id" doc:"Id of the invitation"`
	}
)

// Create makes an invitation.
func (e *Endpoints) Create() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-invitation", Cost: limit.Invitations, Scope: storage.ScopeAdmin, Status: http.StatusCreated, Summary: "Invite people",
		Description: "Makes a link by which people join the workspace. By owners and admins, and by members as the workspace's rules have it. With `email` the link is mailed, where this server sends mail.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Validation},
		Example:     NewInvitation{Invitation: View(invitationExample()), Link: "https://hark.example.org/join?code=hark_…", Mailed: true},
	}, e.create)
}

func (e *Endpoints) create(ctx context.Context, principal storage.Principal, in *createInput) (*createOutput, error) {
	n := storage.NewInvitation{
		Role: in.Body.Role, Uses: cmp.Or(in.Body.Uses, 1), Life: cmp.Or(time.Duration(in.Body.ExpiresIn)*time.Second, storage.DefaultInvitationLife),
		ConversationIDs: in.Body.ConversationIDs,
	}
	for _, id := range n.ConversationIDs {
		if !rest.IsID(id) {
			return nil, storage.ErrNotFound
		}
	}
	if in.Body.Email != "" {
		address, job, err := Mailing(e.deps.PublicURL.Address(), in.Body.Email, in.Body.Language)
		if err != nil {
			return nil, err
		}
		if e.deps.Mail {
			n.Email, n.Mail = address, job
		}
	}
	invitation, code, err := e.deps.Records.CreateInvitation(ctx, principal, n)
	if err != nil {
		return nil, err
	}
	return &createOutput{Body: NewInvitation{Invitation: View(invitation), Link: Link(e.deps.PublicURL.Address(), code), Mailed: n.Mail != nil}}, nil
}

// List lists the invitations of the workspace.
func (e *Endpoints) List() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-invitations", Scope: storage.ScopeAdmin, Summary: "List invitations",
		Description: "With those by which nobody can join any more: everybody's to owners and admins, their own to members whom the workspace's rules let invite.",
		Problems:    []problem.Kind{problem.Forbidden, problem.BadCursor, problem.Validation},
		Example:     rest.Page[Invitation]{Items: []Invitation{View(invitationExample())}},
	}, e.list)
}

func (e *Endpoints) list(ctx context.Context, principal storage.Principal, in *listInput) (*rest.PageOutput[Invitation], error) {
	list, next, err := e.deps.Records.Invitations(ctx, principal, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), list, next, View), nil
}

// Revoke ends an invitation.
func (e *Endpoints) Revoke() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "revoke-invitation", Scope: storage.ScopeAdmin, Summary: "Revoke an invitation",
		Description: "Nobody joins by it any more; who has joined stays. By owners and admins, and who made it, as long as they may invite.",
		Problems:    []problem.Kind{problem.NotFound},
	}, e.revoke)
}

func (e *Endpoints) revoke(ctx context.Context, principal storage.Principal, in *oneInput) (*struct{}, error) {
	return nil, e.deps.Records.RevokeInvitation(ctx, principal, in.ID)
}

// View is an invitation as the API shows it.
func View(i storage.Invitation) Invitation {
	return Invitation{
		ID: i.ID, Role: i.Role, Uses: i.Uses, UsesLeft: i.Uses - i.Used, State: i.State, CreatedBy: userView(i.CreatedBy), CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt,
		Email: i.Email, Joined: rest.Views(i.Joined, userView),
		Conversations: rest.Views(i.Conversations, func(to storage.InvitedTo) InvitedTo { return InvitedTo(to) }),
	}
}

func userView(u storage.User) InvitationUser {
	return InvitationUser{ID: u.ID, Name: u.Name, Color: people.Color(u.No)}
}

func invitationExample() storage.Invitation {
	return storage.Invitation{
		ID: "0197a3c2-aaaa-7d05-b1c6-5e7788990a1b", Role: storage.Guest, Uses: 5, Used: 1, State: storage.InvitationOpen, CreatedBy: storage.User{ID: example.UserID, Name: "Ada", No: 1},
		CreatedAt: example.Time(0), ExpiresAt: example.Time(7 * 24 * 60 * 60), Email: "grace@example.org",
		Conversations: []storage.InvitedTo{{ID: example.ConversationID, Title: "Field notes"}},
		Joined:        []storage.User{{ID: "0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e56", Name: "Grace", No: 2}},
	}
}
