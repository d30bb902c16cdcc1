package storage

import (
	"slices"
	"strings"
	"time"

	"hark/storage/quiet"
)

// Workspace is the tenant: nothing crosses it.
type Workspace struct {
	ID        string
	Name      string
	Named     bool // whether somebody chose the name
	CreatedAt time.Time

	Rules Rules

	// GeneralID is the conversation that everybody but guests joins who is added
	// to the workspace; empty when there is none, or for who is not in it.
	GeneralID string
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

// Owns says whether who has the role is one of the workspace's owners.
func (r Role) Owns() bool { return r == Owner }

// UserKind says whether a user is a person or a program.
type UserKind string

// The kinds of user.
const (
	KindPerson      UserKind = "person"
	KindIntegration UserKind = "integration" // see [Integration]
)

// User is who is in a workspace: a person, or an integration.
type User struct {
	ID          string
	WorkspaceID string
	Kind        UserKind // empty means KindPerson
	Name        string
	Named       bool // whether somebody chose the name
	Role        Role
	Email       string // that they sign in by; empty for none
	Disabled    bool   // cannot sign in, and has no credentials
	No          int64  // counts up by the order of joining
	CreatedAt   time.Time

	PictureKey       string // object of their picture; empty for none
	PronunciationKey string // object of how their name is pronounced; empty for none
}

// Integration is a program that takes part in a workspace as a user of its own, by API
// tokens alone. It belongs to the workspace, and so do its tokens: what becomes of who
// made it ends neither.
type Integration struct {
	User
	Description  string
	CreatedBy    User      // id, name and number; empty where whoever runs the server made it
	LastActiveAt time.Time // to the minute; zero means never
}

// NewIntegration is what an integration is made with.
type NewIntegration struct {
	Name            string
	Description     string // at most MaxDescription characters; empty for none
	Role            Role   // RoleMember or Guest; empty means Guest
	ConversationIDs []string
}

// IntegrationPatch changes an integration; what is nil stays.
type IntegrationPatch struct {
	Name        *string
	Description *string
	MemberPatch
}

// Bounds of integrations.
const (
	MaxIntegrations             = 100 // in a workspace, beside those that are deactivated
	MaxDescription              = 500 // characters of what one is for
	MaxIntegrationTokens        = 50  // that are good, of each
	MaxIntegrationConversations = 50  // that one is made with
)

// IntegrationScopes are what a token of an integration is good for where nothing else
// was chosen. None is good for ScopeAdmin.
const IntegrationScopes Scopes = "read record write"

// Member is a user with what those may know who manage the people of a workspace.
type Member struct {
	User
	LastActiveAt time.Time // to the minute; zero means never
}

// MemberPatch changes a user's place in the workspace; what is nil stays.
type MemberPatch struct {
	Role     *Role
	Disabled *bool
}

// Profile is a user and the workspace that they are in.
type Profile struct {
	User
	Workspace Workspace
	SignsIn   bool // has a way in of their own: see [Account]
	Elsewhere bool // is in other workspaces too, which nobody else is to know
	Personal
}

// Personal is how a user wants to be spoken to, and when. What is empty or nil was not
// chosen.
type Personal struct {
	Language   string // one of [Languages]
	TimeZone   string // IANA name, such as Europe/Berlin
	QuietHours *quiet.Hours
}

// Languages are those that a user can choose (BCP 47).
var Languages = []string{"en", "de"}

// ProfilePatch is what a user changes of themselves; nil leaves what is there, and empty
// takes it back.
type ProfilePatch struct {
	Name       *string
	Language   *string
	TimeZone   *string
	QuietHours **quiet.Hours
}

// Check checks all but the name, for which see [CleanName].
func (p ProfilePatch) Check() error {
	if l := p.Language; l != nil && *l != "" && !slices.Contains(Languages, *l) {
		return &InvalidError{Field: "language", Problem: "must be one of " + strings.Join(Languages, ", ") + ", or empty"}
	}
	if zone := p.TimeZone; zone != nil && *zone != "" && quiet.CheckZone(*zone) != nil {
		return &InvalidError{Field: "time_zone", Problem: "must be a time zone such as Europe/Berlin, or empty"}
	}
	if hours := p.QuietHours; hours != nil && *hours != nil {
		if err := (*hours).Check(); err != nil {
			return &InvalidError{Field: "quiet_hours", Problem: err.Error()}
		}
	}
	return nil
}

// Principal is who asks, and with which credential. Every query about a
// workspace's content is scoped by one.
type Principal struct {
	WorkspaceID  string
	UserID       string
	UserName     string
	Kind         UserKind // of the user; empty means KindPerson
	Role         Role
	Rules        Rules  // of the workspace
	CredentialID string // the credential they came with
	Scopes       Scopes // what that is good for; empty means all that the user may
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
	Scopes     Scopes    // empty means all that its user may
	ParentID   string    // the API token that it was made with, and ends with; empty for none

	Method  SignInMethod // by which a session was begun, or will be by a one-time code; empty where it is not known
	Address string       // IP address from which it was used last; empty where it is not known
	Agent   string       // what the program calls itself that used it last
}

// NewToken is what a credential is made with.
type NewToken struct {
	Kind   TokenKind
	Name   string
	Life   time.Duration // 0 means for ever, or as long as its parent
	Scopes Scopes        // empty means all that its user may, or all of its parent's
	Method SignInMethod  // of the session that a one-time code makes; empty means ByLink

	// MadeWith is the id of the credential that asks for it; empty for none. An
	// API token becomes its parent, which it never exceeds and with which it ends.
	// A session does not: what somebody makes in a browser outlives their signing out.
	MadeWith string
}
