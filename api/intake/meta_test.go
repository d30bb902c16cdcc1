package intake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"hark/storage"
)

func TestMetaRefusals(t *testing.T) {
	for name, c := range map[string]struct{ field, value string }{
		"title too long":         {FieldTitle, strings.Repeat("x", 201)},
		"reply to no id":         {FieldReplyTo, "yesterday"},
		"reply at words":         {FieldReplyAtMS, "soon"},
		"recorded at no time":    {FieldRecordedAt, "noon"},
		"recorded before clocks": {FieldRecordedAt, "1900-01-01T00:00:00Z"},
		"recorded at some place": {FieldRecordedAt, "2026-03-01T09:30:00"},
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
	for _, at := range []int64{-1, storage.MaxReplyAtMS + 1} {
		m := Meta{Draft: storage.Draft{ReplyTo: storage.NewID(), ReplyAtMS: at}}
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
	if m.Title != "Noon" || m.ReplyTo != reply || m.ReplyAtMS != 4200 || m.Filename != "b.mp3" || m.Priority != storage.Bulk {
		t.Errorf("got %+v", m)
	}
	if want := time.Date(2026, 3, 1, 9, 30, 0, 123e6, time.UTC); !m.RecordedAt.Equal(want) {
		t.Errorf("recorded at %v; want %v", m.RecordedAt, want)
	}
}

func TestPriority(t *testing.T) {
	for name, c := range map[string]struct {
		clip kept
		ask  storage.Priority
		want storage.Priority
	}{
		"short":               {kept{declared: time.Minute}, storage.Interactive, storage.Interactive},
		"ten minutes":         {kept{declared: 10 * time.Minute}, storage.Interactive, storage.Interactive},
		"longer":              {kept{declared: 10*time.Minute + time.Second}, storage.Interactive, storage.Bulk},
		"asked for":           {kept{declared: time.Second}, storage.Bulk, storage.Bulk},
		"silent about it":     {kept{original: storage.Original{Bytes: 1 << 20}}, storage.Interactive, storage.Interactive},
		"silent, but so long": {kept{original: storage.Original{Bytes: 20 << 20}}, storage.Interactive, storage.Bulk},
	} {
		if got := c.clip.priority(Meta{Priority: c.ask}); got != c.want {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
}
