package sqldb_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// grant makes a token of a principal, and returns it with who has it.
func (h *harness) grant(of storage.Principal, n storage.NewToken) (storage.Token, storage.Principal) {
	h.tb.Helper()
	n.Kind, n.Name = storage.APIToken, "x"
	token, secret, err := h.CreateToken(h.tb.Context(), of.UserID, n)
	h.check(err)
	return token, must(h.Authenticate(h.tb.Context(), secret, storage.APIToken))(h.tb)
}

// A token that is made with another never exceeds it.
func TestChildTokens(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		parent, _ := h.grant(h.bob, storage.NewToken{Scopes: "admin read", Life: time.Hour})
		child, who := h.grant(h.bob, storage.NewToken{MadeWith: parent.ID})
		if who.Scopes != "admin read" || child.ParentID != parent.ID || !child.ExpiresAt.Equal(parent.ExpiresAt) {
			t.Errorf("a child is %+v, and has %q", child, who.Scopes)
		}
		if less, _ := h.grant(h.bob, storage.NewToken{MadeWith: child.ID, Scopes: "read", Life: time.Minute}); less.Scopes != "read" || !less.ExpiresAt.Before(child.ExpiresAt) {
			t.Errorf("a grandchild is %+v", less)
		}
		for field, n := range map[string]storage.NewToken{
			"scopes":     {Scopes: "read write", MadeWith: parent.ID},
			"expires_in": {Life: 2 * time.Hour, MadeWith: child.ID},
		} {
			n.Kind = storage.APIToken
			_, _, err := h.CreateToken(t.Context(), h.bob.UserID, n)
			wantErr(t, err, storage.ErrInvalid)
			if invalid := new(storage.InvalidError); !errors.As(err, &invalid) || invalid.Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		_, _, err := h.CreateToken(t.Context(), h.eve.UserID, storage.NewToken{Kind: storage.APIToken, MadeWith: parent.ID})
		wantErr(t, err, storage.ErrNotFound) // it is another's

		session, _, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.SessionToken, Life: time.Hour})
		h.check(err)
		if own, who := h.grant(h.bob, storage.NewToken{MadeWith: session.ID}); own.ParentID != "" || !own.ExpiresAt.IsZero() || who.Scopes != "" {
			t.Errorf("made in a browser: %+v", own)
		}
	})
}

// What is revoked takes with it what was made with it, and nothing else.
func TestRevokeEndsTheTree(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		root, _ := h.grant(h.bob, storage.NewToken{})
		kept, _ := h.grant(h.bob, storage.NewToken{MadeWith: root.ID})
		branch, _ := h.grant(h.bob, storage.NewToken{MadeWith: root.ID})
		leaf, _ := h.grant(h.bob, storage.NewToken{MadeWith: branch.ID})
		ended := func(want ...bool) {
			t.Helper()
			for i, token := range []storage.Token{root, kept, branch, leaf} {
				if got := must(h.TokenEnded(t.Context(), token.ID))(t); got != want[i] {
					t.Errorf("token %d: ended %v", i, got)
				}
			}
		}
		h.check(h.RevokeToken(t.Context(), h.bob, branch.ID))
		ended(false, false, true, true)
		h.check(h.RevokeToken(t.Context(), h.ada, root.ID))
		ended(true, true, true, true)
		_, _, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.APIToken, MadeWith: leaf.ID})
		wantErr(t, err, storage.ErrNotFound)
	})
}

// Who makes tokens while what they make them with is revoked has none left.
func TestRevokeWhileMaking(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 10 {
			root, _ := h.grant(h.bob, storage.NewToken{})
			begun := make(chan struct{}, 4)
			var wg sync.WaitGroup
			for range cap(begun) {
				wg.Go(func() {
					parent := root.ID
					for range 100 {
						made, _, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.APIToken, MadeWith: parent})
						if err != nil {
							wantErr(t, err, storage.ErrNotFound)
							return
						}
						parent = made.ID
						select {
						case begun <- struct{}{}:
						default:
						}
					}
				})
			}
			<-begun
			h.check(h.RevokeToken(t.Context(), h.bob, root.ID))
			wg.Wait()
			if left := must(h.Tokens(t.Context(), h.bob))(t); len(left) != 0 {
				t.Fatalf("%d tokens are left", len(left))
			}
		}
	})
}

