package storage

import "time"

// Workspace is the tenant: nothing crosses it.
type Workspace struct {
	ID        string
	Name      string
	CreatedAt time.Time
}

// Role is what a member may do in a workspace.
type Role string

// The roles, from the most to the least powerful.
const (
	Owner      Role = "owner"  // everything, the workspace itself included
	Admin      Role = "admin"  // members, tokens and conversations
	RoleMember Role = "member" // takes part in conversations and makes them
	Guest      Role = "guest"  // takes part only where invited
)

// User is a person in a workspace.
type User struct {
	ID          string
	WorkspaceID string
	Name        string
	Role        Role
	CreatedAt   time.Time
}

// Actor is who asks. Every query about a workspace's content is scoped by one.
type Actor struct {
	WorkspaceID string
	UserID      string
	UserName    string
	Role        Role
	TokenID     string // the credential they came with
}

// TokenKind is what a credential is for.
type TokenKind string

// The kinds of credential.
const (
	APIToken     TokenKind = "api"     // sent as a bearer token; lives until revoked
	SessionToken TokenKind = "session" // sent as a cookie by a browser
	SignInToken  TokenKind = "sign_in" // in a one-time address; redeemed for a session
)

// Token is a credential. Its secret is shown once, when it is made; only the
// SHA-256 of it is kept.
type Token struct {
	ID         string
	UserID     string
	Kind       TokenKind
	Name       string
	CreatedAt  time.Time
	LastUsedAt time.Time // to the minute; zero means never used
	ExpiresAt  time.Time // zero means never
}
