package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/api/events"
	"hark/api/messages"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
)

// listener reads one event stream.
type listener struct {
	t      *testing.T
	events chan told // closed when the stream ends
	cancel context.CancelFunc
	place  string // the id that the stream began with
}

type told struct {
	id, name string
	data     events.Event
}

// listen opens a stream and waits until it stands.
func (c *client) listen(after string) *listener {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.harness.http.URL+"/v1/events", nil)
	must(c.t, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	resp, err := c.http.Do(req)
	must(c.t, err)
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		c.t.Fatalf("status %d of %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	l := &listener{t: c.t, events: make(chan told, 10_000), cancel: cancel}
	lines := bufio.NewScanner(resp.Body)
	l.place = l.begin(lines)
	go func() {
		defer close(l.events)
		defer resp.Body.Close()
		l.read(lines)
	}()
	return l
}

// begin reads the first block of a stream, which has its place and no event.
func (l *listener) begin(lines *bufio.Scanner) (place string) {
	for lines.Scan() && lines.Text() != "" {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			place = id
		}
	}
	return place
}

func (l *listener) read(lines *bufio.Scanner) {
	var e told
	for lines.Scan() {
		line := lines.Text()
		switch field, value, _ := strings.Cut(line, ": "); {
		case line == "" && e.name != "":
			l.events <- e
			e = told{}
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data":
			_ = json.Unmarshal([]byte(value), &e.data)
		}
	}
}

// next waits for an event.
func (l *listener) next() told {
	l.t.Helper()
	select {
	case e, ok := <-l.events:
		if !ok {
			l.t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(10 * time.Second):
		l.t.Fatal("no event came")
	}
	return told{}
}

func (l *listener) wantEnd() {
	l.t.Helper()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case _, ok := <-l.events:
			if !ok {
				return
			}
		case <-deadline:
			l.t.Fatal("the stream goes on")
		}
	}
}

func TestEvents(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	shared, own := h.owner.conversation(mia), h.owner.conversation()
	l := mia.listen("")

	hidden := h.owner.record(own)
	m := h.owner.record(shared)
	e := l.next()
	if e.name != "message.created" || e.data.Type != storage.MessageCreated || e.data.MessageID != m.ID || e.data.ConversationID != shared || e.id == "" {
		t.Errorf("%+v", e)
	}
	// What passes comes without an id, to those who may hear it.
	for _, id := range []string{hidden.ID, m.ID} {
		conversation := map[string]string{hidden.ID: own, m.ID: shared}[id]
		must(t, sharedBus.PublishEvents(t.Context(), []storage.Event{{
			WorkspaceID: h.owner.principal.WorkspaceID, Type: storage.MessageProgress, ConversationID: conversation, MessageID: id,
			Data: json.RawMessage(`{"progress":0.5}`), At: storage.Now(),
		}}))
	}
	if p := l.next(); p.name != "message.progress" || p.id != "" || p.data.MessageID != m.ID {
		t.Errorf("%+v", p)
	}
	must(t, h.db.RemoveConversationMember(t.Context(), h.owner.principal, shared, mia.principal.UserID))
	h.owner.record(shared)
	if gone := l.next(); gone.name != "conversation.deleted" {
		t.Errorf("after being removed: %+v", gone)
	}
	h.owner.json("POST", "/v1/conversations", map[string]any{"title": "Back", "member_ids": []string{mia.principal.UserID}}).want(201)
	if back := l.next(); back.name != "conversation.created" {
		t.Errorf("what happened after the removal is heard: %+v", back)
	}
	for _, bad := range []string{"x", "-1", "41", strings.Repeat("A", 22), strings.Repeat("A", 59)} {
		mia.get("/v1/events"+"?after="+bad).problem(422, "validation_failed")
	}
	for _, other := range []*client{h.stranger(), h.owner} {
		other.get("/v1/events"+"?after="+e.id).problem(422, "validation_failed")
	}
}

// TestEventsResume has listeners come and go while several people write at
// once: each hears every event that is theirs, once and in order.
func TestEventsResume(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.Heartbeat = 50 * time.Millisecond; c.Intake.PerUser = 64 }})
	mia := h.user("Mia", storage.RoleMember)
	shared, own := h.owner.conversation(mia), h.owner.conversation()
	begin := mia.listen("").place

	const writers, each = 4, 15
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				h.owner.record(shared)
				h.owner.record(own)
			}
		})
	}
	steady := mia.listen(begin)
	var hopped []told
	for place := begin; len(hopped) < writers*each; {
		l := mia.listen(place)
		for range min(7, writers*each-len(hopped)) {
			e := l.next()
			hopped, place = append(hopped, e), e.id
		}
		l.cancel()
	}
	writing.Wait()
	seen := map[string]bool{}
	for i, e := range hopped {
		if s := steady.next(); s.id != e.id {
			t.Fatalf("event %d is %s for one who stayed and %s for one who hopped", i, s.data.MessageID, e.data.MessageID)
		}
		if seen[e.data.MessageID] || e.data.ConversationID != shared {
			t.Fatalf("event %d came twice, or is not Mia's: %+v", i, e)
		}
		seen[e.data.MessageID] = true
	}
	list := decode[rest.Page[messages.Message]](mia.get("/v1/conversations/" + shared + "/messages?limit=100"))
	if len(list.Items) != len(seen) {
		t.Errorf("%d messages, %d heard of", len(list.Items), len(seen))
	}
	if all := mia.listen("0"); all.next().name != "user.created" {
		t.Error("the very beginning is something else")
	}
}

