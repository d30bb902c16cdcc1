package api

import (
	"encoding/json"
	"testing"

	"hark/storage"
)

// Captions that are for one listener do not reach another, who may hear the
// conversation.
func TestCaptionsForOneListener(t *testing.T) {
	h := newHarness(t)
	mia := h.user("Mia", storage.RoleMember)
	shared, own := h.owner.conversation(mia), h.owner.conversation()
	speaker, mias := h.owner.listen(""), mia.listen("")
	for _, c := range []struct{ conversation, onlyFor, text string }{
		{shared, h.owner.principal.UserID, "private"},
		{own, mia.principal.UserID, "of a conversation that she is not in"},
		{shared, mia.principal.UserID, "hers"},
		{shared, "", "for all"},
	} {
		data, err := json.Marshal(map[string]string{"text": c.text})
		must(t, err)
		must(t, sharedBus.PublishEvents(t.Context(), []storage.Event{{
			WorkspaceID: h.owner.principal.WorkspaceID, Type: storage.MessageCaption, ConversationID: c.conversation,
			OnlyFor: c.onlyFor, Data: data, At: storage.Now(),
		}}))
	}
	for l, texts := range map[*listener][]string{speaker: {"private", "for all"}, mias: {"hers", "for all"}} {
		for _, want := range texts {
			e := l.next()
			data, _ := e.data.Data.(map[string]any)
			if e.name != "message.caption" || e.id != "" || data["text"] != want {
				t.Errorf("heard %+v, want %q", e, want)
			}
		}
	}
}
