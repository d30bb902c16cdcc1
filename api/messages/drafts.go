package messages

import (
	"context"
	"net/http"

	"hark/api/example"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

const draftsDescription = `What you have recorded or uploaded with ` + "`draft=true`" + ` and not sent, in all your conversations, the last begun first. Nobody
else sees it. A draft is transcribed as every message is, so that it is ready when you send it. It stays until you send or discard it.`

const sendDescription = `A draft of yours becomes the newest message of its conversation, with the time of its sending as ` + "`created_at`" + `. One that is sent already
stays as it is, so that you may ask again when an answer was lost. While it is being recorded it cannot be sent.`

const unsendDescription = `Within 10 seconds of its sending a message of yours can be a draft again. Everybody else gets ` + "`message.deleted`" + `. Who heard it meanwhile, heard it.
One that is a draft already stays as it is.`

// ListDrafts lists the drafts of who asks.
func (e *Endpoints) ListDrafts() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-drafts", Scope: storage.ScopeRead, Cacheable: true, Summary: "List your drafts",
		Description: draftsDescription, Problems: []problem.Kind{problem.BadCursor}, Example: rest.Page[Message]{Items: []Message{draftExample()}},
	}, e.listDrafts)
}

func (e *Endpoints) listDrafts(ctx context.Context, principal storage.Principal, in *rest.PageParams) (*rest.PageOutput[Message], error) {
	found, next, err := e.deps.Drafts.Drafts(ctx, principal, in.Page())
	if err != nil {
		return nil, err
	}
	return rest.NewPage(rest.CallFrom(ctx).Here(), found, next, e.view), nil
}

// DiscardDraft deletes a draft.
func (e *Endpoints) DiscardDraft() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "discard-draft", Scope: storage.ScopeRecord, Summary: "Discard a draft",
		Description: "With its audio and its transcript. One that has been sent meanwhile, maybe from another device, stays. This can't be undone.",
		Problems:    []problem.Kind{problem.Forbidden, problem.NotFound, problem.AlreadySent},
	}, e.discardDraft)
}

func (e *Endpoints) discardDraft(ctx context.Context, principal storage.Principal, in *messageInput) (*struct{}, error) {
	if err := e.deps.Drafts.DiscardDraft(ctx, principal, in.ID); err != nil {
		return nil, err
	}
	e.cancelWork(ctx, in.ID)
	return nil, nil
}

// Send sends a draft.
func (e *Endpoints) Send() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "send-message", Scope: storage.ScopeRecord, Summary: "Send a draft",
		Description: sendDescription, Status: http.StatusOK, Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.StillRecording}, Example: View("", example.Message()),
	}, e.send)
}

func (e *Endpoints) send(ctx context.Context, principal storage.Principal, in *messageInput) (*messageOutput, error) {
	sent, err := e.deps.Drafts.SendMessage(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: e.view(sent)}, nil
}

// Unsend makes a draft again of what was just sent.
func (e *Endpoints) Unsend() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "unsend-message", Scope: storage.ScopeRecord, Summary: "Undo sending",
		Description: unsendDescription, Status: http.StatusOK, Problems: []problem.Kind{problem.Forbidden, problem.NotFound, problem.StillRecording, problem.TooLate}, Example: draftExample(),
	}, e.unsend)
}

func (e *Endpoints) unsend(ctx context.Context, principal storage.Principal, in *messageInput) (*messageOutput, error) {
	draft, err := e.deps.Drafts.UnsendMessage(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: e.view(draft)}, nil
}

func draftExample() Message {
	m := example.Message()
	m.Unsent = true
	return View("", m)
}
