package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hark/api/intake"
	"hark/storage"
)

type (
	messageInput struct {
		ID string `path:"id" doc:"Id of the message"`
	}
	messageOutput struct{ Body Message }

	listMessagesInput struct {
		ID     string `path:"id" doc:"Id of the conversation"`
		Around string `query:"around" format:"uuid" doc:"Id of a message of the conversation that is to be in the middle of the page; without a cursor"`
		PageParams
	}
	listMessagesOutput struct {
		Link string `header:"Link" doc:"Addresses of the pages beside it: rel=next with what is older, rel=prev with what is newer; each left out where there is none"`
		Body MessagePage
	}
	patchMessageInput struct {
		ID   string `path:"id" doc:"Id of the message"`
		Body struct {
			Title *string `json:"title,omitempty" maxLength:"200" doc:"Empty takes the title away" example:"The bridge at noon"`
		} `nameHint:"MessagePatch"`
	}
)

func (s *Server) routeMessages() {
	const path = "/v1/messages/{id}"
	handle(s, operation{
		id: "list-messages", method: http.MethodGet, cacheable: true, path: "/v1/conversations/{id}/messages", tag: tagMessages, summary: "The messages of a conversation",
		description: "Newest first. From a page `around` a message, and from any that a cursor led to, it goes on both ways: by `next_cursor` to what is older, by `previous_cursor` to what is newer.",
		problems:    []kind{kindBadCursor, kindNotFound, kindValidation},
		example:     MessagePage{Page: Page[Message]{Items: []Message{exampleMessage()}}},
	}, s.listMessages)
	handle(s, operation{
		id: "get-message", method: http.MethodGet, cacheable: true, path: path, tag: tagMessages, summary: "A message",
		problems: []kind{kindNotFound}, example: exampleMessage(),
	}, s.getMessage)
	handle(s, operation{
		id: "update-message", method: http.MethodPatch, path: path, tag: tagMessages, summary: "Give a message another title",
		description: "By its author, or an admin.",
		problems:    []kind{kindForbidden, kindNotFound, kindValidation}, example: exampleMessage(),
	}, s.updateMessage)
	handle(s, operation{
		id: "delete-message", method: http.MethodDelete, path: path, tag: tagMessages, summary: "Delete a message",
		description: "With its sound, its transcript and all that was made of it. By its author, or an admin. There is no way back.",
		problems:    []kind{kindForbidden, kindNotFound},
	}, s.deleteMessage)
	handle(s, operation{
		id: "retry-message", method: http.MethodPost, path: path + "/retry", tag: tagMessages, summary: "Work on a message again",
		description: "For one that failed, or to have a better model hear one that is ready.",
		status:      http.StatusAccepted, problems: []kind{kindForbidden, kindNotFound, kindConflict}, example: exampleMessage(),
	}, s.retryMessage)
}

func (s *Server) listMessages(ctx context.Context, actor storage.Actor, in *listMessagesInput) (*listMessagesOutput, error) {
	if in.Around != "" && in.Cursor != "" {
		return nil, invalid("query.around", "must not stand beside a cursor", nil)
	}
	found, err := s.DB.Messages(ctx, actor, in.ID, storage.MessagePage{Page: in.page(), Around: in.Around})
	if err != nil {
		return nil, err
	}
	return &listMessagesOutput{
		Link: messageLinks(callFrom(ctx).here(), found),
		Body: MessagePage{
			Page:           Page[Message]{Items: views(found.Messages, s.messageView), NextCursor: found.Older},
			PreviousCursor: found.Newer,
		},
	}, nil
}

// messageLinks are the addresses of the pages beside one.
func messageLinks(here *url.URL, list storage.MessageList) string {
	links := []string{pageLink(here, "next", list.Older), pageLink(here, "prev", list.Newer)}
	return strings.Join(slices.DeleteFunc(links, func(link string) bool { return link == "" }), ", ")
}

func (s *Server) getMessage(ctx context.Context, actor storage.Actor, in *messageInput) (*messageOutput, error) {
	found, err := s.DB.Message(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: s.messageView(found)}, nil
}

func (s *Server) updateMessage(ctx context.Context, actor storage.Actor, in *patchMessageInput) (*messageOutput, error) {
	patch := storage.MessagePatch{Title: in.Body.Title}
	if patch.Title != nil {
		title, err := intake.CleanTitle(*patch.Title)
		if err != nil {
			return nil, inBody(err)
		}
		patch.Title = &title
	}
	changed, err := s.DB.UpdateMessage(ctx, actor, in.ID, patch)
	if err != nil {
		return nil, err
	}
	return &messageOutput{Body: s.messageView(changed)}, nil
}

func (s *Server) deleteMessage(ctx context.Context, actor storage.Actor, in *messageInput) (*struct{}, error) {
	if err := s.DB.DeleteMessage(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	// A courtesy to the worker, who would find out by itself.
	if err := s.Bus.CancelJob(ctx, in.ID); err != nil {
		s.Logger.WarnContext(ctx, "work on a deleted message not called off", "message", in.ID, "error", err)
	}
	s.recheckLive()
	return nil, nil
}

// recheckLive has live recordings end that may not go on: their message is
// gone, or their speaker was removed or signed out. On other nodes they do so
// when their lease is renewed next.
func (s *Server) recheckLive() {
	if s.Live != nil {
		s.Live.Nudge()
	}
}

func (s *Server) retryMessage(ctx context.Context, actor storage.Actor, in *messageInput) (*messageOutput, error) {
	msg, job, err := s.DB.RetryMessage(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	s.intake.Publish(ctx, msg, job)
	return &messageOutput{Body: s.messageView(msg)}, nil
}
