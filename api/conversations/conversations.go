// Package conversations answers which conversations there are and who is in them.
//
// A call asks storage, which decides what the principal may see and change, and
// prints the records by [View]. When a conversation is deleted or a member
// removed, live recordings that may not go on are ended at once.
package conversations

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls about conversations ask of storage.
type Records interface {
	CreateConversation(ctx context.Context, principal storage.Principal, n storage.NewConversation) (storage.Conversation, bool, error)
	Conversation(ctx context.Context, principal storage.Principal, id string) (storage.Conversation, error)
	Conversations(ctx context.Context, principal storage.Principal, page storage.Page) ([]storage.Conversation, string, error)
	UpdateConversation(ctx context.Context, principal storage.Principal, id string, patch storage.ConversationPatch) (storage.Conversation, error)
	DeleteConversation(ctx context.Context, principal storage.Principal, id string) error
}

// Members is what the calls about members ask of storage.
type Members interface {
	ConversationMembers(ctx context.Context, principal storage.Principal, id string) ([]storage.ConversationMember, error)
	AddConversationMember(ctx context.Context, principal storage.Principal, id, userID string) error
	RemoveConversationMember(ctx context.Context, principal storage.Principal, id, userID string) error
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	Members   Members
	Limits    *rest.Limits
	PublicURL rest.PublicURL

	// RecheckLive has live recordings of this node end that may not go on.
	RecheckLive func()
}

// Endpoints answer the calls about conversations.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps: deps} }

// Conversation is a place for messages.
type Conversation struct {
	ID            string                   `json:"id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Kind          storage.ConversationKind `json:"kind" enum:"channel,direct" example:"channel"`
	Title         string                   `json:"title" example:"Field notes"`
	CreatedBy     string                   `json:"created_by" format:"uuid" doc:"Id of the user who made it" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	CreatedAt     time.Time                `json:"created_at" example:"2026-03-01T09:30:00Z"`
	History       storage.History          `json:"history" enum:"all,from_joining" doc:"What is shown of its past to who is added: all of it, or what is sent from their joining on" example:"all"`
	ShownSince    *time.Time               `json:"shown_since,omitempty" doc:"When what others said begins to be shown to you; left out where all of it is" example:"2026-03-01T09:30:00Z"`
	LastMessageAt *time.Time               `json:"last_message_at,omitempty" doc:"Left out while there is no message" example:"2026-03-01T09:31:12Z"`
	LastMessage   *LastMessage             `json:"last_message,omitempty" doc:"The newest message that was sent; left out while there is none"`
	MemberCount   int                      `json:"member_count" example:"3"`
	Unread        int                      `json:"unread" doc:"Messages of others that you have not heard" example:"3"`
}

