// Package heard takes in what people heard of messages, from whichever of their
// devices, and tells the others.
//
// What somebody heard is theirs: it is kept for them, told to them, and changes only what
// counts as unread for them. Devices send what they played in stretches, when they like:
// storage adds them up, in any order and as often as they come.
package heard

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"hark/api/example"
	"hark/api/limit"
	"hark/api/problem"
	"hark/api/rest"
	"hark/media/spans"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	Hear(ctx context.Context, principal storage.Principal, parts []storage.HeardPart) ([]storage.HeardMessage, error)
	MarkHeard(ctx context.Context, principal storage.Principal, conversationID string) (storage.Conversation, error)
	MarkUnheard(ctx context.Context, principal storage.Principal, messageID string) (storage.Conversation, error)
}

// Bus tells a person's other devices.
type Bus interface {
	PublishEvents(ctx context.Context, events []storage.Event) error
}

// Endpoints answer the calls about what was heard.
type Endpoints struct {
	records Records
	bus     Bus
	log     *slog.Logger
}

// New makes [Endpoints].
func New(records Records, bus Bus, log *slog.Logger) *Endpoints { return &Endpoints{records, bus, log} }

// Range is a stretch of a message.
type Range struct {
	FromMS int64 `json:"from_ms" minimum:"0" maximum:"1000000000" doc:"Where it begins, in milliseconds from the beginning of the message" example:"0"`
	ToMS   int64 `json:"to_ms" minimum:"0" maximum:"1000000000" doc:"Where it ends, which is not in it" example:"4200"`
}

// Heard is what somebody heard of a message.
type Heard struct {
	Done     bool    `json:"done" doc:"Whether you need not hear it any more: you sent it, it was there before you came, you marked it as heard, or you heard 90 % of its speech" example:"true"`
	Ranges   []Range `json:"ranges" nullable:"false" doc:"What you heard of it, in order"`
	ResumeMS int64   `json:"resume_ms" doc:"Where you were last, in milliseconds" example:"4200"`
}

// View prints what somebody heard.
func View(h storage.Heard) Heard {
	list := []Range{}
	for _, one := range h.Spans.Spans() {
		list = append(list, Range(one))
	}
	return Heard{Done: h.Done, Ranges: list, ResumeMS: h.ResumeMS}
}

// MessageHeard is what somebody heard of a message, and what is left in its conversation.
type MessageHeard struct {
	ID             string `json:"id" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	ConversationID string `json:"conversation_id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Heard
	Unread int `json:"unread" doc:"Messages of its conversation that you have not heard" example:"3"`
}

// ConversationHeard is what somebody has to hear in a conversation.
type ConversationHeard struct {
	ConversationID string `json:"conversation_id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Unread         int    `json:"unread" doc:"Messages of it that you have not heard" example:"0"`
}

// Played is what was played of a message.
type Played struct {
	Ranges []Range `json:"ranges" minItems:"1" maxItems:"200" nullable:"false" doc:"What was played, in any order; added to what was played before"`
	AtMS   *int64  `json:"at_ms,omitempty" minimum:"0" maximum:"1000000000" doc:"Where you are; the end of the last range if left out" example:"4200"`
}

func (p Played) of(messageID string) storage.HeardPart {
	list := make([]spans.Span, len(p.Ranges))
	for i, one := range p.Ranges {
		list[i] = spans.Span(one)
	}
	at := p.Ranges[len(p.Ranges)-1].ToMS
	if p.AtMS != nil {
		at = *p.AtMS
	}
	return storage.HeardPart{MessageID: messageID, Spans: spans.Of(list...), ResumeMS: at}
}

type (
	messageInput struct {
		ID string `path:"id" doc:"Id of the message"`
	}
	conversationInput struct {
		ID string `path:"id" doc:"Id of the conversation"`
	}
	putInput struct {
		ID   string `path:"id" doc:"Id of the message"`
		Body Played
	}
	addInput struct {
		Body struct {
			Messages []struct {
				ID string `json:"id" format:"uuid" doc:"Id of the message" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
				Played
			} `json:"messages" minItems:"1" maxItems:"100" nullable:"false"`
		} `nameHint:"HeardBatch"`
	}
	messageOutput struct{ Body MessageHeard }
	addOutput     struct {
		Body struct {
			Items []MessageHeard `json:"items" nullable:"false" doc:"Those that you may hear"`
		} `nameHint:"HeardMessages"`
	}
	conversationOutput struct{ Body ConversationHeard }
)

// Put adds to what was heard of one message.
func (e *Endpoints) Put() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "put-heard", Cost: limit.Heard, Scope: storage.ScopeWrite, Summary: "Say what you heard of a message",
		Description: "Added to what you heard before, on any device; it may come twice, and late. A message is heard when 90 % of its speech was. Your other devices get `message.heard`.",
		Problems:    []problem.Kind{problem.NotFound, problem.Validation}, Example: exampleMessage(),
	}, e.put)
}

func (e *Endpoints) put(ctx context.Context, principal storage.Principal, in *putInput) (*messageOutput, error) {
	heard, err := e.hear(ctx, principal, []storage.HeardPart{in.Body.of(in.ID)})
	if err == nil && len(heard) == 0 {
		err = storage.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: heard[0]}, nil
}

