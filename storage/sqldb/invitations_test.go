package sqldb_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// invite makes an invitation of ada's.
func (h *harness) invite(n storage.NewInvitation) (storage.Invitation, string) {
	h.tb.Helper()
	if n.Uses == 0 {
		n.Uses = 1
	}
	if n.Life == 0 {
		n.Life = time.Hour
	}
	i, code, err := h.CreateInvitation(h.tb.Context(), h.ada, n)
	h.check(err)
	return i, code
}

// wantOver fails the test unless an error says that an invitation is over, and how.
func wantOver(tb testing.TB, err error, want storage.InvitationState) {
	tb.Helper()
	var over *storage.InvitationError
	if !errors.As(err, &over) || over.State != want {
		tb.Errorf("got error %v, want that it is %s", err, want)
	}
}

func (h *harness) stateOf(id string) storage.InvitationState {
	h.tb.Helper()
	list, _ := must2(h.Invitations(h.tb.Context(), h.ada, storage.Page{}))(h.tb)
	for _, i := range list {
		if i.ID == id {
			return i.State
		}
	}
	return ""
}

// Who joins is told where, is there, and nowhere else; and the log says how they came.
func TestJoin(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		other := h.conversation(h.ada)
		before := h.wholeAudit().Entries
		i, code := h.invite(storage.NewInvitation{Role: storage.Guest, Uses: 2, ConversationIDs: []string{h.room.ID, other.ID, h.room.ID}})
		if tables := must(h.TablesWith(t.Context(), code))(t); len(tables) > 0 {
			t.Errorf("the code is in %v", tables)
		}
		w := must(h.Welcome(t.Context(), code))(t)
		if w.Workspace != "home" || w.Inviter != "Ada" || w.Role != storage.Guest || strings.Join(w.Conversations, ", ") != "room, room" {
			t.Errorf("welcome %+v", w)
		}
		h.check(h.DeleteConversation(t.Context(), h.ada, other.ID))
		joined := must(h.Join(t.Context(), code, " Gus\u202e ", storage.SignIn{Life: time.Hour}))(t)
		gus := must(h.Authenticate(t.Context(), joined.Secret, storage.SessionToken))(t)
		if gus.UserName != "Gus" || gus.Role != storage.Guest || gus.WorkspaceID != h.ada.WorkspaceID || joined.ConversationID != h.room.ID || joined.Session.UserID != gus.UserID {
			t.Errorf("%+v joined as %+v", joined, gus)
		}
		if list, _ := must2(h.Conversations(t.Context(), gus, storage.Page{}))(t); len(list) != 1 || list[0].ID != h.room.ID {
			t.Errorf("who joined is in %+v", list)
		}
		list, _ := must2(h.Invitations(t.Context(), h.ada, storage.Page{}))(t)
		if len(list) != 1 || list[0].Used != 1 || list[0].State != storage.InvitationOpen || len(list[0].Joined) != 1 || list[0].Joined[0].ID != gus.UserID || len(list[0].Conversations) != 1 {
			t.Errorf("listed are %+v", list)
		}
		names := strings.NewReplacer(i.ID, "INVITATION", gus.UserID, "GUS", joined.Session.ID, "SESSION", other.ID, "OTHER", i.ExpiresAt.Format(time.RFC3339), "LATER")
		want := `invitation_created by user Ada: invitation INVITATION in  map[expires:LATER role:guest uses:2]
conversation_deleted by user Ada: conversation OTHER in OTHER map[kind:channel]
user_created by user Gus: user GUS in  map[invitation_id:INVITATION name:Gus role:guest]
sign_in by user Gus: token SESSION in  map[method:invitation]
member_added by user Gus: user GUS in ROOM map[]`
		if got := names.Replace(strings.Join(h.since(before), "\n")); got != want {
			t.Errorf("recorded is\n%s\nwant\n%s", got, want)
		}
		h.wholeAudit()
		_, err := h.Join(t.Context(), code, "\u200b", storage.SignIn{Life: time.Hour})
		wantErr(t, err, storage.ErrInvalid)
		must(h.Join(t.Context(), code, "Second", storage.SignIn{Life: time.Hour}))(t)
		_, err = h.Join(t.Context(), code, "Third", storage.SignIn{Life: time.Hour})
		wantOver(t, err, storage.InvitationUsedUp)
	})
}

// Each end of an invitation is told apart, and a code that never was from all of them.
func TestInvitationEnds(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		expired, expiredCode := h.invite(storage.NewInvitation{Role: storage.RoleMember})
		h.exec(`UPDATE invitations SET expires_at = 1 WHERE id = ?`, expired.ID)
		revoked, revokedCode := h.invite(storage.NewInvitation{Role: storage.RoleMember})
		for range 2 {
			h.check(h.RevokeInvitation(t.Context(), h.ada, revoked.ID))
		}
		gone, goneCode := h.invite(storage.NewInvitation{Role: storage.Guest, ConversationIDs: []string{h.room.ID}})
		h.check(h.RemoveConversationMember(t.Context(), h.ada, h.room.ID, h.ada.UserID)) // who invited is not there any more
		for code, want := range map[string]storage.InvitationState{expiredCode: storage.InvitationExpired, revokedCode: storage.InvitationRevoked, goneCode: storage.InvitationRevoked} {
			_, err := h.Welcome(t.Context(), code)
			wantOver(t, err, want)
			_, err = h.Join(t.Context(), code, "Gus", storage.SignIn{Life: time.Hour})
			wantOver(t, err, want)
		}
		for id, want := range map[string]storage.InvitationState{expired.ID: storage.InvitationExpired, revoked.ID: storage.InvitationRevoked, gone.ID: storage.InvitationOpen} {
			if got := h.stateOf(id); got != want {
				t.Errorf("%s is %s, want %s", id, got, want)
			}
		}
		for _, code := range []string{"", "never made"} {
			_, err := h.Welcome(t.Context(), code)
			wantErr(t, err, storage.ErrNotFound)
			_, err = h.Join(t.Context(), code, "Gus", storage.SignIn{Life: time.Hour})
			wantErr(t, err, storage.ErrNotFound)
		}
		wantErr(t, h.RevokeInvitation(t.Context(), h.mal, revoked.ID), storage.ErrNotFound)
		wantErr(t, h.RevokeInvitation(t.Context(), h.bob, revoked.ID), storage.ErrNotFound)
		if users := must(h.Users(t.Context(), h.ada.WorkspaceID))(t); len(users) != 3 {
			t.Errorf("%d users", len(users))
		}
	})
}

