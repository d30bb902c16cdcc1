// Package events tells listeners what happens, as server-sent events.
//
// A node has one [Hub]. For each workspace that somebody listens to here, it
// keeps one tail: a subscription to the bus, and a place in the workspace's
// stored events. The bus only wakes the tail; what is sent is read from the
// database, once for all listeners, in the order of commit. So it does not
// matter whether the bus delivers twice, out of order or not at all: what it
// loses is found at the next heartbeat. Events that pass (captions, progress)
// live on the bus alone, and nobody minds losing one.
//
// Who may hear what is decided in memory. The tail holds which conversations its
// listeners are in: read when a user's first listener comes, and read again for
// each conversation whose events say that its members may have changed. An
// event goes out only after all that was committed before it was read is known,
// and what passes is preceded by a look whether something was committed. So
// nobody is sent what they could not read from the database at that moment.
// Before anything is sent, one query tells whether the credentials of those it
// is for still hold, and whether they have the roles that these came with: a stream
// whose user has another role now ends, and begins anew as what they are.
//
// A [Stream] is one listener. Up to streamBuffer events wait for it; whoever is
// slower loses their place in line, and nobody waits for them: they read what
// they missed from the database by themselves, as one who comes back does, from
// where they were. A listener who takes nothing loses the connection (package
// listen).
//
// Ids are sealed for the user that they were given to; see sealer.
package events

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"hark/storage"
)

// Event is the data of one server-sent event.
type Event struct {
	Type           storage.EventType `json:"type" enum:"message.created,message.updated,message.progress,message.caption,message.deleted,message.heard,draft.created,draft.updated,draft.deleted,conversation.created,conversation.updated,conversation.deleted,conversation.recordings,conversation.heard,user.created,user.updated,workspace.updated,invitation.created,invitation.updated,reset" example:"message.updated"`
	ConversationID string            `json:"conversation_id,omitempty" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	MessageID      string            `json:"message_id,omitempty" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Data           any               `json:"data,omitempty" doc:"A little more, by type, such as the state or the progress; done, resume_ms and unread of what you heard; user_id, name, role and disabled of a user; name or rules of the workspace"`
	At             time.Time         `json:"at" example:"2026-03-01T09:31:15Z"`
}

// View is an event as listeners are told of it.
func View(e storage.Event) Event {
	view := Event{Type: e.Type, ConversationID: e.ConversationID, MessageID: e.MessageID, At: e.At}
	if len(e.Data) > 0 {
		view.Data = e.Data
	}
	return view
}

// Records is what the hub asks of the database.
type Records interface {
	EventTail(ctx context.Context, workspaceID string, after int64, limit int) (storage.EventTail, error)
	EventsAfter(ctx context.Context, principal storage.Principal, afterSeq int64, limit int) ([]storage.Event, error)
	ConversationsOf(ctx context.Context, workspaceID string, userIDs []string) (map[string]map[string]storage.Membership, error)
	LiveCredentials(ctx context.Context, ids []string) (map[string]storage.Standing, error)
}

// Bus brings the events that all nodes publish.
type Bus interface {
	SubscribeEvents(workspaceID string, buffer int) (storage.EventSubscription, error)
}

// Deps are the parts that a hub works with.
type Deps struct {
	Records Records
	Bus     Bus
}

// Config says how a hub behaves.
type Config struct {
	// Key seals the ids of events: the same on all nodes, and kept over restarts.
	Key []byte
	// Heartbeat is the pause between signs of life, at each of which what the bus
	// lost is looked for, and whether credentials still hold.
	Heartbeat time.Duration
	// Kept is how long events are kept for sure. Whoever comes back later is told
	// to read afresh, whether or not something happened meanwhile: what is
	// swept must not tell. 0 means for ever.
	Kept time.Duration
}

var (
	// ErrBadID is an id that was not given to the user who brings it.
	ErrBadID = errors.New("not an event id of this user")
	// ErrUnavailable means that nobody can listen now.
	ErrUnavailable = errors.New("events cannot be listened to now")
)

// Hub sends the events of this node. It is safe for concurrent use.
type Hub struct {
	deps Deps
	cfg  Config

	ctx context.Context // ends when all streams are to end
	end context.CancelFunc

	mu    sync.Mutex
	tails map[string]*tail // by workspace, those with users
}

// New makes a hub.
func New(deps Deps, cfg Config) *Hub {
	h := &Hub{deps: deps, cfg: cfg, tails: map[string]*tail{}}
	h.ctx, h.end = context.WithCancel(context.Background())
	return h
}

// End ends all streams, and lets none begin. Ending again does nothing.
func (h *Hub) End() { h.end() }

// Open begins to listen as a principal, behind the event of an id; "0" is the
// very beginning, and none is now. Whoever opens a stream closes it.
func (h *Hub) Open(ctx context.Context, principal storage.Principal, lastID string) (*Stream, error) {
	sealer, err := newSealer(h.cfg.Key, principal)
	if err != nil {
		return nil, err
	}
	s := &Stream{
		hub: h, principal: principal, sealer: sealer,
		events: make(chan *storage.Event, streamBuffer), lagged: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	if lastID != "" {
		from, err := sealer.open(lastID)
		if err != nil {
			return nil, err
		}
		s.from = &from
	}
	s.tail = h.acquire(principal.WorkspaceID)
	if err := s.tail.join(ctx, s); err != nil {
		s.Close()
		return nil, fmt.Errorf("listen to events: %w", err)
	}
	s.begin(lastID)
	return s, nil
}

// acquire finds or starts the tail of a workspace, for one more user.
func (h *Hub) acquire(workspaceID string) *tail {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tails[workspaceID]
	if t == nil {
		t = newTail(h, workspaceID)
		h.tails[workspaceID] = t
		go t.run()
	}
	t.users++
	return t
}

// release lets a tail go, which ends with its last user.
func (h *Hub) release(t *tail) {
	h.mu.Lock()
	t.users--
	last := t.users == 0
	if last {
		h.forget(t)
		t.stop()
	}
	h.mu.Unlock()
	if last {
		<-t.done
	}
}

// forget has the next listener of the workspace start another tail. h.mu is held.
func (h *Hub) forget(t *tail) {
	if h.tails[t.workspaceID] == t {
		delete(h.tails, t.workspaceID)
	}
}