// With scopes of a conversation one sees nothing of the others.
func TestScopesOfConversation(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		other := h.conversation(h.bob, h.ada)
		here, there := h.say(h.ada, h.room.ID, "words here"), h.say(h.ada, other.ID, "words there")
		scopes := must(storage.ParseScopes([]string{"read", "write", "conversation:" + h.room.ID}))(t)
		_, bob := h.grant(h.bob, storage.NewToken{Scopes: scopes})

		must(h.Message(t.Context(), bob, here.ID))(t)
		_, err := h.Message(t.Context(), bob, there.ID)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.UpdateConversation(t.Context(), bob, other.ID, storage.ConversationPatch{Title: new("x")}) // which bob made
		wantErr(t, err, storage.ErrNotFound)
		if list, _ := must2(h.Conversations(t.Context(), bob, storage.Page{}))(t); len(list) != 1 || list[0].ID != h.room.ID {
			t.Errorf("conversations %+v", list)
		}
		if r := must(h.Search(t.Context(), bob, storage.Query{Text: "words"}))(t); len(r.Hits) != 1 || r.Total != 1 || r.Hits[0].Message.ID != here.ID {
			t.Errorf("hits %+v", r)
		}
		if r := must(h.Search(t.Context(), bob, storage.Query{Text: "Eve"}))(t); len(r.People) != 0 {
			t.Errorf("people %+v", r.People)
		}
		if can := must(h.CanHear(t.Context(), bob, other.ID))(t); can {
			t.Error("hears the other")
		}
		for _, e := range must(h.EventsAfter(t.Context(), bob, 0, 0))(t) {
			if e.ConversationID != h.room.ID {
				t.Errorf("event %+v", e)
			}
		}
		_, _, err = h.CreateConversation(t.Context(), bob, storage.NewConversation{Kind: storage.Channel, Title: "x"})
		wantErr(t, err, storage.ErrForbidden)
		_, err = h.Rename(t.Context(), bob, "x")
		wantErr(t, err, storage.ErrForbidden)
	})
}

// Who is disabled has no credentials and gets none; what they said stays.
func TestDisableUser(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.say(h.bob, h.room.ID, "what bob said")
		talk := h.make(h.ada, storage.Direct, "", h.bob.UserID)
		secrets := map[storage.TokenKind]string{}
		for _, kind := range []storage.TokenKind{storage.APIToken, storage.SessionToken, storage.SignInToken} {
			_, secret, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: kind})
			h.check(err)
			secrets[kind] = secret
		}
		wantErr(t, h.DisableUser(t.Context(), h.mal.WorkspaceID, h.bob.UserID), storage.ErrNotFound)
		out := func() {
			t.Helper()
			for kind, secret := range secrets {
				_, err := h.Authenticate(t.Context(), secret, kind)
				wantErr(t, err, storage.ErrNotFound)
			}
		}
		for range 2 {
			h.check(h.DisableUser(t.Context(), h.bob.WorkspaceID, h.bob.UserID))
			out()
		}
		_, _, err := h.CreateToken(t.Context(), h.bob.UserID, storage.NewToken{Kind: storage.SignInToken})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, h.ImportToken(t.Context(), h.bob.UserID, "env", "chosen"), storage.ErrForbidden)
		_, _, err = h.CreateConversation(t.Context(), h.eve, storage.NewConversation{Kind: storage.Direct, MemberIDs: []string{h.bob.UserID}})
		wantErr(t, err, storage.ErrNotFound)
		if again := h.make(h.ada, storage.Direct, "", h.bob.UserID); again.ID != talk.ID {
			t.Errorf("what was there is not found: %+v", again)
		}
		older := h.oldToken(h.bob, storage.APIToken) // by a node of the version before
		_, err = h.Authenticate(t.Context(), older, storage.APIToken)
		wantErr(t, err, storage.ErrNotFound)
		if got := must(h.Message(t.Context(), h.ada, m.ID))(t); got.AuthorName != "Bob" {
			t.Errorf("message %+v", got)
		}
		wantErr(t, h.AddConversationMember(t.Context(), h.ada, h.conversation(h.ada).ID, h.bob.UserID), storage.ErrNotFound)

		h.check(h.EnableUser(t.Context(), h.bob.WorkspaceID, h.bob.UserID))
		out()
		h.grant(h.bob, storage.NewToken{})
	})
}

