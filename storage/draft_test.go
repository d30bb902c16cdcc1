package storage

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestDraftClean(t *testing.T) {
	const id = "0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"
	at := time.Date(2026, 3, 1, 10, 30, 0, 123_456_789, time.FixedZone("", 3600))
	d := Draft{Title: " The\nbridge\x00 ", ReplyTo: strings.ToUpper(id), ReplyAtMS: 4200, RecordedAt: at, Unsent: true}
	for range 2 { // what is clean stays as it is
		if err := d.Clean(); err != nil {
			t.Fatal(err)
		}
		want := Draft{Title: "The bridge", ReplyTo: id, ReplyAtMS: 4200, RecordedAt: at.UTC().Truncate(time.Millisecond), Unsent: true}
		if d != want {
			t.Errorf("got %+v; want %+v", d, want)
		}
	}
	if d := (Draft{ReplyAtMS: 7}); d.Clean() != nil || d.ReplyAtMS != 0 {
		t.Errorf("a place in no message is kept: %+v", d)
	}
	for field, d := range map[string]Draft{
		"title":       {Title: strings.Repeat("x", MaxTitle+1)},
		"reply_to":    {ReplyTo: "x"},
		"reply_at_ms": {ReplyTo: id, ReplyAtMS: MaxReplyAtMS + 1},
		"recorded_at": {RecordedAt: time.Unix(-1, 0)},
	} {
		var invalid *InvalidError
		if err := d.Clean(); !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestRequestHash(t *testing.T) {
	base := Draft{Title: "t", ReplyTo: "r", ReplyAtMS: 1, RecordedAt: time.UnixMilli(5)}
	// What was hashed by the version before must be known again by this one.
	const before = "ae1231c44e7e5070b3c5f97560232e66c21c747b44f685dab99d888428a9fc41"
	if got := base.RequestHash("c", "s"); got != before {
		t.Errorf("hash %s; want %s", got, before)
	}
	for name, change := range map[string]func(d *Draft, conversation, sound *string){
		"conversation": func(_ *Draft, c, _ *string) { *c = "d" },
		"sound":        func(_ *Draft, _, s *string) { *s = "z" },
		"title":        func(d *Draft, _, _ *string) { d.Title = "u" },
		"reply":        func(d *Draft, _, _ *string) { d.ReplyTo = "q" },
		"place":        func(d *Draft, _, _ *string) { d.ReplyAtMS = 2 },
		"time":         func(d *Draft, _, _ *string) { d.RecordedAt = time.Time{} },
		"draft":        func(d *Draft, _, _ *string) { d.Unsent = true },
		"shift":        func(d *Draft, c, _ *string) { *c, d.Title = "ct", "" },
	} {
		other, conversation, sound := base, "c", "s"
		change(&other, &conversation, &sound)
		if other.RequestHash(conversation, sound) == before {
			t.Errorf("another %s hashes alike", name)
		}
	}
}
