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
	LastMessageAt time.Time    // zero means no message yet
	LastMessage   *LastMessage // nil while nothing was sent
	MemberCount   int
}

// LastMessage is what a list of conversations shows of the newest message that
// was sent into one. What is being recorded was not sent yet.
type LastMessage struct {
	ID         string
	AuthorID   string
	AuthorName string
	AuthorNo   int64 // see [User.No]
	Title      string
	FirstWords string // see [Message]
	DurationMS int64  // 0 means not known yet
	CreatedAt  time.Time
}

// ConversationMember is a user in a conversation.
type ConversationMember struct {
	UserID   string
	Name     string
	UserNo   int64 // see [User.No]
	Role     Role  // in the workspace
	JoinedAt time.Time
}
