package storage

import (
	"encoding/json"
	"slices"
	"time"
)

// EventType says what happened.
type EventType string

// The types of event.
const (
	MessageCreated      EventType = "message.created"
	MessageUpdated      EventType = "message.updated"  // title, state, duration, rendition or transcript changed
	MessageProgress     EventType = "message.progress" // passing; not kept, so a resumed stream leaves it out
	MessageCaption      EventType = "message.caption"  // passing; what is being said in a recording
	MessageDeleted      EventType = "message.deleted"
	DraftCreated        EventType = "draft.created" // of drafts, which go to their authors alone
	DraftUpdated        EventType = "draft.updated"
	DraftDeleted        EventType = "draft.deleted" // discarded, or sent and a message now
	ConversationCreated EventType = "conversation.created"
	ConversationUpdated EventType = "conversation.updated"
	ConversationDeleted EventType = "conversation.deleted"
	UserCreated         EventType = "user.created"
	UserUpdated         EventType = "user.updated"       // name, role, or whether they are disabled
	WorkspaceUpdated    EventType = "workspace.updated"  // name or rules
	InvitationCreated   EventType = "invitation.created" // of invitations, which go to those who may invite
	InvitationUpdated   EventType = "invitation.updated" // used or revoked

	ConversationRecordings EventType = "conversation.recordings" // passing; somebody began, paused, resumed or ended one
	MessageHeard           EventType = "message.heard"           // passing; to who heard it
	ConversationHeard      EventType = "conversation.heard"      // passing; to who marked it as heard, or not

	// CredentialRevoked is for the nodes alone: each looks which of the
	// workspace's streams may not go on.
	CredentialRevoked EventType = "credential.revoked"
)

// Event is one thing that happened in a workspace. Seq counts up by one in
// each workspace in the order of commit, so that a listener can resume; it is
// 0 for passing events, which are not kept.
type Event struct {
	WorkspaceID    string          `json:"workspace_id"`
	Seq            int64           `json:"seq"`
	Type           EventType       `json:"type"`
	ConversationID string          `json:"conversation_id,omitempty"`
	MessageID      string          `json:"message_id,omitempty"`
	Data           json.RawMessage `json:"data,omitempty"` // type-specific, small
	At             time.Time       `json:"at"`

	// SentAt is when the message was sent that the event is about, in ms since 1970; 0
	// where it is about none, or a draft. It keeps the event from who does not see so
	// far back.
	SentAt int64 `json:"sent_at,omitempty"`

	// OnlyFor is the user who alone may hear of the event; empty means all who
	// may hear the conversation, or those of Audience.
	OnlyFor string `json:"only_for,omitempty"`
	// Audience are the users who alone may hear of the event, where they are
	// several; [Everyone] among them stands for all who see everyone. Only the
	// records have it.
	Audience []string `json:"-"`
}

// Everyone in an audience are all who know of everybody in the workspace.
const Everyone = "*"

// Membership is how somebody is in a conversation. The zero value is not in it.
type Membership struct {
	In         bool
	ShownSince int64 // what was sent before, in ms since 1970, is not shown to them; 0 means all is
}

// shows says whether who is in the conversation so may hear of an event there: what
// is about a message is for those who see it, or for its author alone.
func (m Membership) shows(e Event) bool {
	return m.In && (e.MessageID == "" || e.OnlyFor != "" || e.SentAt >= m.ShownSince)
}

// MayHear says whether the principal, who is a member of the event's
// conversation now or not, may get it. That a conversation is gone is
// heard by those who are in it no more, and what is in none by whom it is for.
func MayHear(p Principal, e Event, in Membership) bool {
	open := e.OnlyFor == "" && len(e.Audience) == 0
	named := p.UserID != "" && (e.OnlyFor == p.UserID || slices.Contains(e.Audience, p.UserID))
	switch {
	case e.ConversationID != "" && !p.Scopes.Cover(e.ConversationID):
		return false
	case e.ConversationID == "":
		return named || MaySeeEveryone(p) && slices.Contains(e.Audience, Everyone)
	case open:
		return in.shows(e)
	case e.Type == ConversationDeleted:
		return named
	default:
		return named && in.shows(e)
	}
}

// EventTail is what happened in a workspace, for whomever, behind a place.
type EventTail struct {
	// Last is the number of the newest event.
	Last int64
	// Events are the next ones, without a gap, oldest first. None while Last is
	// ahead means that some were swept already.
	Events []Event
	// Members are the members by their user ids, as they are now, of each
	// conversation whose members may have changed behind the place: later than Events
	// too.
	Members map[string]map[string]Membership
}

// EventSubscription listens to the events of a workspace on the bus.
type EventSubscription struct {
	// C brings the events in the order in which each node published them. It
	// is closed by Close, and when the bus closes.
	C <-chan Event
	// Dropped brings a value when events may have been lost since the last: the
	// listener was too slow, or the connection was down. It should then read the
	// database from where it was.
	Dropped <-chan struct{}
	// Close ends the subscription. Closing again does nothing.
	Close func()
}