// TestEventsWithoutBus loses every event on the bus: the heartbeat finds them.
func TestEventsWithoutBus(t *testing.T) {
	h := newHarness(t, options{
		config:  func(c *Config) { c.Heartbeat = 20 * time.Millisecond },
		publish: func([]storage.Event) {},
	})
	conversation := h.owner.conversation()
	l := h.owner.listen("")
	m := h.owner.record(conversation)
	if e := l.next(); e.data.MessageID != m.ID {
		t.Errorf("%+v", e)
	}
}

func TestEventStreamEnds(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.Heartbeat = 20 * time.Millisecond }})
	mia := h.user("Mia", storage.RoleMember)
	l, other := mia.listen(""), h.owner.listen("")
	must(t, h.db.RevokeToken(t.Context(), mia.principal, mia.principal.CredentialID))
	l.wantEnd()
	h.api.hub.End()
	other.wantEnd()
	if strings.Contains(h.log.String(), `"level":"ERROR"`) {
		t.Errorf("an end is called an error: %s", h.log.String())
	}
}

// TestEventsOfTheRevoked revokes a listener's token between two heartbeats:
// nothing that happens from then on reaches them.
func TestEventsOfTheRevoked(t *testing.T) {
	h := newHarness(t) // with a heartbeat a minute
	mia := h.user("Mia", storage.RoleMember)
	conversation := mia.conversation(h.owner)
	l := mia.listen("")
	must(t, h.db.RevokeToken(t.Context(), mia.principal, mia.principal.CredentialID))
	_, err := h.db.UpdateConversation(t.Context(), h.owner.principal, conversation, storage.ConversationPatch{Title: new("Renamed")})
	must(t, err)
	select {
	case e, ok := <-l.events:
		if ok {
			t.Errorf("heard %+v", e)
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream goes on")
	}
}

// TestEventsEndWithTheCredential revokes what streams were opened with, in each
// way that the API has: they end at once, and others go on.
func TestEventsEndWithTheCredential(t *testing.T) {
	h := newHarness(t) // with a heartbeat a minute
	for name, revoke := range map[string]func(*client){
		"revoked":  func(c *client) { c.send("DELETE", "/v1/tokens/"+c.principal.CredentialID, nil).want(204) },
		"sign-out": func(c *client) { c.send("POST", "/v1/sign-out", nil).want(200) },
	} {
		t.Run(name, func(t *testing.T) {
			mia := h.user("Mia "+name, storage.RoleMember)
			l, other := mia.listen(""), h.owner.listen("")
			revoke(mia)
			l.wantEnd()
			h.owner.conversation()
			if e := other.next(); e.name != "conversation.created" {
				t.Errorf("another's stream has %+v", e)
			}
		})
	}
}

// TestEventsEndWithTheParent revokes the token with which the one was made that a
// stream was opened with.
func TestEventsEndWithTheParent(t *testing.T) {
	h := newHarness(t) // with a heartbeat a minute
	parent := h.user("Mia", storage.RoleMember)
	child := *parent
	child.token = decode[signin.NewToken](parent.json("POST", "/v1/tokens", map[string]any{"name": "child", "scopes": []string{"read"}}).want(201)).Secret
	l := child.listen("")
	parent.send("DELETE", "/v1/tokens/"+parent.principal.CredentialID, nil).want(204)
	l.wantEnd()
	child.get("/v1/me").problem(401, "unauthorized")
}

// TestEventsReset comes back after events were swept.
func TestEventsReset(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	place := h.owner.listen("").place
	h.owner.record(conversation)
	recorded := storage.Now()
	await(t, "the next millisecond, as the sweep goes by them", func() bool { return storage.Now().After(recorded) })
	_, err := h.db.SweepEvents(t.Context(), 0)
	must(t, err)
	l := h.owner.listen(place)
	if e := l.next(); e.name != "reset" || e.id == "" || e.id == place {
		t.Fatalf("%+v", e)
	}
	m := h.owner.record(conversation)
	if e := l.next(); e.data.MessageID != m.ID {
		t.Errorf("%+v", e)
	}
}
