package events

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/bus"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// harness is a hub on a database and a bus, and a workspace with people.
type harness struct {
	t    *testing.T
	url  string
	db   *sqldb.DB
	bus  *watchedBus
	hub  *Hub
	mute atomic.Bool // what is committed is not published

	ada storage.Principal // the owner
	bob storage.Principal // a member
	eve storage.Principal // a member who is not in the room
	// room is a conversation of ada and bob, and own of ada alone.
	room, own storage.Conversation
}

// each runs a test on a database of each kind.
func each(t *testing.T, cfg Config, test func(t *testing.T, h *harness)) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storagetest.SQLite, "postgres": storagetest.Postgres} {
		t.Run(name, func(t *testing.T) { test(t, newHarness(t, url(t), cfg)) })
	}
}

func newHarness(t *testing.T, url string, cfg Config) *harness {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := bus.Serve(t.TempDir(), quiet)
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	conn, err := bus.Connect(t.Context(), bus.Config{Embedded: server, Name: "test", Prefix: "test", Logger: quiet})
	must(t, err)
	t.Cleanup(func() { must(t, conn.Close()) })
	h := &harness{t: t, url: url, bus: &watchedBus{Bus: conn}}
	h.db = storagetest.Open(t, url, storagetest.OnCommit(func(_ string, events []storage.Event) {
		if !h.mute.Load() {
			h.publish(events...)
		}
	}))
	must(t, h.db.Migrate(t.Context()))
	h.hub = h.newHub(cfg)
	space, owner, err := h.db.CreateWorkspace(t.Context(), "First", "Ada")
	must(t, err)
	h.ada = h.signIn(space.ID, owner)
	h.bob, h.eve = h.user("Bob"), h.user("Eve")
	h.room, h.own = h.conversation(h.ada, h.bob), h.conversation(h.ada)
	return h
}

// newHub makes a hub, as another node has one.
func (h *harness) newHub(cfg Config) *Hub {
	cfg.Key = bytes.Repeat([]byte{7}, 32)
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = time.Hour
	}
	hub := New(Deps{Records: h.db, Bus: h.bus}, cfg)
	h.t.Cleanup(hub.End)
	return hub
}

// watchedBus counts the subscriptions that stand.
type watchedBus struct {
	*bus.Bus
	standing atomic.Int64
}

func (b *watchedBus) SubscribeEvents(workspaceID string, buffer int) (storage.EventSubscription, error) {
	sub, err := b.Bus.SubscribeEvents(workspaceID, buffer)
	b.standing.Add(1)
	end := sub.Close
	sub.Close = func() {
		b.standing.Add(-1)
		end()
	}
	return sub, err
}

func (h *harness) publish(events ...storage.Event) {
	must(h.t, h.bus.PublishEvents(context.Background(), events))
}

// caption has words pass in a conversation.
func (h *harness) caption(c storage.Conversation, text string) {
	h.publish(storage.Event{
		WorkspaceID: c.WorkspaceID, Type: storage.MessageCaption, ConversationID: c.ID, Data: json.RawMessage(fmt.Sprintf("%q", text)), At: storage.Now(),
	})
}

func (h *harness) user(name string) storage.Principal {
	h.t.Helper()
	u, err := h.db.CreateUser(h.t.Context(), h.ada.WorkspaceID, name, storage.RoleMember)
	must(h.t, err)
	return h.signIn(h.ada.WorkspaceID, u)
}

// signIn gives a user another credential.
func (h *harness) signIn(workspaceID string, u storage.User) storage.Principal {
	h.t.Helper()
	token, _, err := h.db.CreateToken(h.t.Context(), u.ID, storage.NewToken{Kind: storage.APIToken, Name: "test"})
	must(h.t, err)
	return storage.Principal{WorkspaceID: workspaceID, UserID: u.ID, UserName: u.Name, Role: u.Role, CredentialID: token.ID}
}

func (h *harness) conversation(maker storage.Principal, others ...storage.Principal) storage.Conversation {
	h.t.Helper()
	var ids []string
	for _, p := range others {
		ids = append(ids, p.UserID)
	}
	c, _, err := h.db.CreateConversation(h.t.Context(), maker, storage.NewConversation{Kind: storage.Channel, Title: "room", MemberIDs: ids})
	must(h.t, err)
	return c
}

