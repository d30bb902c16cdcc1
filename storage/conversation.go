package storage

import "time"

// ConversationKind tells an open channel from a direct conversation.
type ConversationKind string

// The kinds of conversation.
const (
	Channel ConversationKind = "channel" // titled; members come and go
	Direct  ConversationKind = "direct"  // between the people it was made for
)

// Conversation is where messages are. Only its members know that it exists.
type Conversation struct {
	ID            string
	WorkspaceID   string
	Kind          ConversationKind
	Title         string
	CreatedBy     string // user id
	CreatedAt     time.Time
	LastMessageAt time.Time // zero means no message yet
	MemberCount   int
}

// ConversationMember is a user in a conversation.
type ConversationMember struct {
	UserID   string
	Name     string
	JoinedAt time.Time
}
