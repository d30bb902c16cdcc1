package download

import (
	"strings"
	"testing"

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
		{"", "said: How/why it rained…", "How-why it rained….mp3"},
		{strings.Repeat("x", 255), "", strings.Repeat("x", 251) + ".mp3"},
	} {
		m := storage.Message{ID: "7", Draft: storage.Draft{Title: c.title}}
		if words, untitled := strings.CutPrefix(c.title, "said: "); untitled {
			m.Title, m.FirstWords = "", words
		}
		m.Original.Filename = c.filename
		if got := Name(m, ".mp3"); got != c.want {
			t.Errorf("%q, %q: %q; want %q", c.filename, c.title, got, c.want)
		}
	}
}
