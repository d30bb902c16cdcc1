package storage

import (
	"encoding/json"
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
	ConversationCreated EventType = "conversation.created"
	ConversationUpdated EventType = "conversation.updated"
	ConversationDeleted EventType = "conversation.deleted"
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

	// OnlyFor is the user who alone may see the event; empty means all who may
	// hear the conversation. It is for passing events.
	OnlyFor string `json:"only_for,omitempty"`
}
