package sqldb_test

import (
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func TestLastMessage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		last := func(principal storage.Principal) *storage.LastMessage {
			t.Helper()
			list, _, err := h.Conversations(t.Context(), principal, storage.Page{})
			if err != nil || len(list) != 1 {
				t.Fatalf("listed %v, %v", list, err)
			}
			one := must(h.Conversation(t.Context(), principal, h.room.ID))(t)
			if got, want := one.LastMessage, list[0].LastMessage; (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("read %+v, listed %+v", got, want)
			}
			return list[0].LastMessage
		}
		if got := last(h.ada); got != nil {
			t.Errorf("before anything was sent: %+v", got)
		}
		h.say(h.ada, h.room.ID, "first")
		said := h.say(h.bob, h.room.ID, "the crane is loading")
		want := storage.LastMessage{
			ID: said.ID, AuthorID: h.bob.UserID, AuthorName: "Bob", AuthorNo: said.AuthorNo, AuthorKind: storage.KindPerson, FirstWords: "the crane is loading", CreatedAt: said.CreatedAt,
		}
		if got := last(h.ada); got == nil || *got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if list, _, err := h.Conversations(t.Context(), h.eve, storage.Page{}); err != nil || len(list) != 0 {
			t.Errorf("who is not in it sees %v, %v", list, err)
		}

		// What is being recorded was not sent; what has no words yet was.
		rec := storage.NewRecording{ID: storage.NewID(), ConversationID: h.room.ID, Node: "n", Lease: time.Minute, Captions: storage.CaptionsOff}
		rec.OriginalKey = storage.NewOriginalKey(h.ada.WorkspaceID, rec.ID)
		must(h.BeginRecording(t.Context(), h.ada, rec))(t)
		if got := last(h.bob); got == nil || got.ID != said.ID {
			t.Errorf("while one speaks: %+v", got)
		}
		sent, _ := h.send(h.ada, h.room.ID)
		title := "The bells"
		must(h.UpdateMessage(t.Context(), h.ada, sent.ID, storage.MessagePatch{Title: &title}))(t)
		if got := last(h.bob); got == nil || got.ID != sent.ID || got.Title != title || got.FirstWords != "" {
			t.Errorf("without words: %+v", got)
		}
		renamed := must(h.UpdateConversation(t.Context(), h.ada, h.room.ID, storage.ConversationPatch{Title: new("Harbour")}))(t)
		if renamed.Title != "Harbour" || renamed.LastMessage == nil || renamed.LastMessage.ID != sent.ID {
			t.Errorf("renamed: %+v", renamed)
		}
		h.check(h.DeleteMessage(t.Context(), h.ada, sent.ID))
		draft := newMessage(h.room)
		draft.Unsent = true
		if _, _, err := h.Accept(t.Context(), h.ada, draft); err != nil {
			t.Fatal(err)
		}
		if got := last(h.ada); got == nil || got.ID != said.ID {
			t.Errorf("with a draft of one's own: %+v", got)
		}
		if got := last(h.bob); got == nil || got.ID != said.ID {
			t.Errorf("after the newest was deleted: %+v", got)
		}
	})
}

// The pages of the list are made by one query each, and each conversation
// looks at its own newest message alone.
func TestLastMessageOnEveryPage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		want := map[string]string{}
		for range 7 {
			c := h.conversation(h.ada, h.bob)
			h.say(h.ada, c.ID, "older")
			want[c.ID] = h.say(h.bob, c.ID, "newest "+c.ID).ID
		}
		for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
			list, next, err := h.Conversations(t.Context(), h.bob, storage.Page{Limit: 3, Cursor: cursor})
			h.check(err)
			for _, c := range list {
				switch id, ok := want[c.ID]; {
				case !ok:
					if c.LastMessage != nil {
						t.Errorf("empty room has %+v", c.LastMessage)
					}
				case c.LastMessage == nil || c.LastMessage.ID != id || c.LastMessage.FirstWords != "newest "+c.ID:
					t.Errorf("%s has %+v", c.ID, c.LastMessage)
				}
				delete(want, c.ID)
			}
			cursor = next
		}
		if len(want) > 0 {
			t.Errorf("not listed: %v", want)
		}
	})
}
