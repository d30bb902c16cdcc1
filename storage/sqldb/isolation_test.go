package sqldb_test

import (
	"strings"
	"testing"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// Whoever is not in a conversation gets the answer that one gets for what does
// not exist, from every method.
func TestOutsidersFindNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.say(h.ada, h.room.ID, "secret words")
		title := "x"
		forged := h.mal // another workspace's owner who claims this one
		forged.WorkspaceID = h.ada.WorkspaceID
		left := h.user("Left", storage.Admin)
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, left.UserID))
		h.check(h.RemoveConversationMember(t.Context(), left, h.room.ID, left.UserID))

		for who, principal := range map[string]storage.Principal{
			"a member elsewhere": h.eve, "another workspace": h.mal, "a forged principal": forged, "an admin who left": left,
			"nobody": {}, "an unknown workspace": {WorkspaceID: storage.NewID(), UserID: h.ada.UserID},
		} {
			for method, call := range map[string]func() error{
				"Conversation": func() error { _, err := h.Conversation(t.Context(), principal, h.room.ID); return err },
				"UpdateConversation": func() error {
					_, err := h.UpdateConversation(t.Context(), principal, h.room.ID, storage.ConversationPatch{Title: new("x")})
					return err
				},
				"DeleteConversation":       func() error { return h.DeleteConversation(t.Context(), principal, h.room.ID) },
				"ConversationMembers":      func() error { _, err := h.ConversationMembers(t.Context(), principal, h.room.ID); return err },
				"AddConversationMember":    func() error { return h.AddConversationMember(t.Context(), principal, h.room.ID, h.eve.UserID) },
				"RemoveConversationMember": func() error { return h.RemoveConversationMember(t.Context(), principal, h.room.ID, h.bob.UserID) },
				"Accept": func() error {
					_, _, err := h.Accept(t.Context(), principal, newMessage(h.room))
					return err
				},
				"BeginRecording": func() error {
					_, err := h.BeginRecording(t.Context(), principal, newRecording(h.room, "n1"))
					return err
				},
				"Import": func() error {
					return h.Import(t.Context(), principal, []sqldb.Imported{{NewMessage: newMessage(h.room), Transcript: spoken("x")}})
				},
				"Message": func() error { _, err := h.Message(t.Context(), principal, m.ID); return err },
				"Messages": func() error {
					_, err := h.Messages(t.Context(), principal, h.room.ID, storage.MessagePage{})
					return err
				},
				"UpdateMessage": func() error {
					_, err := h.UpdateMessage(t.Context(), principal, m.ID, storage.MessagePatch{Title: &title})
					return err
				},
				"DeleteMessage": func() error { return h.DeleteMessage(t.Context(), principal, m.ID) },
				"RetryMessage":  func() error { _, err := h.RetryMessage(t.Context(), principal, m.ID); return err },
				"Transcript":    func() error { _, err := h.Transcript(t.Context(), principal, m.ID); return err },
				"Search in it": func() error {
					_, err := h.Search(t.Context(), principal, storage.Query{Text: "secret", Conversation: h.room.ID})
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
				r := must(h.Search(t.Context(), principal, storage.Query{Text: text}))(t)
				if len(r.Hits) != 0 || r.Total != 0 || r.Corrected != "" {
					t.Errorf("%s: searching %q tells %+v", who, text, r)
				}
			}
			list, _ := must2(h.Conversations(t.Context(), principal, storage.Page{}))(t)
			if len(list) != 0 {
				t.Errorf("%s: lists %v", who, list)
			}
			if can := must(h.CanHear(t.Context(), principal, h.room.ID))(t); can {
				t.Errorf("%s can hear", who)
			}
			for _, e := range must(h.EventsAfter(t.Context(), principal, 0, 0))(t) {
				if e.ConversationID == h.room.ID && e.Type != storage.ConversationDeleted {
					t.Errorf("%s: is told of %s", who, e.Type)
				}
			}
		}
		if _, err := h.Message(t.Context(), h.bob, m.ID); err != nil {
			t.Errorf("after all that, a member gets %v", err)
		}
	})
}

