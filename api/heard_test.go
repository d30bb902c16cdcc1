package api

import (
	"net/http"
	"strings"
	"testing"

	"hark/api/conversations"
	"hark/api/heard"
	"hark/api/messages"
	"hark/storage"
)

// What one device played the others know, and nobody else does.
func TestWhatIsHeardIsToldToOnesOwnDevices(t *testing.T) {
	h := newHarness(t)
	bob := h.user("Bob", storage.RoleMember)
	room := h.owner.conversation(bob)
	m := h.owner.record(room)
	h.finish(m.ID, "we met at the bridge at noon")
	unread := func(c *client, want int) {
		t.Helper()
		if got := decode[conversations.Conversation](c.get("/v1/conversations/" + room)); got.Unread != want {
			t.Errorf("%d unread, want %d", got.Unread, want)
		}
	}
	unread(bob, 1)
	unread(h.owner, 0)

	mine, hers := bob.listen(""), h.owner.listen("")
	told := func(name string) {
		t.Helper()
		if e := mine.next(); e.name != name || e.data.ConversationID != room || name == "message.heard" && e.data.MessageID != m.ID {
			t.Errorf("told of %+v, want %s", e, name)
		}
	}
	path := "/v1/messages/" + m.ID + "/heard"
	one := func(from, to int) map[string]any {
		return map[string]any{"ranges": []map[string]int{{"from_ms": from, "to_ms": to}}}
	}
	got := decode[heard.MessageHeard](bob.json(http.MethodPut, path, one(0, 100)).want(200))
	if got.Done || got.Unread != 1 || got.ResumeMS != 100 || len(got.Ranges) != 1 || got.Ranges[0] != (heard.Range{ToMS: 100}) {
		t.Errorf("heard a little: %+v", got)
	}
	told("message.heard")
	rest := one(50, 90_000)
	rest["id"], rest["at_ms"] = m.ID, 700
	gone := one(0, 1)
	gone["id"] = storage.NewID()
	batch := decode[struct{ Items []heard.MessageHeard }](bob.json(http.MethodPost, "/v1/heard", map[string]any{"messages": []any{rest, gone}}).want(200))
	if len(batch.Items) != 1 || !batch.Items[0].Done || batch.Items[0].Unread != 0 || batch.Items[0].ResumeMS != 700 {
		t.Errorf("heard all: %+v", batch)
	}
	told("message.heard")
	unread(bob, 0)
	if again := decode[messages.Message](bob.get("/v1/messages/" + m.ID)).Heard; !again.Done || len(again.Ranges) != 1 || again.Ranges[0].ToMS != 1000 {
		t.Errorf("read again: %+v", again)
	}
	if c := decode[heard.ConversationHeard](bob.send(http.MethodDelete, path, nil).want(200)); c.Unread != 1 || c.ConversationID != room {
		t.Errorf("not heard any more: %+v", c)
	}
	told("conversation.heard")
	unread(bob, 1)
	if c := decode[heard.ConversationHeard](bob.send(http.MethodPost, "/v1/conversations/"+room+"/heard", nil).want(200)); c.Unread != 0 {
		t.Errorf("marked as heard: %+v", c)
	}
	told("conversation.heard")

	for body, status := range map[string]int{
		`{}`: 422, `{"ranges": []}`: 422, `{"ranges": null}`: 422, `{"ranges": [{"from_ms": -1, "to_ms": 5}]}`: 422, `{"ranges": [{"from_ms": 0, "to_ms": 1e300}]}`: 422,
		`{"ranges": [{"from_ms": 0, "to_ms": 5}], "user_id": "` + h.owner.principal.UserID + `"}`: 422, `{"RANGES": [{"from_ms": 0, "to_ms": 5}]}`: 422,
		`{"ranges": [` + strings.Repeat(`{"from_ms": 0, "to_ms": 5},`, 200) + `{"from_ms": 0, "to_ms": 5}]}`: 422, `{"ranges": [{"from_ms": 900, "to_ms": 5}]}`: 200, `{"ranges": [{"from_ms": 900000, "to_ms": 900001}]}`: 200,
	} {
		bob.send(http.MethodPut, path, strings.NewReader(body), "Content-Type", "application/json").want(status)
	}
	// She heard nothing of all that.
	h.owner.json(http.MethodPatch, "/v1/messages/"+m.ID, map[string]any{"title": "Another"}).want(200)
	for e := hers.next(); e.name != "message.updated"; e = hers.next() {
		t.Errorf("she is told of %+v", e)
	}
}

// As much as one call may say is taken.
func TestHeardBatchIsAsLargeAsItMayBe(t *testing.T) {
	h := newHarness(t)
	bob := h.user("Bob", storage.RoleMember)
	room := h.owner.conversation(bob)
	m := h.owner.record(room)
	ranges := make([]map[string]int, 200)
	for i := range ranges {
		ranges[i] = map[string]int{"from_ms": 999_000_000 + 10*i, "to_ms": 999_000_001 + 10*i}
	}
	batch := []any{map[string]any{"id": m.ID, "ranges": ranges, "at_ms": 1_000_000_000}}
	for len(batch) < 100 {
		batch = append(batch, map[string]any{"id": storage.NewID(), "ranges": ranges, "at_ms": 1_000_000_000})
	}
	got := decode[struct{ Items []heard.MessageHeard }](bob.json(http.MethodPost, "/v1/heard", map[string]any{"messages": batch}).want(200))
	if len(got.Items) != 1 || got.Items[0].ID != m.ID {
		t.Errorf("%d", len(got.Items))
	}
	bob.json(http.MethodPost, "/v1/heard", map[string]any{"messages": append(batch, batch[0])}).want(422)
}
