package storage_test

import (
	"strings"
	"testing"
	"time"

	"hark/storage"
)

// someManifest is one that can be read, with its fields in the given places
// replaced.
func someManifest(t testing.TB, change func(*storage.Manifest)) []byte {
	t.Helper()
	person := "01890a5d-ac96-774b-bcce-b302099a8059"
	m := storage.Manifest{
		WrittenAt:    time.UnixMilli(1).UTC(),
		Workspace:    storage.ManifestWorkspace{ID: someWorkspace, Name: "home"},
		Conversation: storage.ManifestConversation{ID: "01890a5d-ac96-774b-bcce-b302099a8060", Kind: storage.Channel, CreatedBy: person, Members: []string{person}},
		People:       []storage.ManifestPerson{{ID: person, Name: "Ada", Role: storage.Owner}},
		Message:      storage.ManifestMessage{ID: someMessage, AuthorID: person},
		Original:     storage.ManifestOriginal{Key: "w/" + someWorkspace + "/" + someMessage + "/" + someSecret + "/original", Format: "wav", Bytes: 44},
	}
	change(&m)
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseManifest(t *testing.T) {
	if m, err := storage.ParseManifest(someManifest(t, func(*storage.Manifest) {})); err != nil || m.People[0].Name != "Ada" {
		t.Errorf("%+v, %v", m, err)
	}
	for name, change := range map[string]func(*storage.Manifest){
		"workspace id":      func(m *storage.Manifest) { m.Workspace.ID = "home" },
		"message id":        func(m *storage.Manifest) { m.Message.ID = "" },
		"reply":             func(m *storage.Manifest) { m.Message.ReplyTo = "the one before" },
		"kind":              func(m *storage.Manifest) { m.Conversation.Kind = "CHANNEL" },
		"rule":              func(m *storage.Manifest) { m.Workspace.Rules = &storage.Rules{SeeDirectory: "nobody"} },
		"history":           func(m *storage.Manifest) { m.Conversation.History = "FROM_JOINING" },
		"role":              func(m *storage.Manifest) { m.People[0].Role = "root" },
		"unknown author":    func(m *storage.Manifest) { m.Message.AuthorID = someMessage },
		"unknown member":    func(m *storage.Manifest) { m.Conversation.Members = append(m.Conversation.Members, someMessage) },
		"foreign recording": func(m *storage.Manifest) { m.Original.Key = storage.NewOriginalKey(someWorkspace, someWorkspace) },
		"no recording":      func(m *storage.Manifest) { m.Original.Key = storage.ManifestKey(someWorkspace, someMessage) },
		"empty recording":   func(m *storage.Manifest) { m.Original.Bytes = 0 },
		"foreign rendition": func(m *storage.Manifest) { m.Rendition = &storage.ManifestRendition{Key: "dump.sql"} },
	} {
		if m, err := storage.ParseManifest(someManifest(t, change)); err == nil {
			t.Errorf("%s: taken as %+v", name, m)
		}
	}
	newer := strings.Replace(string(someManifest(t, func(*storage.Manifest) {})), `"format":1`, `"format":4`, 1)
	if _, err := storage.ParseManifest([]byte(newer)); err == nil || !strings.Contains(err.Error(), "format is 4") {
		t.Errorf("a newer format: %v", err)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add(someManifest(f, func(*storage.Manifest) {}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := storage.ParseManifest(b)
		if err != nil {
			return
		}
		m.Tidy()
		if title, err := storage.CleanTitle(m.Message.Title); err != nil || title != m.Message.Title {
			t.Errorf("title %q", m.Message.Title)
		}
		if at := m.Message.ReplyAtMS; at < 0 || at > storage.MaxReplyAtMS || m.Message.RecordedAt.After(storage.Now()) {
			t.Errorf("%+v", m.Message)
		}
		again, err := m.Encode()
		if err != nil {
			t.Skip(err) // a time that JSON has no form for
		}
		if _, err := storage.ParseManifest(again); err != nil {
			t.Errorf("written again: %v", err)
		}
	})
}

func FuzzParseTranscript(f *testing.F) {
	f.Add([]byte(`{"version":1,"created_at":"2026-01-01T00:00:00Z","engine":"e","model":"m","segments":[{"start_ms":0,"end_ms":9,"text":"hm","words":[{"text":"hm","start_ms":0,"end_ms":9}]}]}`))
	f.Add([]byte(`{"version":1,"language":"en","language_doubt":true,"segments":[{"channel":2,"words":[{"text":"hm"}]}],"gaps":[{"start_ms":5,"end_ms":9,"reason":"not_decoded"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		parsed, err := storage.ParseTranscript(b)
		if err != nil {
			return
		}
		for _, w := range parsed.Words() {
			if w.Text == "" || strings.Contains(w.Text, " ") {
				t.Errorf("%q is not one word", w.Text)
			}
			if w.StartMS < 0 || w.EndMS < w.StartMS || w.Confidence < 0 || w.Confidence > 1 {
				t.Errorf("%+v", w)
			}
		}
	})
}
