package sqldb_test

import (
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// Whoever is not in a conversation gets the answer that one gets for what does
// not exist, from every method.
func TestOutsidersFindNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m := w.say(w.ada, w.room.ID, "secret words")
		title := "x"
		forged := w.mal // another workspace's owner who claims this one
		forged.WorkspaceID = w.ada.WorkspaceID
		left := w.user("Left", storage.Admin)
		w.check(w.AddConversationMember(t.Context(), w.ada, w.room.ID, left.UserID))
		w.check(w.RemoveConversationMember(t.Context(), left, w.room.ID, left.UserID))

		for who, actor := range map[string]storage.Actor{
			"a member elsewhere": w.eve, "another workspace": w.mal, "a forged actor": forged, "an admin who left": left,
			"nobody": {}, "an unknown workspace": {WorkspaceID: storage.NewID(), UserID: w.ada.UserID},
		} {
			for method, call := range map[string]func() error{
				"Conversation": func() error { _, err := w.Conversation(t.Context(), actor, w.room.ID); return err },
				"UpdateConversation": func() error {
					_, err := w.UpdateConversation(t.Context(), actor, w.room.ID, "x")
					return err
				},
				"DeleteConversation":       func() error { return w.DeleteConversation(t.Context(), actor, w.room.ID) },
				"ConversationMembers":      func() error { _, err := w.ConversationMembers(t.Context(), actor, w.room.ID); return err },
				"AddConversationMember":    func() error { return w.AddConversationMember(t.Context(), actor, w.room.ID, w.eve.UserID) },
				"RemoveConversationMember": func() error { return w.RemoveConversationMember(t.Context(), actor, w.room.ID, w.bob.UserID) },
				"Accept": func() error {
					_, _, _, err := w.Accept(t.Context(), actor, newMessage(w.room))
					return err
				},
				"BeginRecording": func() error {
					_, err := w.BeginRecording(t.Context(), actor, newRecording(w.room, "n1"))
					return err
				},
				"Import": func() error {
					return w.Import(t.Context(), actor, []sqldb.Imported{{NewMessage: newMessage(w.room), Transcript: spoken("x")}})
				},
				"Message": func() error { _, err := w.Message(t.Context(), actor, m.ID); return err },
				"Messages": func() error {
					_, err := w.Messages(t.Context(), actor, w.room.ID, storage.MessagePage{})
					return err
				},
				"UpdateMessage": func() error {
					_, err := w.UpdateMessage(t.Context(), actor, m.ID, storage.MessagePatch{Title: &title})
					return err
				},
				"DeleteMessage": func() error { return w.DeleteMessage(t.Context(), actor, m.ID) },
				"RetryMessage":  func() error { _, _, err := w.RetryMessage(t.Context(), actor, m.ID); return err },
				"Transcript":    func() error { _, err := w.Transcript(t.Context(), actor, m.ID); return err },
				"Search in it": func() error {
					_, err := w.Search(t.Context(), actor, storage.Query{Text: "secret", Conversation: w.room.ID})
					return err
				},
			} {
				if err := call(); err == nil {
					t.Errorf("%s: %s succeeded", who, method)
				} else {
					wantErr(t, err, storage.ErrNotFound)
				}
			}
			if who == "nobody" || who == "an unknown workspace" {
				continue
			}
			for _, text := range []string{"secret", "sec*", "secrte", `"secret words"`, "words"} {
				r := must(w.Search(t.Context(), actor, storage.Query{Text: text}))(t)
				if len(r.Hits) != 0 || r.Total != 0 || r.Corrected != "" {
					t.Errorf("%s: searching %q tells %+v", who, text, r)
				}
			}
			list, _ := must2(w.Conversations(t.Context(), actor, storage.Page{}))(t)
			if len(list) != 0 {
				t.Errorf("%s: lists %v", who, list)
			}
			if can := must(w.CanHear(t.Context(), actor, w.room.ID))(t); can {
				t.Errorf("%s can hear", who)
			}
			for _, e := range must(w.EventsAfter(t.Context(), actor, 0, 0))(t) {
				if e.ConversationID == w.room.ID && e.Type != storage.ConversationDeleted {
					t.Errorf("%s: is told of %s", who, e.Type)
				}
			}
		}
		if _, err := w.Message(t.Context(), w.bob, m.ID); err != nil {
			t.Errorf("after all that, a member gets %v", err)
		}
	})
}

func TestReplyStaysInItsConversation(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		m, _ := w.send(w.ada, w.room.ID)
		reply := newMessage(w.room)
		reply.ReplyTo, reply.ReplyAtMS = m.ID, 1200
		got, _, _, err := w.Accept(t.Context(), w.bob, reply)
		if err != nil || got.ReplyTo != m.ID || got.ReplyAtMS != 1200 {
			t.Errorf("reply %+v, %v", got, err)
		}
		for _, to := range []string{storage.NewID(), "x"} {
			reply := newMessage(w.room)
			reply.ReplyTo = to
			_, _, _, err := w.Accept(t.Context(), w.bob, reply)
			wantErr(t, err, storage.ErrNotFound)
			live := newRecording(w.room, "n1")
			live.ReplyTo = to
			_, err = w.BeginRecording(t.Context(), w.bob, live)
			wantErr(t, err, storage.ErrNotFound)
		}
		elsewhere := newMessage(w.conversation(w.bob))
		elsewhere.ReplyTo = m.ID
		_, _, _, err = w.Accept(t.Context(), w.bob, elsewhere)
		wantErr(t, err, storage.ErrNotFound)
	})
}

