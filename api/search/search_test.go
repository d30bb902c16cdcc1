package search

import (
	"testing"
	"time"

	"hark/storage"
)

func TestMarkup(t *testing.T) {
	for _, c := range []struct {
		text  string
		marks []storage.Mark
		want  string
	}{
		{"plain", nil, "plain"},
		{"your country", []storage.Mark{{Start: 5, End: 12}}, "your <mark>country</mark>"},
		{"a b c", []storage.Mark{{Start: 0, End: 1}, {Start: 4, End: 5}}, "<mark>a</mark> b <mark>c</mark>"},
		{"<script>&", []storage.Mark{{Start: 1, End: 7}}, "&lt;<mark>script</mark>&gt;&amp;"},
		{"Größe 🎙 ja", []storage.Mark{{Start: 8, End: 10}}, "Größe 🎙 <mark>ja</mark>"},
		{"short", []storage.Mark{{Start: 3, End: 99}, {Start: 4, End: 2}, {Start: -1, End: 2}}, "short"},
		{"overlap", []storage.Mark{{Start: 0, End: 4}, {Start: 2, End: 6}}, "<mark>over</mark>lap"},
	} {
		if got := markup(storage.Snippet{Text: c.text, Marks: c.marks}); got != c.want {
			t.Errorf("markup(%q, %v) = %q; want %q", c.text, c.marks, got, c.want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	for value, want := range map[string]time.Time{
		"2026-03-01T10:30:00 01:00": time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), // a plus sign that was not escaped
		"":                          {},
		"2026-03-01":                time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"2026-03-01T10:30:00+01:00": time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC),
	} {
		if got, err := parseMoment("query.after", value); err != nil || !got.Equal(want) {
			t.Errorf("parseMoment(%q) = %v, %v", value, got, err)
		}
	}
	for _, value := range []string{"yesterday", "2026-13-01", "0000-01-01"} {
		if _, err := parseMoment("query.after", value); err == nil {
			t.Errorf("parseMoment(%q) took it", value)
		}
	}
}