// LastMessage is what a list of conversations shows of the newest message.
type LastMessage struct {
	ID         string        `json:"id" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Author     people.Author `json:"author"`
	Title      string        `json:"title" doc:"Empty if it has none" example:"The bridge at noon"`
	FirstWords string        `json:"first_words" doc:"See Message" example:"Ask not what your country can do for you."`
	DurationMS *int64        `json:"duration_ms,omitempty" doc:"Left out until it is known" example:"5230"`
	CreatedAt  time.Time     `json:"created_at" example:"2026-03-01T09:31:12Z"`
}

type (
	getInput struct {
		ID string `path:"id" doc:"Id of the conversation"`
	}
	getOutput struct{ Body Conversation }

	createInput struct {
		Body struct {
			Kind      storage.ConversationKind `json:"kind,omitempty" enum:"channel,direct" default:"channel" doc:"channel: titled, members come and go; direct: between the people it is made for" example:"channel"`
			Title     string                   `json:"title,omitempty" maxLength:"200" doc:"A channel needs one" example:"Field notes"`
			MemberIDs []string                 `json:"member_ids,omitempty" maxItems:"200" nullable:"false" doc:"Users to be members, beside you" example:"[\"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e56\"]"`
			History   storage.History          `json:"history,omitempty" enum:"all,from_joining" doc:"What is shown of a channel's past to who is added later; all if left out" example:"all"`
		} `nameHint:"ConversationRequest"`
	}
	createOutput struct {
		Status   int
		Location string `header:"Location" doc:"Address of the conversation"`
		Body     Conversation
	}
	updateInput struct {
		ID   string `path:"id" doc:"Id of the conversation"`
		Body struct {
			Title   *string          `json:"title,omitempty" minLength:"1" maxLength:"200" doc:"Left out to leave it" example:"Field notes, north"`
			History *storage.History `json:"history,omitempty" enum:"all,from_joining" doc:"Of a channel; left out to leave it" example:"from_joining"`
		} `nameHint:"ConversationPatch"`
	}
	listInput struct{ rest.PageParams }
)

// Create makes a conversation, or finds the direct one of the same people.
func (e *Endpoints) Create() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-conversation", Cost: limit.Conversations, Scope: storage.ScopeWrite, Summary: "Create a conversation",
		Description: "There is one direct conversation of the same people: asked for again, by any of them, it is answered with 200, and keeps its title. The workspace's rules say who makes channels, and who may have guests in them; guests make no conversations.",
		Status:      http.StatusCreated, Problems: []problem.Kind{problem.Forbidden, problem.Validation}, Example: View(exampleRecord()),
		Document: func(op *huma.Operation, _ huma.Registry) {
			op.Responses["200"] = &huma.Response{
				Description: "The direct conversation of these people, which was there already",
				Headers:     op.Responses["201"].Headers, Content: op.Responses["201"].Content,
			}
		},
	}, e.create)
}

func (e *Endpoints) create(ctx context.Context, principal storage.Principal, in *createInput) (*createOutput, error) {
	title, err := storage.CleanTitle(in.Body.Title)
	if err != nil {
		return nil, err
	}
	if title == "" && in.Body.Kind == storage.Channel {
		return nil, problem.Invalid("body.title", "must not be empty: a channel needs one", nil)
	}
	for _, id := range in.Body.MemberIDs {
		if !rest.IsID(id) {
			return nil, noSuchUser("body.member_ids", nil)
		}
	}
	if n := len(in.Body.MemberIDs); n > 0 && in.Body.Kind == storage.Channel {
		if err := e.deps.Limits.Spend(ctx, principal, limit.Members, n); err != nil {
			return nil, err
		}
	}
	found, created, err := e.deps.Records.CreateConversation(ctx, principal, storage.NewConversation{
		Kind: in.Body.Kind, Title: title, MemberIDs: in.Body.MemberIDs, History: in.Body.History,
	})
	if errors.Is(err, storage.ErrNotFound) {
		return nil, noSuchUser("body.member_ids", err)
	}
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return &createOutput{Status: status, Location: e.deps.PublicURL.Base + "/v1/conversations/" + found.ID, Body: View(found)}, nil
}

// List lists the conversations of who asks.
func (e *Endpoints) List() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-conversations", Scope: storage.ScopeRead, Cacheable: true, Summary: "List your conversations",
		Problems: []problem.Kind{problem.BadCursor, problem.Validation},
		Example:  rest.Page[Conversation]{Items: []Conversation{View(exampleRecord())}},
	}, e.list)
}

func (e *Endpoints) list(ctx context.Context, principal storage.Principal, in *listInput) (*rest.PageOutput[Conversation], error) {
	found, next, err := e.deps.Records.Conversations(ctx, principal, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), found, next, View), nil
}

// Get answers one conversation.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-conversation", Scope: storage.ScopeRead, Cacheable: true, Summary: "Get a conversation",
		Problems: []problem.Kind{problem.NotFound}, Example: View(exampleRecord()),
	}, e.get)
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, in *getInput) (*getOutput, error) {
	found, err := e.deps.Records.Conversation(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	return &getOutput{Body: View(found)}, nil
}

// Update changes a conversation.
func (e *Endpoints) Update() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-conversation", Scope: storage.ScopeWrite, Summary: "Change a conversation",
		Description: "By who made it, owners and admins. When `history` becomes `all`, everybody in it sees all of it; when it becomes `from_joining`, those who are in it keep what they see, and who is added from then on sees what is sent from their joining on.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Validation}, Example: View(exampleRecord()),
	}, e.update)
}

func (e *Endpoints) update(ctx context.Context, principal storage.Principal, in *updateInput) (*getOutput, error) {
	patch := storage.ConversationPatch{History: in.Body.History}
	if in.Body.Title != nil {
		title, err := storage.CleanTitle(*in.Body.Title)
		if err != nil {
			return nil, err
		}
		if title == "" {
			return nil, problem.Invalid("body.title", "must not be empty", nil)
		}
		patch.Title = &title
	}
	changed, err := e.deps.Records.UpdateConversation(ctx, principal, in.ID, patch)
	if err != nil {
		return nil, err
	}
	return &getOutput{Body: View(changed)}, nil
}

// Delete deletes a conversation and all that is in it.
func (e *Endpoints) Delete() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "delete-conversation", Scope: storage.ScopeWrite, Summary: "Delete a conversation",
		Description: "With all its messages, their sound and their transcripts. There is no way back. Who made it may delete it while nobody else has recorded anything in it; owners and admins always.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.delete)
}

func (e *Endpoints) delete(ctx context.Context, principal storage.Principal, in *getInput) (*struct{}, error) {
	if err := e.deps.Records.DeleteConversation(ctx, principal, in.ID); err != nil {
		return nil, err
	}
	e.deps.RecheckLive()
	return nil, nil
}

// View is a conversation as callers see it.
func View(c storage.Conversation) Conversation {
	return Conversation{
		ID: c.ID, Kind: c.Kind, Title: c.Title, CreatedBy: c.CreatedBy, CreatedAt: c.CreatedAt, History: c.History, ShownSince: rest.TimeOrNil(c.ShownSince),
		LastMessageAt: rest.TimeOrNil(c.LastMessageAt), LastMessage: lastMessageView(c.LastMessage), MemberCount: c.MemberCount, Unread: c.Unread,
	}
}

func lastMessageView(m *storage.LastMessage) *LastMessage {
	if m == nil {
		return nil
	}
	return &LastMessage{
		ID: m.ID, Author: people.NewAuthor(m.AuthorID, m.AuthorName, m.AuthorNo, m.AuthorKind), Title: m.Title, FirstWords: m.FirstWords,
		DurationMS: rest.PositiveOrNil(m.DurationMS), CreatedAt: m.CreatedAt,
	}
}

func noSuchUser(field string, cause error) error {
	return problem.Invalid(field, "must name users of this workspace", cause)
}

func exampleRecord() storage.Conversation {
	return storage.Conversation{
		ID: example.ConversationID, Kind: storage.Channel, Title: "Field notes", CreatedBy: example.UserID,
		CreatedAt: example.Time(0), History: storage.HistoryAll, LastMessageAt: example.Time(72), MemberCount: 3,
		LastMessage: &storage.LastMessage{
			ID: example.MessageID, AuthorID: example.UserID, AuthorNo: 1, AuthorName: "Ada", Title: "The bridge at noon", FirstWords: "Your country.",
			DurationMS: 5230, CreatedAt: example.Time(72),
		},
	}
}
