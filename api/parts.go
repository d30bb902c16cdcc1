package api

import (
	"context"
	"io"
	"time"

	"hark/api/recorder"
	"hark/storage"
	storagebus "hark/storage/bus"
)

// database is what the API asks of the records. Whatever an actor may not see
// is storage.ErrNotFound.
type database interface {
	identities
	conversations
	messages
	events
	Search(ctx context.Context, actor storage.Actor, q storage.Query) (storage.Results, error)
}

type identities interface {
	Authenticate(ctx context.Context, secret string, kind storage.TokenKind) (storage.Actor, error)
	Redeem(ctx context.Context, signInSecret string, ttl time.Duration) (storage.Token, string, error)
	CreateToken(ctx context.Context, userID string, kind storage.TokenKind, name string, ttl time.Duration) (storage.Token, string, error)
	Tokens(ctx context.Context, actor storage.Actor) ([]storage.Token, error)
	RevokeToken(ctx context.Context, actor storage.Actor, tokenID string) error
	Users(ctx context.Context, workspaceID string) ([]storage.User, error)
}

type conversations interface {
	CreateConversation(ctx context.Context, actor storage.Actor, kind storage.ConversationKind, title string, memberIDs []string) (storage.Conversation, error)
	Conversation(ctx context.Context, actor storage.Actor, id string) (storage.Conversation, error)
	Conversations(ctx context.Context, actor storage.Actor, page storage.Page) ([]storage.Conversation, string, error)
	UpdateConversation(ctx context.Context, actor storage.Actor, id, title string) (storage.Conversation, error)
	DeleteConversation(ctx context.Context, actor storage.Actor, id string) error
	ConversationMembers(ctx context.Context, actor storage.Actor, id string) ([]storage.ConversationMember, error)
	AddConversationMember(ctx context.Context, actor storage.Actor, id, userID string) error
	RemoveConversationMember(ctx context.Context, actor storage.Actor, id, userID string) error
}

type messages interface {
	Accept(ctx context.Context, actor storage.Actor, msg storage.NewMessage) (storage.Message, storage.JobRef, bool, error)
	MessageByKey(ctx context.Context, actor storage.Actor, idempotencyKey string) (storage.Message, string, error)
	Message(ctx context.Context, actor storage.Actor, id string) (storage.Message, error)
	Messages(ctx context.Context, actor storage.Actor, conversationID string, page storage.MessagePage) (storage.MessageList, error)
	UpdateMessage(ctx context.Context, actor storage.Actor, id string, patch storage.MessagePatch) (storage.Message, error)
	DeleteMessage(ctx context.Context, actor storage.Actor, id string) error
	RetryMessage(ctx context.Context, actor storage.Actor, id string) (storage.Message, storage.JobRef, error)
	Transcript(ctx context.Context, actor storage.Actor, messageID string) (storage.VersionedTranscript, error)
}

type events interface {
	EventsAfter(ctx context.Context, actor storage.Actor, afterSeq int64, limit int) ([]storage.Event, error)
	LastSeq(ctx context.Context, actor storage.Actor) (int64, error)
	CanHear(ctx context.Context, actor storage.Actor, conversationID string) (bool, error)
}

// objects is where sound is kept.
type objects interface {
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
	GetRange(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt
	Delete(ctx context.Context, keys ...string) error
}

// bus carries jobs to workers and events from all nodes.
type bus interface {
	PublishJob(ctx context.Context, job storage.JobRef) error
	CancelJob(ctx context.Context, id string) error // by the job's id or its message's
	SubscribeEvents(workspaceID string, buffer int) (*storagebus.Subscription, error)
}

// live makes messages of what is spoken over WebRTC (recorder.Recorder).
type live interface {
	Begin(ctx context.Context, actor storage.Actor, start recorder.Start) (*recorder.Recording, error)
	Session(id string, actor storage.Actor) (*recorder.Recording, error)
	Links(userID string) []string
	Nudge()
}