func TestReplyStaysInItsConversation(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m, _ := h.send(h.ada, h.room.ID)
		reply := newMessage(h.room)
		reply.ReplyTo, reply.ReplyAtMS = m.ID, 1200
		got, _, err := h.Accept(t.Context(), h.bob, reply)
		if err != nil || got.ReplyTo != m.ID || got.ReplyAtMS != 1200 {
			t.Errorf("reply %+v, %v", got, err)
		}
		for _, to := range []string{storage.NewID(), "x"} {
			reply := newMessage(h.room)
			reply.ReplyTo = to
			_, _, err := h.Accept(t.Context(), h.bob, reply)
			wantErr(t, err, storage.ErrNotFound)
			live := newRecording(h.room, "n1")
			live.ReplyTo = to
			_, err = h.BeginRecording(t.Context(), h.bob, live)
			wantErr(t, err, storage.ErrNotFound)
		}
		elsewhere := newMessage(h.conversation(h.bob))
		elsewhere.ReplyTo = m.ID
		_, _, err = h.Accept(t.Context(), h.bob, elsewhere)
		wantErr(t, err, storage.ErrNotFound)
	})
}

func TestWhoMayChange(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		guest := h.user("Gus", storage.Guest)
		admin := h.user("Ann", storage.Admin)
		room := h.conversation(h.bob, admin, h.ada)
		h.check(h.AddConversationMember(t.Context(), h.ada, room.ID, guest.UserID))
		m := h.say(h.bob, room.ID, "hello")
		title := "renamed"

		_, _, err := h.CreateConversation(t.Context(), guest, storage.NewConversation{Kind: storage.Channel, Title: "x"})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, h.AddConversationMember(t.Context(), guest, room.ID, h.eve.UserID), storage.ErrForbidden)
		wantErr(t, h.DeleteConversation(t.Context(), guest, room.ID), storage.ErrForbidden)
		_, err = h.UpdateConversation(t.Context(), guest, room.ID, storage.ConversationPatch{Title: new("x")})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, h.RemoveConversationMember(t.Context(), guest, room.ID, h.bob.UserID), storage.ErrForbidden)
		_, err = h.UpdateMessage(t.Context(), guest, m.ID, storage.MessagePatch{Title: &title})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, h.DeleteMessage(t.Context(), guest, m.ID), storage.ErrForbidden)
		_, err = h.RetryMessage(t.Context(), guest, m.ID)
		wantErr(t, err, storage.ErrForbidden)

		got := must(h.UpdateMessage(t.Context(), h.bob, m.ID, storage.MessagePatch{Title: &title}))(t)
		if got.Title != title || must(h.Message(t.Context(), guest, m.ID))(t).Title != title {
			t.Errorf("title %q", got.Title)
		}
		if c := must(h.UpdateConversation(t.Context(), admin, room.ID, storage.ConversationPatch{Title: new("new\x00 name")}))(t); c.Title != "new name" || c.MemberCount != 4 {
			t.Errorf("conversation %+v", c)
		}
		h.check(h.DeleteMessage(t.Context(), admin, m.ID))
		h.check(h.DeleteConversation(t.Context(), h.ada, room.ID))
		_, err = h.Conversation(t.Context(), h.bob, room.ID)
		wantErr(t, err, storage.ErrNotFound)
	})
}

// Guests are where owners and admins invite them.
func TestWhoMayAddGuests(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		guest, admin := h.user("Gus", storage.Guest), h.user("Ann", storage.Admin)
		room := h.conversation(h.bob, admin)
		wantErr(t, h.AddConversationMember(t.Context(), h.bob, room.ID, guest.UserID), storage.ErrForbidden)
		_, _, err := h.CreateConversation(t.Context(), h.bob, storage.NewConversation{Kind: storage.Channel, Title: "x", MemberIDs: []string{h.eve.UserID, guest.UserID}})
		wantErr(t, err, storage.ErrForbidden)
		h.make(h.bob, storage.Direct, "", guest.UserID) // which shows them nothing that others said
		h.check(h.AddConversationMember(t.Context(), admin, room.ID, guest.UserID))
		for _, m := range must(h.ConversationMembers(t.Context(), h.bob, room.ID))(t) {
			if want := map[string]storage.Role{h.bob.UserID: storage.RoleMember, admin.UserID: storage.Admin, guest.UserID: storage.Guest}[m.UserID]; m.Role != want {
				t.Errorf("member %+v", m)
			}
		}
	})
}