// What cannot be is refused by the records, whatever calls them; nobody invites with a
// role that they have no more.
func TestInvitationIsRefused(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		direct := h.make(h.ada, storage.Direct, "", h.bob.UserID)
		good := storage.NewInvitation{Role: storage.RoleMember, Uses: 1, Life: time.Hour}
		with := func(change func(*storage.NewInvitation)) storage.NewInvitation { n := good; change(&n); return n }
		for name, c := range map[string]struct {
			by   storage.Principal
			n    storage.NewInvitation
			want error
		}{
			"role of an owner":    {h.ada, with(func(n *storage.NewInvitation) { n.Role = storage.Owner }), storage.ErrInvalid},
			"role of an admin":    {h.ada, with(func(n *storage.NewInvitation) { n.Role = storage.Admin }), storage.ErrInvalid},
			"no role":             {h.ada, with(func(n *storage.NewInvitation) { n.Role = "" }), storage.ErrInvalid},
			"no uses":             {h.ada, with(func(n *storage.NewInvitation) { n.Uses = 0 }), storage.ErrInvalid},
			"too many uses":       {h.ada, with(func(n *storage.NewInvitation) { n.Uses = 1001 }), storage.ErrInvalid},
			"too short":           {h.ada, with(func(n *storage.NewInvitation) { n.Life = time.Minute }), storage.ErrInvalid},
			"too long":            {h.ada, with(func(n *storage.NewInvitation) { n.Life = 31 * 24 * time.Hour }), storage.ErrInvalid},
			"guest to nowhere":    {h.ada, with(func(n *storage.NewInvitation) { n.Role = storage.Guest }), storage.ErrInvalid},
			"direct conversation": {h.ada, with(func(n *storage.NewInvitation) { n.ConversationIDs = []string{direct.ID} }), storage.ErrInvalid},
			"another's":           {h.ada, with(func(n *storage.NewInvitation) { n.ConversationIDs = []string{h.conversation(h.bob).ID} }), storage.ErrNotFound},
			"by a member":         {h.bob, good, storage.ErrForbidden},
			"by who says they are": {
				storage.Principal{WorkspaceID: h.ada.WorkspaceID, UserID: h.bob.UserID, Role: storage.Owner}, good, storage.ErrForbidden,
			},
			"by another's owner": {storage.Principal{WorkspaceID: h.ada.WorkspaceID, UserID: h.mal.UserID, Role: storage.Owner}, good, storage.ErrNotFound},
		} {
			_, _, err := h.CreateInvitation(t.Context(), c.by, c.n)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if list, _ := must2(h.Invitations(t.Context(), h.ada, storage.Page{}))(t); len(list) > 0 {
			t.Errorf("made are %+v", list)
		}
		_, _, err := h.Invitations(t.Context(), h.bob, storage.Page{})
		wantErr(t, err, storage.ErrForbidden)
		for _, uses := range []int{0, -1} { // the database has the last word
			if err := h.Exec(t.Context(), `INSERT INTO invitations (id, workspace_no, hash, role, uses, created_by, created_at, expires_at) VALUES (?, 1, ?, 'member', ?, ?, 1, 2)`,
				storage.NewID(), storage.NewID(), uses, h.ada.UserID); err == nil {
				t.Errorf("%d uses are kept", uses)
			}
		}
	})
}

// Of many who take the last use at once, one gets it.
func TestLastUse(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		_, code := h.invite(storage.NewInvitation{Role: storage.RoleMember})
		var in, out atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, err := h.Join(t.Context(), code, "One of many", storage.SignIn{Life: time.Hour})
				var over *storage.InvitationError
				switch {
				case err == nil:
					in.Add(1)
				case errors.As(err, &over) && over.State == storage.InvitationUsedUp:
					out.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 || out.Load() != 7 {
			t.Errorf("%d are in and %d out", in.Load(), out.Load())
		}
	})
}

// The pages of the list follow one another, and each invitation names the last who came.
func TestInvitationPages(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		busy, code := h.invite(storage.NewInvitation{Role: storage.RoleMember, Uses: 100})
		for range 22 {
			must(h.Join(t.Context(), code, "Somebody", storage.SignIn{Life: time.Hour}))(t)
		}
		last := must(h.Join(t.Context(), code, "Last", storage.SignIn{Life: time.Hour}))(t)
		for range 4 {
			h.invite(storage.NewInvitation{Role: storage.RoleMember})
		}
		var ids []string
		for page := (storage.Page{Limit: 2}); ; {
			list, next, err := h.Invitations(t.Context(), h.ada, page)
			h.check(err)
			for _, i := range list {
				ids = append(ids, i.ID)
				if i.ID == busy.ID && (len(i.Joined) != 20 || i.Used != 23 || i.Joined[0].ID != last.Session.UserID) {
					t.Errorf("%+v", i)
				}
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		if len(ids) != 5 || ids[4] != busy.ID {
			t.Errorf("listed are %v", ids)
		}
	})
}
