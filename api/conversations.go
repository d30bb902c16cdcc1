package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hark/api/intake"
	"hark/storage"
)

// Conversation is a place for messages.
type Conversation struct {
	ID            string                   `json:"id" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	Kind          storage.ConversationKind `json:"kind" enum:"channel,direct" example:"channel"`
	Title         string                   `json:"title" example:"Field notes"`
	CreatedBy     string                   `json:"created_by" format:"uuid" doc:"Id of the user who made it" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	CreatedAt     time.Time                `json:"created_at" example:"2026-03-01T09:30:00Z"`
	LastMessageAt *time.Time               `json:"last_message_at,omitempty" doc:"Left out while there is no message" example:"2026-03-01T09:31:12Z"`
	MemberCount   int                      `json:"member_count" example:"3"`
}

type (
	conversationInput struct {
		ID string `path:"id" doc:"Id of the conversation"`
	}
	conversationOutput struct{ Body Conversation }

	newConversationInput struct {
		Body struct {
			Kind      storage.ConversationKind `json:"kind,omitempty" enum:"channel,direct" default:"channel" doc:"channel: titled, members come and go; direct: between the people it is made for" example:"channel"`
			Title     string                   `json:"title,omitempty" maxLength:"200" doc:"A channel needs one" example:"Field notes"`
			MemberIDs []string                 `json:"member_ids,omitempty" maxItems:"200" nullable:"false" doc:"Users to be members, beside you" example:"[\"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e56\"]"`
		} `nameHint:"ConversationRequest"`
	}
	newConversationOutput struct {
		Location string `header:"Location" doc:"Address of the conversation"`
		Body     Conversation
	}
	patchConversationInput struct {
		ID   string `path:"id" doc:"Id of the conversation"`
		Body struct {
			Title string `json:"title" minLength:"1" maxLength:"200" example:"Field notes, north"`
		} `nameHint:"ConversationPatch"`
	}
	listConversationsInput struct{ PageParams }
)

func (s *Server) routeConversations() {
	const path = "/v1/conversations"
	handle(s, operation{
		id: "create-conversation", method: http.MethodPost, path: path, tag: tagConversations, summary: "Make a conversation",
		status: http.StatusCreated, problems: []kind{kindForbidden, kindValidation}, example: exampleConversation(),
	}, s.createConversation)
	handle(s, operation{
		id: "list-conversations", method: http.MethodGet, cacheable: true, path: path, tag: tagConversations, summary: "The conversations you are in",
		problems: []kind{kindBadCursor, kindValidation},
		example:  Page[Conversation]{Items: []Conversation{exampleConversation()}},
	}, s.listConversations)
	handle(s, operation{
		id: "get-conversation", method: http.MethodGet, cacheable: true, path: path + "/{id}", tag: tagConversations, summary: "A conversation",
		problems: []kind{kindNotFound}, example: exampleConversation(),
	}, s.getConversation)
	handle(s, operation{
		id: "update-conversation", method: http.MethodPatch, path: path + "/{id}", tag: tagConversations, summary: "Give a conversation another title",
		problems: []kind{kindForbidden, kindNotFound, kindValidation}, example: exampleConversation(),
	}, s.updateConversation)
	handle(s, operation{
		id: "delete-conversation", method: http.MethodDelete, path: path + "/{id}", tag: tagConversations, summary: "Delete a conversation",
		description: "With all its messages, their sound and their transcripts. There is no way back.",
		problems:    []kind{kindForbidden, kindNotFound},
	}, s.deleteConversation)
}

func (s *Server) createConversation(ctx context.Context, actor storage.Actor, in *newConversationInput) (*newConversationOutput, error) {
	title, err := intake.CleanTitle(in.Body.Title)
	if err != nil {
		return nil, inBody(err)
	}
	if title == "" && in.Body.Kind == storage.Channel {
		return nil, invalid("body.title", "must not be empty: a channel needs one", nil)
	}
	for _, id := range in.Body.MemberIDs {
		if !isID(id) {
			return nil, noSuchUser("body.member_ids", nil)
		}
	}
	made, err := s.DB.CreateConversation(ctx, actor, in.Body.Kind, title, in.Body.MemberIDs)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, noSuchUser("body.member_ids", err)
	}
	if err != nil {
		return nil, err
	}
	return &newConversationOutput{Location: s.base + "/v1/conversations/" + made.ID, Body: conversationView(made)}, nil
}

func (s *Server) listConversations(ctx context.Context, actor storage.Actor, in *listConversationsInput) (*pageOutput[Conversation], error) {
	found, next, err := s.DB.Conversations(ctx, actor, in.page())
	if err != nil {
		return nil, err
	}
	return newPage(callFrom(ctx).here(), found, next, conversationView), nil
}

func (s *Server) getConversation(ctx context.Context, actor storage.Actor, in *conversationInput) (*conversationOutput, error) {
	found, err := s.DB.Conversation(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &conversationOutput{Body: conversationView(found)}, nil
}

func (s *Server) updateConversation(ctx context.Context, actor storage.Actor, in *patchConversationInput) (*conversationOutput, error) {
	title, err := intake.CleanTitle(in.Body.Title)
	if err != nil {
		return nil, inBody(err)
	}
	if title == "" {
		return nil, invalid("body.title", "must not be empty", nil)
	}
	changed, err := s.DB.UpdateConversation(ctx, actor, in.ID, title)
	if err != nil {
		return nil, err
	}
	return &conversationOutput{Body: conversationView(changed)}, nil
}

func (s *Server) deleteConversation(ctx context.Context, actor storage.Actor, in *conversationInput) (*struct{}, error) {
	if err := s.DB.DeleteConversation(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	s.recheckLive()
	return nil, nil
}

func conversationView(c storage.Conversation) Conversation {
	return Conversation{
		ID: c.ID, Kind: c.Kind, Title: c.Title, CreatedBy: c.CreatedBy, CreatedAt: c.CreatedAt,
		LastMessageAt: timeOrNil(c.LastMessageAt), MemberCount: c.MemberCount,
	}
}

// inBody places a wrong field in the body of the request.
func inBody(err error) error {
	var field *intake.FieldError
	if errors.As(err, &field) {
		return invalid("body."+field.Field, field.Problem, err)
	}
	return err
}

func noSuchUser(field string, cause error) error {
	return invalid(field, "must name users of this workspace", cause)
}