func TestLastOwnerStays(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		wantErr(t, h.DisableUser(t.Context(), h.ada.WorkspaceID, h.ada.UserID), storage.ErrConflict)
		olga := h.user("Olga", storage.Owner)
		h.check(h.DisableUser(t.Context(), h.ada.WorkspaceID, h.ada.UserID))
		wantErr(t, h.DisableUser(t.Context(), h.ada.WorkspaceID, olga.UserID), storage.ErrConflict)
		if owner := must(h.OwnerOf(t.Context(), h.ada.WorkspaceID))(t); owner.ID != olga.UserID {
			t.Errorf("owner %+v", owner)
		}
		h.check(h.EnableUser(t.Context(), h.ada.WorkspaceID, h.ada.UserID))
		h.check(h.DisableUser(t.Context(), h.ada.WorkspaceID, olga.UserID))
	})
}

// What somebody began to ask before their credential ended is not done after.
func TestSignedOutChangesNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		said, draft := h.say(h.bob, h.room.ID, "words"), newMessage(h.room)
		draft.Unsent = true
		must2(h.Accept(t.Context(), h.bob, draft))(t)
		token, bob := h.grant(h.bob, storage.NewToken{})
		late, other := h.grant(h.bob, storage.NewToken{Life: time.Hour})
		h.exec(`UPDATE tokens SET expires_at = 1 WHERE id = ?`, late.ID)
		if _, err := h.Rename(t.Context(), other, "Robert"); err != nil {
			t.Errorf("one that has run out does not let them finish: %v", err)
		}
		h.check(h.RevokeToken(t.Context(), h.bob, token.ID))
		before := h.wholeAudit().Entries
		for name, ask := range map[string]func() error{
			"accept":         func() error { _, _, err := h.Accept(t.Context(), bob, newMessage(h.room)); return err },
			"rename":         func() error { _, err := h.Rename(t.Context(), bob, "Bo"); return err },
			"name workspace": func() error { _, err := h.RenameWorkspace(t.Context(), bob, "Bo"); return err },
			"make": func() error {
				_, _, err := h.CreateConversation(t.Context(), bob, storage.NewConversation{Kind: storage.Channel, Title: "x"})
				return err
			},
			"retitle room": func() error {
				_, err := h.UpdateConversation(t.Context(), bob, h.room.ID, storage.ConversationPatch{Title: new("x")})
				return err
			},
			"delete room": func() error { return h.DeleteConversation(t.Context(), bob, h.room.ID) },
			"add":         func() error { return h.AddConversationMember(t.Context(), bob, h.room.ID, h.eve.UserID) },
			"leave":       func() error { return h.RemoveConversationMember(t.Context(), bob, h.room.ID, bob.UserID) },
			"retitle": func() error {
				_, err := h.UpdateMessage(t.Context(), bob, said.ID, storage.MessagePatch{Title: new("x")})
				return err
			},
			"delete":  func() error { return h.DeleteMessage(t.Context(), bob, said.ID) },
			"retry":   func() error { _, err := h.RetryMessage(t.Context(), bob, said.ID); return err },
			"send":    func() error { _, err := h.SendMessage(t.Context(), bob, draft.ID); return err },
			"unsend":  func() error { _, err := h.UnsendMessage(t.Context(), bob, said.ID); return err },
			"discard": func() error { return h.DiscardDraft(t.Context(), bob, draft.ID) },
			"revoke":  func() error { return h.RevokeToken(t.Context(), bob, other.CredentialID) },
			"speak": func() error {
				id := storage.NewID()
				_, err := h.BeginRecording(t.Context(), bob, storage.NewRecording{
					ID: id, ConversationID: h.room.ID, OriginalKey: storage.NewOriginalKey(bob.WorkspaceID, id), Node: "node", Lease: time.Minute, Captions: storage.CaptionsOff,
				})
				return err
			},
		} {
			if err := ask(); !errors.Is(err, storage.ErrSignedOut) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after := h.wholeAudit().Entries; after != before {
			t.Errorf("%d entries were added to the audit log", after-before)
		}
	})
}