// The maker of a channel has no power over what others said in it, nor over
// those who stand above.
func TestMakerOfChannel(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		admin := h.user("Ann", storage.Admin)
		room := h.conversation(h.bob, h.eve, admin, h.ada)
		h.say(h.bob, room.ID, "mine")
		for _, above := range []storage.Principal{h.ada, admin} {
			wantErr(t, h.RemoveConversationMember(t.Context(), h.bob, room.ID, above.UserID), storage.ErrForbidden)
		}
		wantErr(t, h.RemoveConversationMember(t.Context(), admin, room.ID, h.ada.UserID), storage.ErrForbidden)
		wantErr(t, h.RemoveConversationMember(t.Context(), h.eve, room.ID, h.bob.UserID), storage.ErrForbidden)

		draft := newMessage(room)
		draft.Unsent = true
		_, _, err := h.Accept(t.Context(), h.eve, draft)
		h.check(err)
		err = h.DeleteConversation(t.Context(), h.bob, room.ID)
		wantErr(t, err, storage.ErrForbidden)
		if !strings.Contains(err.Error(), "Others have recorded") {
			t.Errorf("the maker is told %v", err)
		}
		h.check(h.DiscardDraft(t.Context(), h.eve, draft.ID))
		h.check(h.RemoveConversationMember(t.Context(), h.bob, room.ID, h.eve.UserID))
		h.check(h.DeleteConversation(t.Context(), h.bob, room.ID))
	})
}

// Nobody ends the credentials of somebody above them, or finds out about them.
func TestWhoMayEndCredentials(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		admin := h.user("Ann", storage.Admin)
		for i, c := range []struct {
			by, of storage.Principal
			ends   bool
		}{
			{h.bob, h.bob, true},
			{h.bob, h.eve, false},
			{h.bob, h.ada, false},
			{admin, h.bob, true},
			{admin, h.ada, false},
			{h.ada, admin, true},
			{h.ada, h.mal, false},
			{h.mal, h.bob, false},
		} {
			token, _, err := h.CreateToken(t.Context(), c.of.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"})
			h.check(err)
			err = h.RevokeToken(t.Context(), c.by, token.ID)
			if c.ends {
				h.check(err)
			} else {
				wantErr(t, err, storage.ErrNotFound)
			}
			if ended := must(h.TokenEnded(t.Context(), token.ID))(t); ended != c.ends {
				t.Errorf("case %d: ended %v", i, ended)
			}
		}
	})
}

func TestMembers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		wantErr(t, h.AddConversationMember(t.Context(), h.ada, h.room.ID, h.bob.UserID), storage.ErrConflict)
		wantErr(t, h.AddConversationMember(t.Context(), h.ada, h.room.ID, h.mal.UserID), storage.ErrNotFound)
		wantErr(t, h.AddConversationMember(t.Context(), h.ada, h.room.ID, "x"), storage.ErrNotFound)
		wantErr(t, h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.eve.UserID), storage.ErrNotFound)
		_, _, err := h.CreateConversation(t.Context(), h.ada, storage.NewConversation{Kind: storage.Channel, Title: "x", MemberIDs: []string{h.mal.UserID}})
		wantErr(t, err, storage.ErrNotFound)

		h.check(h.AddConversationMember(t.Context(), h.bob, h.room.ID, h.eve.UserID))
		members := must(h.ConversationMembers(t.Context(), h.eve, h.room.ID))(t)
		if len(members) != 3 || members[2].Name != "Eve" || members[2].JoinedAt.IsZero() {
			t.Errorf("members %+v", members)
		}
		direct := h.make(h.ada, storage.Direct, "", h.bob.UserID, h.bob.UserID, h.ada.UserID)
		if direct.MemberCount != 2 {
			t.Errorf("%d members", direct.MemberCount)
		}
		wantErr(t, h.AddConversationMember(t.Context(), h.ada, direct.ID, h.eve.UserID), storage.ErrConflict)
		alone := h.conversation(h.bob)
		wantErr(t, h.RemoveConversationMember(t.Context(), h.bob, alone.ID, h.bob.UserID), storage.ErrConflict)
	})
}

func TestConversationsPage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 6 {
			h.conversation(h.ada)
		}
		for made := storage.Now(); !storage.Now().After(made); { // activity is told apart to the millisecond
		}
		h.send(h.ada, h.room.ID)
		seen := map[string]bool{}
		page, pages := storage.Page{Limit: 3}, 0
		for {
			list, next := must2(h.Conversations(t.Context(), h.ada, page))(t)
			if pages == 0 && (list[0].ID != h.room.ID || list[0].LastMessageAt.IsZero()) {
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
		_, _, err := h.Conversations(t.Context(), h.bob, page)
		wantErr(t, err, storage.ErrBadCursor)
		_, err = h.Messages(t.Context(), h.ada, h.room.ID, storage.MessagePage{Page: page})
		wantErr(t, err, storage.ErrBadCursor)
	})
}
