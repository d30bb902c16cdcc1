package api

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"hark/storage"
)

func TestDownloadName(t *testing.T) {
	for _, c := range []struct{ filename, title, want string }{
		{"bridge.wav", "Noon", "bridge.mp3"},
		{"bridge.html", "", "bridge.mp3"},
		{"bridge.mp3.exe", "", "bridge.mp3.mp3"},
		{"bridge", "", "bridge.mp3"},
		{"Dr. Holm", "", "Dr. Holm.mp3"},
		{"höre 🎙.m4a", "", "höre 🎙.mp3"},
		{".mp3", "Noon", "Noon.mp3"},
		{".htaccess", "", "htaccess.mp3"},
		{"...", "Noon", "Noon.mp3"},
		{"bridge.", "", "bridge.mp3"},
		{"", "North/South: v1.2", "North-South: v1.2.mp3"},
		{"", "../../etc/passwd", "-..-etc-passwd.mp3"},
		{"", "", "message-7.mp3"},
		{strings.Repeat("x", 255), "", strings.Repeat("x", 251) + ".mp3"},
	} {
		m := storage.Message{ID: "7", Title: c.title}
		m.Original.Filename = c.filename
		if got := downloadName(m, ".mp3"); got != c.want {
			t.Errorf("%q, %q: %q; want %q", c.filename, c.title, got, c.want)
		}
	}
}

// TestDownloadsAreNamedByWhatTheyAre sends a recording as a page: nothing of it
// is saved as one.
func TestDownloadsAreNamedByWhatTheyAre(t *testing.T) {
	w := newWorld(t)
	sent := w.owner.send("POST", "/v1/conversations/"+w.owner.conversation()+"/messages?filename=bridge.html", bytes.NewReader(sine(time.Second))).want(201)
	message := decode[Message](sent)
	w.finish(message.ID, "hello there")
	message = decode[Message](w.owner.get("/v1/messages/" + message.ID).want(200))
	for address, want := range map[string]string{
		message.Links.Original:            "bridge.wav",
		message.Links.Audio:               "bridge.m4a",
		message.Links.Transcript + ".vtt": "bridge.vtt",
		message.Links.Transcript + ".srt": "bridge.srt",
		message.Links.Transcript + ".txt": "bridge.txt",
	} {
		if got := w.owner.get(address).want(200).header.Get("Content-Disposition"); got != `inline; filename="`+want+`"` {
			t.Errorf("%s: %s", address, got)
		}
	}
}
