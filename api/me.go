package api

import (
	"context"
	"net/http"
	"time"

	"hark/storage"
)

// User is a person in the workspace.
type User struct {
	ID        string       `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name      string       `json:"name" example:"Ada"`
	Role      storage.Role `json:"role" enum:"owner,admin,member,guest" example:"member"`
	CreatedAt time.Time    `json:"created_at" example:"2026-03-01T09:30:00Z"`
}

// Me is who asks.
type Me struct {
	ID          string       `json:"id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"`
	Name        string       `json:"name" example:"Ada"`
	Role        storage.Role `json:"role" enum:"owner,admin,member,guest" example:"member"`
	WorkspaceID string       `json:"workspace_id" format:"uuid" example:"0197a3c2-5b1e-7c44-9f0a-000000000001"`
}

type meOutput struct{ Body Me }

type usersOutput struct {
	Body struct {
		Items []User `json:"items" nullable:"false"`
	} `nameHint:"UserList"`
}

func (s *Server) routeMe() {
	handle(s, operation{
		id: "get-me", method: http.MethodGet, cacheable: true, path: "/v1/me", tag: tagYou,
		summary: "Who you are", example: exampleMe(),
	}, s.getMe)
	handle(s, operation{
		id: "list-users", method: http.MethodGet, cacheable: true, path: "/v1/users", tag: tagYou,
		summary:     "Who is in the workspace",
		description: "Everybody, by name. A guest sees only themselves here, and others as members of the conversations they share.",
	}, s.listUsers)
}

func (s *Server) getMe(_ context.Context, actor storage.Actor, _ *struct{}) (*meOutput, error) {
	return &meOutput{Body: Me{ID: actor.UserID, Name: actor.UserName, Role: actor.Role, WorkspaceID: actor.WorkspaceID}}, nil
}

func (s *Server) listUsers(ctx context.Context, actor storage.Actor, _ *struct{}) (*usersOutput, error) {
	users, err := s.DB.Users(ctx, actor.WorkspaceID)
	if err != nil {
		return nil, err
	}
	out := &usersOutput{}
	out.Body.Items = []User{}
	for _, u := range users {
		if actor.Role != storage.Guest || u.ID == actor.UserID {
			out.Body.Items = append(out.Body.Items, userView(u))
		}
	}
	return out, nil
}

func userView(u storage.User) User {
	return User{ID: u.ID, Name: u.Name, Role: u.Role, CreatedAt: u.CreatedAt}
}
