package storage

import "time"

// ConversationKind tells an open channel from a direct conversation.
type ConversationKind string

// The kinds of conversation.
const (
	Channel ConversationKind = "channel" // titled; members come and go
	Direct  ConversationKind = "direct"  // between the people it was made for
)

// History is what a conversation shows of its past to who is added to it.
type History string

// What may be shown.
const (
	HistoryAll         History = "all"
	HistoryFromJoining History = "from_joining" // to who is added while it is so, what is sent from then on
)

// ConversationPatch changes a conversation; what is nil stays.
type ConversationPatch struct {
	Title *string

	// History, when it becomes [HistoryAll], shows all to everybody who is in the
	// conversation; when it becomes [HistoryFromJoining], who is in it already keeps
	// what they see.
	History *History
}

// NewConversation is what a conversation is made with.
type NewConversation struct {
	Kind      ConversationKind
	Title     string
	MemberIDs []string // beside who makes it
	History   History  // empty means HistoryAll
}

// Conversation is where messages are. Only its members know that it exists.
type Conversation struct {
	ID            string
	WorkspaceID   string
	Kind          ConversationKind
	Title         string
	CreatedBy     string // user id
	CreatedAt     time.Time
	History       History
	ShownSince    time.Time    // when what is shown to who asks begins; zero means with the first message
	LastMessageAt time.Time    // of what they see; zero means no message yet
	LastMessage   *LastMessage // nil while nothing was sent
	MemberCount   int
	Unread        int // messages of others, among what is shown to who asks, that they have not heard
}

// LastMessage is what a list of conversations shows of the newest message that
// was sent into one. What is being recorded was not sent yet.
type LastMessage struct {
	ID         string
	AuthorID   string
	AuthorName string
	AuthorNo   int64    // see [User.No]
	AuthorKind UserKind // empty means KindPerson
	Title      string
	FirstWords string // see [Message]
	DurationMS int64  // 0 means not known yet
	CreatedAt  time.Time
}

// ConversationMember is a user in a conversation.
type ConversationMember struct {
	UserID   string
	Name     string
	UserNo   int64    // see [User.No]
	Kind     UserKind // empty means KindPerson
	Role     Role     // in the workspace
	JoinedAt time.Time
}
