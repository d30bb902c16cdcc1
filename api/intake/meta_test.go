package intake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/transcribe"
)

func TestMetaRefusals(t *testing.T) {
	for name, c := range map[string]struct{ field, value string }{
		"title too long":         {FieldTitle, strings.Repeat("x", 201)},
		"reply to no id":         {FieldReplyTo, "yesterday"},
		"reply at words":         {FieldReplyAtMS, "soon"},
		"recorded at no time":    {FieldRecordedAt, "noon"},
		"recorded before clocks": {FieldRecordedAt, "1900-01-01T00:00:00Z"},
		"recorded in the future": {FieldRecordedAt, storage.Now().Add(48 * time.Hour).Format(time.RFC3339)},
		"priority unknown":       {FieldPriority, "urgent"},
	} {
		t.Run(name, func(t *testing.T) {
			var m Meta
			err := m.Set(c.field, c.value)
			if err == nil {
				err = m.clean()
			}
			var field *FieldError
			if !errors.As(err, &field) || field.Field != c.field {
				t.Errorf("got %v; want it to name %s", err, c.field)
			}
		})
	}
	for _, at := range []int64{-1, maxReplyAtMS + 1} {
		m := Meta{ReplyTo: storage.NewID(), ReplyAtMS: at}
		if err := m.clean(); err == nil {
			t.Errorf("a reply at %d ms was taken", at)
		}
	}
	for _, key := range []string{strings.Repeat("k", 256), "tab\t", "ü"} {
		m := Meta{IdempotencyKey: key}
		if err := m.clean(); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}

func TestMetaTakes(t *testing.T) {
	reply := storage.NewID()
	var m Meta
	for field, value := range map[string]string{
		FieldTitle: " Noon ", FieldReplyTo: strings.ToUpper(reply), FieldReplyAtMS: "4200",
		FieldRecordedAt: "2026-03-01T10:30:00.1239+01:00", FieldFilename: "a/b.mp3", FieldPriority: "bulk",
	} {
		if err := m.Set(field, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.clean(); err != nil {
		t.Fatal(err)
	}
	if m.Title != "Noon" || m.ReplyTo != reply || m.ReplyAtMS != 4200 || m.Filename != "b.mp3" || m.Priority != transcribe.Bulk {
		t.Errorf("got %+v", m)
	}
	if want := time.Date(2026, 3, 1, 9, 30, 0, 123e6, time.UTC); !m.RecordedAt.Equal(want) {
		t.Errorf("recorded at %v; want %v", m.RecordedAt, want)
	}
}

func TestPriority(t *testing.T) {
	for name, c := range map[string]struct {
		clip kept
		ask  transcribe.Priority
		want transcribe.Priority
	}{
		"short":               {kept{declared: time.Minute}, transcribe.Interactive, transcribe.Interactive},
		"ten minutes":         {kept{declared: 10 * time.Minute}, transcribe.Interactive, transcribe.Interactive},
		"longer":              {kept{declared: 10*time.Minute + time.Second}, transcribe.Interactive, transcribe.Bulk},
		"asked for":           {kept{declared: time.Second}, transcribe.Bulk, transcribe.Bulk},
		"silent about it":     {kept{original: storage.Original{Bytes: 1 << 20}}, transcribe.Interactive, transcribe.Interactive},
		"silent, but so long": {kept{original: storage.Original{Bytes: 20 << 20}}, transcribe.Interactive, transcribe.Bulk},
	} {
		if got := c.clip.priority(Meta{Priority: c.ask}); got != c.want {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
}

func TestRequestHash(t *testing.T) {
	base := Meta{ConversationID: "c", Title: "t", ReplyTo: "r", ReplyAtMS: 1, RecordedAt: time.UnixMilli(5)}
	same := base
	same.Filename, same.Priority, same.IdempotencyKey = "other.mp3", transcribe.Bulk, "k"
	if requestHash(base, "s") != requestHash(same, "s") {
		t.Error("hints change the hash")
	}
	for name, change := range map[string]func(*Meta){
		"conversation": func(m *Meta) { m.ConversationID = "d" },
		"title":        func(m *Meta) { m.Title = "u" },
		"reply":        func(m *Meta) { m.ReplyTo = "q" },
		"place":        func(m *Meta) { m.ReplyAtMS = 2 },
		"time":         func(m *Meta) { m.RecordedAt = time.Time{} },
		"shift":        func(m *Meta) { m.ConversationID, m.Title = "ct", "" },
	} {
		other := base
		change(&other)
		if requestHash(base, "s") == requestHash(other, "s") {
			t.Errorf("another %s hashes alike", name)
		}
	}
	if requestHash(base, "s") == requestHash(base, "z") {
		t.Error("another body hashes alike")
	}
}