func TestWhoMayChange(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		guest := w.user("Gus", storage.Guest)
		admin := w.user("Ann", storage.Admin)
		room := w.conversation(w.bob, guest, admin, w.ada)
		m := w.say(w.bob, room.ID, "hello")
		title := "renamed"

		_, err := w.CreateConversation(t.Context(), guest, storage.Channel, "x", nil)
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, w.AddConversationMember(t.Context(), guest, room.ID, w.eve.UserID), storage.ErrForbidden)
		wantErr(t, w.DeleteConversation(t.Context(), guest, room.ID), storage.ErrForbidden)
		_, err = w.UpdateConversation(t.Context(), guest, room.ID, "x")
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, w.RemoveConversationMember(t.Context(), guest, room.ID, w.bob.UserID), storage.ErrForbidden)
		_, err = w.UpdateMessage(t.Context(), guest, m.ID, storage.MessagePatch{Title: &title})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, w.DeleteMessage(t.Context(), guest, m.ID), storage.ErrForbidden)
		_, _, err = w.RetryMessage(t.Context(), guest, m.ID)
		wantErr(t, err, storage.ErrForbidden)

		got := must(w.UpdateMessage(t.Context(), w.bob, m.ID, storage.MessagePatch{Title: &title}))(t)
		if got.Title != title || must(w.Message(t.Context(), guest, m.ID))(t).Title != title {
			t.Errorf("title %q", got.Title)
		}
		if c := must(w.UpdateConversation(t.Context(), admin, room.ID, "new\x00 name"))(t); c.Title != "new name" || c.MemberCount != 4 {
			t.Errorf("conversation %+v", c)
		}
		w.check(w.DeleteMessage(t.Context(), admin, m.ID))
		w.check(w.DeleteConversation(t.Context(), w.ada, room.ID))
		_, err = w.Conversation(t.Context(), w.bob, room.ID)
		wantErr(t, err, storage.ErrNotFound)
	})
}

func TestMembers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		wantErr(t, w.AddConversationMember(t.Context(), w.ada, w.room.ID, w.bob.UserID), storage.ErrConflict)
		wantErr(t, w.AddConversationMember(t.Context(), w.ada, w.room.ID, w.mal.UserID), storage.ErrNotFound)
		wantErr(t, w.AddConversationMember(t.Context(), w.ada, w.room.ID, "x"), storage.ErrNotFound)
		wantErr(t, w.RemoveConversationMember(t.Context(), w.ada, w.room.ID, w.eve.UserID), storage.ErrNotFound)
		_, err := w.CreateConversation(t.Context(), w.ada, storage.Channel, "x", []string{w.mal.UserID})
		wantErr(t, err, storage.ErrNotFound)

		w.check(w.AddConversationMember(t.Context(), w.bob, w.room.ID, w.eve.UserID))
		members := must(w.ConversationMembers(t.Context(), w.eve, w.room.ID))(t)
		if len(members) != 3 || members[2].Name != "Eve" || members[2].JoinedAt.IsZero() {
			t.Errorf("members %+v", members)
		}
		direct := must(w.CreateConversation(t.Context(), w.ada, storage.Direct, "", []string{w.bob.UserID, w.bob.UserID, w.ada.UserID}))(t)
		if direct.MemberCount != 2 {
			t.Errorf("%d members", direct.MemberCount)
		}
		wantErr(t, w.AddConversationMember(t.Context(), w.ada, direct.ID, w.eve.UserID), storage.ErrConflict)
		alone := w.conversation(w.bob)
		wantErr(t, w.RemoveConversationMember(t.Context(), w.bob, alone.ID, w.bob.UserID), storage.ErrConflict)
	})
}

func TestConversationsPage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		for range 6 {
			w.conversation(w.ada)
		}
		for made := storage.Now(); !storage.Now().After(made); { // activity is told apart to the millisecond
		}
		w.send(w.ada, w.room.ID)
		seen := map[string]bool{}
		page, pages := storage.Page{Limit: 3}, 0
		for {
			list, next := must2(w.Conversations(t.Context(), w.ada, page))(t)
			if pages == 0 && (list[0].ID != w.room.ID || list[0].LastMessageAt.IsZero()) {
				t.Errorf("the last active is not first: %+v", list[0])
			}
			for _, c := range list {
				seen[c.ID] = true
			}
			if pages++; next == "" {
				break
			}
			page.Cursor = next
		}
		if len(seen) != 7 || pages != 3 {
			t.Errorf("%d conversations on %d pages", len(seen), pages)
		}
		_, _, err := w.Conversations(t.Context(), w.bob, page)
		wantErr(t, err, storage.ErrBadCursor)
		_, err = w.Messages(t.Context(), w.ada, w.room.ID, storage.MessagePage{Page: page})
		wantErr(t, err, storage.ErrBadCursor)
	})
}
