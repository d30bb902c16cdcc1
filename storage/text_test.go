package storage

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCleanFilename(t *testing.T) {
	long := strings.Repeat("ä", 200) + ".m4a"
	for _, c := range []struct{ name, want string }{
		{"", ""},
		{"bridge.mp3", "bridge.mp3"},
		{"../../etc/passwd", "passwd"},
		{`C:\Users\ada\My Music\bridge.wav`, "bridge.wav"},
		{"/", ""},
		{"..", ""},
		{".hidden.wav", "hidden.wav"},
		{"  spaced.wav ", "spaced.wav"},
		{"🎙️ note.m4a", "🎙️ note.m4a"},
		{"tab\tnew\nline\x00.mp3", "tab new line.mp3"},
		{"invoice\u202e3pm.exe", "invoice3pm.exe"},
		{"bad\xff\xfeutf8.ogg", "badutf8.ogg"},
		{long, strings.Repeat("ä", 125) + ".m4a"},
		{strings.Repeat("x", 300), strings.Repeat("x", 255)},
	} {
		if got := CleanFilename(c.name); got != c.want {
			t.Errorf("CleanFilename(%q) = %q; want %q", c.name, got, c.want)
		}
	}
}

func TestCleanTitle(t *testing.T) {
	for _, c := range []struct{ title, want string }{
		{"", ""},
		{"  The bridge\r\nat noon ", "The bridge  at noon"},
		{"nul\x00 bell\a", "nul bell"},
		{"\xf0\x28\x8c\x28", "(("},
		{strings.Repeat("ü", 200), strings.Repeat("ü", 200)},
	} {
		if got, err := CleanTitle(c.title); err != nil || got != c.want {
			t.Errorf("CleanTitle(%q) = %q, %v; want %q", c.title, got, err, c.want)
		}
	}
	if _, err := CleanTitle(strings.Repeat("ü", 201)); err == nil {
		t.Error("a title of 201 characters was taken")
	}
}

func FuzzCleanFilename(f *testing.F) {
	for _, seed := range []string{"a.mp3", "../x", `..\..\x`, "\x00", "💬.ogg", "\xff", strings.Repeat("é", 300) + ".opus", ". . ./", "a.b/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := CleanFilename(name)
		if len(got) > maxFilename || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\n\r") || strings.HasPrefix(got, ".") {
			t.Fatalf("CleanFilename(%q) = %q", name, got)
		}
		if again := CleanFilename(got); again != got {
			t.Fatalf("CleanFilename(%q) = %q, and cleaned again %q", name, got, again)
		}
	})
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 5, ""},
		{"short", 5, "short"},
		{"one two three", 13, "one two three"},
		{"one two three", 12, "one two…"},
		{"one two three", 7, "one two…"},
		{"one two three", 6, "one…"},
		{"  one   two  three ", 7, "one two…"},
		{"Stop. Go on", 6, "Stop. …"},
		{"unbelievably", 6, "unbeli…"},
		{"cafe\u0301s and more", 4, "caf…"}, // not without its accent
		{"👍🏽👍🏽👍🏽", 3, "👍🏽…"},                // with its colour
		{"👨\u200d👩\u200d👧👨\u200d👩\u200d👧", 7, "👨\u200d👩\u200d👧…"}, // whole families
		{"🇩🇪🇫🇷🇮🇹", 3, "🇩🇪…"},                                      // whole flags
		{"日本語日本語", 4, "日本語日…"},
		{"\u0301\u0301\u0301", 2, "\u0301…"},
	} {
		if got := Cut(c.text, c.limit); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
