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

	"hark/storage"
)

// listener reads one event stream.
type listener struct {
	t      *testing.T
	events chan heard // closed when the stream ends
	cancel context.CancelFunc
	place  string // the id that the stream began with
}

type heard struct {
	id, name string
	data     Event
}

// listen opens a stream and waits until it stands.
func (c *client) listen(after string) *listener {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	c.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.world.http.URL+eventsPath, nil)
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
	l := &listener{t: c.t, events: make(chan heard, 10_000), cancel: cancel}
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
	var e heard
	for lines.Scan() {
		line := lines.Text()
		switch field, value, _ := strings.Cut(line, ": "); {
		case line == "" && e.name != "":
			l.events <- e
			e = heard{}
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
func (l *listener) next() heard {
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
	return heard{}
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
	w := newWorld(t)
	mia := w.user("Mia", storage.RoleMember)
	shared, own := w.owner.conversation(mia), w.owner.conversation()
	l := mia.listen("")

	hidden := w.owner.record(own)
	m := w.owner.record(shared)
	e := l.next()
	if e.name != "message.created" || e.data.Type != storage.MessageCreated || e.data.MessageID != m.ID || e.data.ConversationID != shared || e.id == "" {
		t.Errorf("%+v", e)
	}
	// What passes comes without an id, to those who may hear it.
	for _, id := range []string{hidden.ID, m.ID} {
		conversation := map[string]string{hidden.ID: own, m.ID: shared}[id]
		must(t, sharedBus.PublishEvents(t.Context(), []storage.Event{{
			WorkspaceID: w.owner.actor.WorkspaceID, Type: storage.MessageProgress, ConversationID: conversation, MessageID: id,
			Data: json.RawMessage(`{"progress":0.5}`), At: storage.Now(),
		}}))
	}
	if p := l.next(); p.name != "message.progress" || p.id != "" || p.data.MessageID != m.ID {
		t.Errorf("%+v", p)
	}
	must(t, w.db.RemoveConversationMember(t.Context(), w.owner.actor, shared, mia.actor.UserID))
	w.owner.record(shared)
	if gone := l.next(); gone.name != "conversation.deleted" {
		t.Errorf("after being removed: %+v", gone)
	}
	w.owner.json("POST", "/v1/conversations", map[string]any{"title": "Back", "member_ids": []string{mia.actor.UserID}}).want(201)
	if back := l.next(); back.name != "conversation.created" {
		t.Errorf("what happened after the removal is heard: %+v", back)
	}
	for _, bad := range []string{"x", "-1", "41", strings.Repeat("A", 22)} {
		mia.get(eventsPath+"?after="+bad).problem(422, "validation_failed")
	}
	w.stranger().get(eventsPath+"?after="+e.id).problem(422, "validation_failed")
}

// TestEventsResume has listeners come and go while several people write at
// once: each hears every event that is theirs, once and in order.
func TestEventsResume(t *testing.T) {
	w := newWorld(t, options{config: func(c *Config) { c.Heartbeat = 50 * time.Millisecond; c.Intake.PerUser = 64 }})
	mia := w.user("Mia", storage.RoleMember)
	shared, own := w.owner.conversation(mia), w.owner.conversation()
	begin := mia.listen("").place

	const writers, each = 4, 15
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				w.owner.record(shared)
				w.owner.record(own)
			}
		})
	}
	steady := mia.listen(begin)
	var hopped []heard
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
	list := decode[Page[Message]](mia.get("/v1/conversations/" + shared + "/messages?limit=100"))
	if len(list.Items) != len(seen) {
		t.Errorf("%d messages, %d heard of", len(list.Items), len(seen))
	}
	if all := mia.listen("0"); all.next().name != "conversation.created" {
		t.Error("the very beginning is something else")
	}
}

// TestEventsWithoutBus loses every event on the bus: the heartbeat finds them.
func TestEventsWithoutBus(t *testing.T) {
	w := newWorld(t, options{
		config:  func(c *Config) { c.Heartbeat = 20 * time.Millisecond },
		publish: func([]storage.Event) {},
	})
	conversation := w.owner.conversation()
	l := w.owner.listen("")
	m := w.owner.record(conversation)
	if e := l.next(); e.data.MessageID != m.ID {
		t.Errorf("%+v", e)
	}
}

func TestEventStreamEnds(t *testing.T) {
	w := newWorld(t, options{config: func(c *Config) { c.Heartbeat = 20 * time.Millisecond }})
	mia := w.user("Mia", storage.RoleMember)
	l, other := mia.listen(""), w.owner.listen("")
	must(t, w.db.RevokeToken(t.Context(), mia.actor, mia.actor.TokenID))
	l.wantEnd()
	w.api.EndStreams()
	other.wantEnd()
	if strings.Contains(w.log.String(), `"level":"ERROR"`) {
		t.Errorf("an end is called an error: %s", w.log.String())
	}
}

// TestEventsOfTheRevoked revokes a listener's token between two heartbeats:
// nothing that happens from then on reaches them.
func TestEventsOfTheRevoked(t *testing.T) {
	w := newWorld(t) // with a heartbeat a minute
	mia := w.user("Mia", storage.RoleMember)
	conversation := mia.conversation()
	l := mia.listen("")
	must(t, w.db.RevokeToken(t.Context(), mia.actor, mia.actor.TokenID))
	_, err := w.db.UpdateConversation(t.Context(), mia.actor, conversation, "Renamed")
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

// TestEventsReset comes back after events were swept, and from a future that a
// restored database does not know.
func TestEventsReset(t *testing.T) {
	w := newWorld(t)
	conversation := w.owner.conversation()
	place := w.owner.listen("").place
	w.owner.record(conversation)
	recorded := storage.Now()
	await(t, "the next millisecond, as the sweep goes by them", func() bool { return storage.Now().After(recorded) })
	_, err := w.db.SweepEvents(t.Context(), 0)
	must(t, err)
	for name, at := range map[string]string{
		"swept":  place,
		"future": w.api.eventIDs.seal(w.owner.actor.WorkspaceID, 1_000_000),
	} {
		t.Run(name, func(t *testing.T) {
			l := w.owner.listen(at)
			if e := l.next(); e.name != "reset" || e.id == "" || e.id == at {
				t.Fatalf("%+v", e)
			}
			m := w.owner.record(conversation)
			if e := l.next(); e.data.MessageID != m.ID {
				t.Errorf("%+v", e)
			}
		})
	}
}