// retitle has something happen in a conversation of ada's.
func (h *harness) retitle(c storage.Conversation) {
	h.t.Helper()
	_, err := h.db.UpdateConversation(h.t.Context(), h.ada, c.ID, storage.ConversationPatch{Title: new("another")})
	must(h.t, err)
}

// send has ada send a message.
func (h *harness) send(c storage.Conversation) {
	h.t.Helper()
	id := storage.NewID()
	_, _, err := h.db.Accept(h.t.Context(), h.ada, storage.NewMessage{
		ID: id, ConversationID: c.ID,
		Original: storage.Original{Key: storage.NewOriginalKey(c.WorkspaceID, id), Format: "wav", Bytes: 44, SHA256: "ab", Filename: "clip.wav"},
	})
	must(h.t, err)
}

// listener is one stream, and what came on it.
type listener struct {
	t      *testing.T
	stream *Stream
	place  string // the id that it began with
	blocks chan string
	hold   chan struct{} // what is written waits until it is closed; nil does not
	gone   <-chan struct{}
	end    chan error
	leave  context.CancelFunc
}

// told is what a listener reads of an event.
type told struct {
	id, name string
	data     Event
}

// listen opens a stream whose listener reads as it comes.
func (h *harness) listen(p storage.Principal, after string) *listener {
	h.t.Helper()
	return listen(h.t, h.hub, p, after, nil)
}

func listen(t *testing.T, hub *Hub, p storage.Principal, after string, hold chan struct{}) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := hub.Open(ctx, p, after)
	must(t, err)
	l := &listener{t: t, stream: stream, place: stream.firstID, blocks: make(chan string, 10_000), hold: hold, gone: ctx.Done(), end: make(chan error, 1), leave: cancel}
	over := make(chan struct{})
	go func() {
		defer close(over)
		err := stream.Run(ctx, l)
		stream.Close()
		l.end <- err
	}()
	t.Cleanup(func() { cancel(); <-over })
	return l
}

// Header is never read.
func (l *listener) Header() http.Header { return http.Header{} }

// WriteHeader is never called.
func (l *listener) WriteHeader(int) {}

// Flush does nothing: what is written has come.
func (l *listener) Flush() {}

// Write takes one block of the stream.
func (l *listener) Write(p []byte) (int, error) {
	if l.hold != nil && !bytes.HasPrefix(p, []byte("retry: ")) {
		select {
		case <-l.hold:
		case <-l.gone:
			return 0, net.ErrClosed
		}
	}
	l.blocks <- string(p)
	return len(p), nil
}

// next waits for an event, over comments.
func (l *listener) next() told {
	l.t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case block := <-l.blocks:
			if e, ok := parse(block); ok {
				return e
			}
		case err := <-l.end:
			l.t.Fatalf("the stream has ended: %v", err)
		case <-deadline:
			l.t.Fatal("no event came")
		}
	}
}

// want checks which event comes next.
func (l *listener) want(typ storage.EventType, conversationID string) told {
	l.t.Helper()
	e := l.next()
	if e.data.Type != typ || e.data.ConversationID != conversationID {
		l.t.Fatalf("%+v came, want %s of %s", e, typ, conversationID)
	}
	return e
}

// wantEnd waits for the end, and checks that no event came before it.
func (l *listener) wantEnd() error {
	l.t.Helper()
	select {
	case err := <-l.end:
		for len(l.blocks) > 0 {
			if e, ok := parse(<-l.blocks); ok {
				l.t.Errorf("before the end came %+v", e)
			}
		}
		return err
	case <-time.After(10 * time.Second):
		l.t.Fatal("the stream goes on")
	}
	return nil
}

func parse(block string) (e told, ok bool) {
	for line := range strings.Lines(block) {
		switch field, value, _ := strings.Cut(strings.TrimSpace(line), ": "); field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			_ = json.Unmarshal([]byte(value), &e.data)
		}
	}
	return e, e.name != ""
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
