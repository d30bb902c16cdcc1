package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"hark/api/messages"
	"hark/api/problem"
	"hark/api/recorder"
	"hark/api/rest"
	"hark/storage"
)

// mine are the drafts of a client.
func (c *client) mine() []messages.Message {
	c.t.Helper()
	return decode[rest.Page[messages.Message]](c.get("/v1/drafts").want(200)).Items
}

// listed are the messages of a conversation as a client sees them.
func (c *client) listed(conversation string) []messages.Message {
	c.t.Helper()
	return decode[rest.Page[messages.Message]](c.get("/v1/conversations/" + conversation + "/messages").want(200)).Items
}

func TestDraft(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mia)
	heard, hers := h.owner.listen(""), mia.listen("")
	path := "/v1/conversations/" + conversation + "/messages"
	clip := sine(time.Second)
	draft := decode[messages.Message](h.owner.send("POST", path+"?draft=true", bytes.NewReader(clip), "Idempotency-Key", "one").want(201))
	if !draft.Draft || heard.next().name != "draft.created" {
		t.Errorf("made %+v", draft)
	}
	h.owner.send("POST", path+"?draft=perhaps", bytes.NewReader(clip)).problem(422, "validation_failed")
	h.owner.send("POST", path, bytes.NewReader(clip), "Idempotency-Key", "one").problem(409, "idempotency_key_reused")
	if again := h.owner.send("POST", path+"?draft=true", bytes.NewReader(clip), "Idempotency-Key", "one").want(201); decode[messages.Message](again).ID != draft.ID {
		t.Errorf("sent again %s", again.body)
	}
	h.finish(draft.ID, "a secret")
	self := "/v1/messages/" + draft.ID
	for _, p := range []string{self, self + "/audio", self + "/transcript", self + "/waveform", self + "/audio-url"} {
		h.owner.get(p).want(200)
		mia.get(p).problem(404, "not_found")
	}
	mia.send("POST", path+"?reply_to="+draft.ID, bytes.NewReader(clip)).problem(422, "validation_failed")
	h.owner.send("POST", path+"?reply_to="+draft.ID, bytes.NewReader(clip)).problem(422, "validation_failed")
	if n := len(mia.listed(conversation)) + len(h.owner.listed(conversation)) + len(mia.mine()); n != 0 {
		t.Errorf("%d are listed", n)
	}
	if list := h.owner.mine(); len(list) != 1 || list[0].ID != draft.ID || list[0].TranscriptVersion != 1 {
		t.Errorf("drafts %+v", list)
	}

	sent := decode[messages.Message](h.owner.send("POST", self+"/send", nil).want(200))
	if sent.Draft || sent.CreatedAt.Before(draft.CreatedAt) || hers.next().name != "message.created" {
		t.Errorf("sent %+v", sent)
	}
	h.owner.send("DELETE", "/v1/drafts/"+draft.ID, nil).problem(409, "already_sent")
	if list := mia.listed(conversation); len(list) != 1 || list[0].ID != draft.ID {
		t.Errorf("Mia sees %+v", list)
	}
	mia.send("POST", self+"/unsend", nil).problem(403, "forbidden")
	if back := decode[messages.Message](h.owner.send("POST", self+"/unsend", nil).want(200)); !back.Draft || hers.next().name != "message.deleted" {
		t.Errorf("taken back %+v", back)
	}
	mia.get(self).problem(404, "not_found")
	if late := problem.From(fmt.Errorf("unsend message: %w", storage.ErrTooLate)); late.Code != "too_late" || late.Status != 409 {
		t.Errorf("too late is %+v", late)
	}
}

// What is spoken as a draft is one however it ends.
func TestSpeakDraft(t *testing.T) {
	h := liveHarness(t, recorder.Config{}, options{grace: 2 * time.Second})
	mia := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mia)
	hers := mia.listen("")
	h.owner.send("POST", "/v1/conversations/"+conversation+"/whip?draft=true&captions=conversation",
		strings.NewReader(offerOf(t, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").problem(422, "validation_failed")

	s := h.owner.speak(conversation, "?draft=true")
	s.say(time.Second)
	h.owner.send("POST", "/v1/messages/"+s.message+"/send", nil).problem(409, "still_recording")
	mia.get("/v1/messages/"+s.message).problem(404, "not_found")
	s.Vanish()
	lost := h.owner.awaitState(s.message, storage.Received)
	if !lost.Draft || lost.EndReason == "" || lost.DurationMS == nil {
		t.Errorf("its speaker vanished: %+v", lost)
	}

	s = h.owner.speak(conversation, "?draft=true")
	s.say(200 * time.Millisecond)
	h.owner.send("DELETE", strings.TrimPrefix(s.Location(), h.http.URL), nil).want(200)
	if done := h.owner.awaitState(s.message, storage.Received); !done.Draft {
		t.Errorf("ended by its speaker: %+v", done)
	}
	s = h.owner.speak(conversation, "?draft=true")
	s.say(200 * time.Millisecond)
	h.owner.send("DELETE", "/v1/drafts/"+s.message, nil).want(204)
	if ended := s.hears("ended"); ended["reason"] != "deleted" {
		t.Errorf("told %v", ended)
	}
	if list := mia.listed(conversation); len(list) != 0 {
		t.Errorf("Mia sees %+v", list)
	}
	h.owner.send("POST", "/v1/messages/"+lost.ID+"/send", nil).want(200)
	e := hers.next()
	for e.name == "conversation.recordings" { // that somebody records is no secret
		if e.data.MessageID != "" || e.data.Data != nil {
			t.Errorf("Mia is told more: %+v", e)
		}
		e = hers.next()
	}
	if e.name != "message.created" || e.data.MessageID != lost.ID { // the first that she hears of
		t.Errorf("Mia is told of %+v", e)
	}
	if a := mia.get("/v1/messages/" + lost.ID); a.status != http.StatusOK {
		t.Errorf("Mia gets %d", a.status)
	}
}
