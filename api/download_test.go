package api

import (
	"bytes"
	"testing"
	"time"

	"hark/api/messages"
)

// TestDownloadsAreNamedByWhatTheyAre sends a recording as a page: nothing of it
// is saved as one.
func TestDownloadsAreNamedByWhatTheyAre(t *testing.T) {
	h := newHarness(t)
	sent := h.owner.send("POST", "/v1/conversations/"+h.owner.conversation()+"/messages?filename=bridge.html", bytes.NewReader(sine(time.Second))).want(201)
	message := decode[messages.Message](sent)
	h.finish(message.ID, "hello there")
	message = decode[messages.Message](h.owner.get("/v1/messages/" + message.ID).want(200))
	for address, want := range map[string]string{
		message.Links.Original:            "bridge.wav",
		message.Links.Audio:               "bridge.m4a",
		message.Links.Transcript + ".vtt": "bridge.vtt",
		message.Links.Transcript + ".srt": "bridge.srt",
		message.Links.Transcript + ".txt": "bridge.txt",
	} {
		if got := h.owner.get(address).want(200).header.Get("Content-Disposition"); got != `inline; filename="`+want+`"` {
			t.Errorf("%s: %s", address, got)
		}
	}
}