// maxBatch is more than the ranges of as many messages take as one call may have.
const maxBatch = 1 << 20

// Add adds to what was heard of several messages.
func (e *Endpoints) Add() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "add-heard", Cost: limit.Heard, Scope: storage.ScopeWrite, MaxBody: maxBatch, Summary: "Say what you heard of several messages",
		Description: "As for one, for instance after a time without a connection. Messages that are gone, or that you may not hear, are left out of the answer.",
		Status:      http.StatusOK, Problems: []problem.Kind{problem.Validation}, Example: struct {
			Items []MessageHeard `json:"items"`
		}{[]MessageHeard{exampleMessage()}},
	}, e.add)
}

func (e *Endpoints) add(ctx context.Context, principal storage.Principal, in *addInput) (*addOutput, error) {
	var parts []storage.HeardPart
	for _, one := range in.Body.Messages {
		parts = append(parts, one.of(one.ID))
	}
	heard, err := e.hear(ctx, principal, parts)
	if err != nil {
		return nil, err
	}
	out := &addOutput{}
	out.Body.Items = heard
	return out, nil
}

func (e *Endpoints) hear(ctx context.Context, principal storage.Principal, parts []storage.HeardPart) ([]MessageHeard, error) {
	heard, err := e.records.Hear(ctx, principal, parts)
	if err != nil {
		return nil, err
	}
	list := []MessageHeard{}
	var events []storage.Event
	for _, one := range heard {
		list = append(list, MessageHeard{ID: one.ID, ConversationID: one.ConversationID, Heard: View(one.Heard), Unread: one.Unread})
		events = append(events, event(principal, storage.MessageHeard, one.ConversationID, one.ID, map[string]any{
			"done": one.Heard.Done, "resume_ms": one.Heard.ResumeMS, "unread": one.Unread,
		}))
	}
	e.tell(ctx, events)
	return list, nil
}

// MarkConversation has all of a conversation count as heard.
func (e *Endpoints) MarkConversation() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "mark-heard", Cost: limit.Heard, Scope: storage.ScopeWrite, Summary: "Mark a conversation as heard",
		Description: "All that was sent into it until now. Your other devices get `conversation.heard`.",
		Status:      http.StatusOK, Problems: []problem.Kind{problem.NotFound}, Example: exampleConversation(),
	}, e.markConversation)
}

func (e *Endpoints) markConversation(ctx context.Context, principal storage.Principal, in *conversationInput) (*conversationOutput, error) {
	return e.marked(ctx, principal)(e.records.MarkHeard(ctx, principal, in.ID))
}

// Forget has a message and what came after it count as not heard.
func (e *Endpoints) Forget() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "delete-heard", Cost: limit.Heard, Scope: storage.ScopeWrite, Summary: "Mark as not heard from a message on",
		Description: "The message and what others sent into its conversation after it, as if you had heard nothing of it. Your other devices get `conversation.heard`.",
		Status:      http.StatusOK, Problems: []problem.Kind{problem.NotFound}, Example: exampleConversation(),
	}, e.forget)
}

func (e *Endpoints) forget(ctx context.Context, principal storage.Principal, in *messageInput) (*conversationOutput, error) {
	return e.marked(ctx, principal)(e.records.MarkUnheard(ctx, principal, in.ID))
}

// marked answers a call that changed what counts as heard in a conversation.
func (e *Endpoints) marked(ctx context.Context, principal storage.Principal) func(storage.Conversation, error) (*conversationOutput, error) {
	return func(c storage.Conversation, err error) (*conversationOutput, error) {
		if err != nil {
			return nil, err
		}
		e.tell(ctx, []storage.Event{event(principal, storage.ConversationHeard, c.ID, "", map[string]any{"unread": c.Unread})})
		return &conversationOutput{Body: ConversationHeard{ConversationID: c.ID, Unread: c.Unread}}, nil
	}
}

func event(principal storage.Principal, typ storage.EventType, conversationID, messageID string, data map[string]any) storage.Event {
	raw, _ := json.Marshal(data) // numbers and truths cannot fail
	return storage.Event{
		WorkspaceID: principal.WorkspaceID, Type: typ, ConversationID: conversationID, MessageID: messageID,
		OnlyFor: principal.UserID, Data: raw, At: storage.Now(),
	}
}

// tell tells the person's devices. It passes: a device that misses it reads the list when
// it looks again.
func (e *Endpoints) tell(ctx context.Context, events []storage.Event) {
	if len(events) == 0 {
		return
	}
	if err := e.bus.PublishEvents(ctx, events); err != nil {
		e.log.DebugContext(ctx, "telling what was heard failed", "error", err)
	}
}

func exampleMessage() MessageHeard {
	return MessageHeard{
		ID: example.MessageID, ConversationID: example.ConversationID, Unread: 3,
		Heard: Heard{Done: true, Ranges: []Range{{ToMS: 5100}}, ResumeMS: 5100},
	}
}

func exampleConversation() ConversationHeard {
	return ConversationHeard{ConversationID: example.ConversationID}
}
