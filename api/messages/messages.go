// Package messages answers which messages there are, takes new ones in, and looks
// after drafts.
//
// A recording that is sent goes through package intake without being held, and is
// answered when it is stored. All other calls ask storage, which decides what the
// principal may see and change. Answers are printed by [View], as other nouns'
// answers are that show messages.
package messages

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hark/api/example"
	"hark/api/intake"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls about messages ask of storage.
type Records interface {
	Conversation(ctx context.Context, principal storage.Principal, id string) (storage.Conversation, error)
	Message(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
	Messages(ctx context.Context, principal storage.Principal, conversationID string, page storage.MessagePage) (storage.MessageList, error)
	UpdateMessage(ctx context.Context, principal storage.Principal, id string, patch storage.MessagePatch) (storage.Message, error)
	DeleteMessage(ctx context.Context, principal storage.Principal, id string) error
	RetryMessage(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
}

// Drafts is what the calls about drafts ask of storage.
type Drafts interface {
	Drafts(ctx context.Context, principal storage.Principal, page storage.Page) ([]storage.Message, string, error)
	SendMessage(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
	UnsendMessage(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
	DiscardDraft(ctx context.Context, principal storage.Principal, id string) error
}

// Bus calls jobs off.
type Bus interface {
	CancelJob(ctx context.Context, id string) error // by the job's id or its message's
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	Drafts    Drafts
	Bus       Bus
	Intake    *intake.Intake
	Logger    *slog.Logger
	PublicURL rest.PublicURL

	// RecheckLive has live recordings of this node end that may not go on.
	RecheckLive func()
}

// Endpoints answer the calls about messages.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps: deps} }

// MessagePage is one page of a conversation.
type MessagePage struct {
	rest.Page[Message]
	PreviousCursor string `json:"previous_cursor,omitempty" doc:"Pass it as cursor to get the page of what is newer; left out at the end" example:"eyJhIjoxNzY3MjI1NjAwMDAwfQ"`
}

type (
	messageInput struct {
		ID string `path:"id" doc:"Id of the message"`
	}
	messageOutput struct{ Body Message }

	listInput struct {
		ID     string `path:"id" doc:"Id of the conversation"`
		Around string `query:"around" format:"uuid" doc:"Id of a message of the conversation that is to be in the middle of the page; without a cursor"`
		rest.PageParams
	}
	listOutput struct {
		Link string `header:"Link" doc:"Addresses of the pages beside it: rel=next with what is older, rel=prev with what is newer; each left out where there is none"`
		Body MessagePage
	}
	updateInput struct {
		ID   string `path:"id" doc:"Id of the message"`
		Body struct {
			Title *string `json:"title,omitempty" maxLength:"200" doc:"Empty takes the title away" example:"The bridge at noon"`
		} `nameHint:"MessagePatch"`
	}
)

// List lists the messages of a conversation, or those around one.
func (e *Endpoints) List() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-messages", Scope: storage.ScopeRead, Cacheable: true, Summary: "List messages",
		Description: "What was sent into it, newest first; drafts are in `GET /v1/drafts`. From a page `around` a message, and from any that a cursor led to, it goes on both ways: by `next_cursor` to what is older, by `previous_cursor` to what is newer.",
		Problems:    []problem.Kind{problem.BadCursor, problem.NotFound, problem.Validation},
		Example:     MessagePage{Page: rest.Page[Message]{Items: []Message{View("", example.Message())}}},
	}, e.list)
}

func (e *Endpoints) list(ctx context.Context, principal storage.Principal, in *listInput) (*listOutput, error) {
	if in.Around != "" && in.Cursor != "" {
		return nil, problem.Invalid("query.around", "must not stand beside a cursor", nil)
	}
	found, err := e.deps.Records.Messages(ctx, principal, in.ID, storage.MessagePage{Page: in.Page(), Around: in.Around})
	if err != nil {
		return nil, err
	}
	return &listOutput{
		Link: messageLinks(rest.CallFrom(ctx).Here(), found),
		Body: MessagePage{
			Page:           rest.Page[Message]{Items: rest.Views(found.Messages, e.view), NextCursor: found.Older},
			PreviousCursor: found.Newer,
		},
	}, nil
}

// messageLinks are the addresses of the pages beside one. They go on from a cursor,
// and not around a message.
func messageLinks(here *url.URL, list storage.MessageList) string {
	query := here.Query()
	query.Del("around")
	here.RawQuery = query.Encode()
	links := []string{rest.PageLink(here, "next", list.Older), rest.PageLink(here, "prev", list.Newer)}
	return strings.Join(slices.DeleteFunc(links, func(link string) bool { return link == "" }), ", ")
}

// Get answers one message.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-message", Scope: storage.ScopeRead, Cacheable: true, Summary: "Get a message",
		Problems: []problem.Kind{problem.NotFound}, Example: View("", example.Message()),
	}, e.get)
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, in *messageInput) (*messageOutput, error) {
	found, err := e.deps.Records.Message(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: e.view(found)}, nil
}

// Update renames a message.
func (e *Endpoints) Update() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "update-message", Scope: storage.ScopeWrite, Summary: "Rename a message",
		Description: "By its author, or an admin.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.Validation}, Example: View("", example.Message()),
	}, e.update)
}

func (e *Endpoints) update(ctx context.Context, principal storage.Principal, in *updateInput) (*messageOutput, error) {
	patch := storage.MessagePatch{Title: in.Body.Title}
	if patch.Title != nil {
		title, err := storage.CleanTitle(*patch.Title)
		if err != nil {
			return nil, err
		}
		patch.Title = &title
	}
	changed, err := e.deps.Records.UpdateMessage(ctx, principal, in.ID, patch)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: e.view(changed)}, nil
}

// Delete deletes a message and all that was made of it.
func (e *Endpoints) Delete() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "delete-message", Scope: storage.ScopeWrite, Summary: "Delete a message",
		Description: "With its sound, its transcript and all that was made of it. By its author, or an admin. There is no way back.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.delete)
}

func (e *Endpoints) delete(ctx context.Context, principal storage.Principal, in *messageInput) (*struct{}, error) {
	if err := e.deps.Records.DeleteMessage(ctx, principal, in.ID); err != nil {
		return nil, err
	}
	e.cancelWork(ctx, in.ID)
	return nil, nil
}

// cancelWork stops the workers and recorders of a deleted message early. Without
// it they notice by themselves, later.
func (e *Endpoints) cancelWork(ctx context.Context, messageID string) {
	if err := e.deps.Bus.CancelJob(ctx, messageID); err != nil {
		e.deps.Logger.WarnContext(ctx, "cancelling job of a deleted message failed", "message", messageID, "error", err)
	}
	e.deps.RecheckLive()
}

// Retry has a message worked on once more.
func (e *Endpoints) Retry() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "retry-message", Cost: limit.Retries, Scope: storage.ScopeWrite, Summary: "Retry processing",
		Description: "For one that failed, or to have a better model hear one that is ready.",
		Status:      http.StatusAccepted, Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.Conflict}, Example: View("", example.Message()),
	}, e.retry)
}

func (e *Endpoints) retry(ctx context.Context, principal storage.Principal, in *messageInput) (*messageOutput, error) {
	msg, err := e.deps.Records.RetryMessage(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: e.view(msg)}, nil
}
