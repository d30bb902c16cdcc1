package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hark/storage"
)

// Member is a user in a conversation.
type Member struct {
	UserID   string    `json:"user_id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name     string    `json:"name" example:"Ada"`
	JoinedAt time.Time `json:"joined_at" example:"2026-03-01T09:30:00Z"`
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

func (s *Server) routeMembers() {
	const path = "/v1/conversations/{id}/members"
	handle(s, operation{
		id: "list-members", method: http.MethodGet, cacheable: true, path: path, tag: tagConversations, summary: "Who is in a conversation",
		problems: []kind{kindNotFound},
	}, s.listMembers)
	handle(s, operation{
		id: "add-member", method: http.MethodPost, path: path, tag: tagConversations, summary: "Add somebody to a conversation",
		description: "To a channel; a direct conversation stays between those it was made for.",
		status:      http.StatusNoContent, problems: []kind{kindForbidden, kindNotFound, kindConflict, kindValidation},
	}, s.addMember)
	handle(s, operation{
		id: "remove-member", method: http.MethodDelete, path: path + "/{user_id}", tag: tagConversations, summary: "Remove somebody, or leave",
		description: "From then on the conversation is not there for them.",
		problems:    []kind{kindForbidden, kindNotFound, kindConflict},
	}, s.removeMember)
}

func (s *Server) listMembers(ctx context.Context, actor storage.Actor, in *conversationInput) (*membersOutput, error) {
	members, err := s.DB.ConversationMembers(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.Items = views(members, func(m storage.ConversationMember) Member {
		return Member{UserID: m.UserID, Name: m.Name, JoinedAt: m.JoinedAt}
	})
	return out, nil
}

func (s *Server) addMember(ctx context.Context, actor storage.Actor, in *addMemberInput) (*struct{}, error) {
	if _, err := s.DB.Conversation(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	if !isID(in.Body.UserID) {
		return nil, noSuchUser("body.user_id", nil)
	}
	err := s.DB.AddConversationMember(ctx, actor, in.ID, in.Body.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, noSuchUser("body.user_id", err)
	}
	return nil, err
}

func (s *Server) removeMember(ctx context.Context, actor storage.Actor, in *memberInput) (*struct{}, error) {
	if err := s.DB.RemoveConversationMember(ctx, actor, in.ID, in.UserID); err != nil {
		return nil, err
	}
	s.recheckLive()
	return nil, nil
}
