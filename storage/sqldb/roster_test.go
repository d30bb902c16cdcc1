package sqldb_test

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func (h *harness) change(by storage.Principal, whom storage.Principal, patch storage.MemberPatch) error {
	h.tb.Helper()
	_, err := h.ChangeMember(h.tb.Context(), by, whom.UserID, patch)
	return err
}

// Who is deactivated hands over the channels that they made, to who has been there longest
// of those who may make some; and their invitations let nobody in any more.
func TestDeactivate(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ann, gus := h.user("Ann", storage.Admin), h.user("Gus", storage.Guest)
		shared, alone, direct := h.conversation(ann), h.conversation(ann), h.make(ann, storage.Direct, "", h.bob.UserID)
		for _, one := range []storage.Principal{gus, h.eve, h.bob} {
			h.check(h.AddConversationMember(t.Context(), ann, shared.ID, one.UserID))
		}
		h.exec(`UPDATE conversation_members SET joined_at = joined_at + 1 WHERE conversation_id = ? AND user_id = ?`, shared.ID, h.bob.UserID) // after eve, in a quick moment too
		i, code, err := h.CreateInvitation(t.Context(), ann, storage.NewInvitation{Role: storage.RoleMember, Uses: 5, Life: time.Hour})
		h.check(err)
		_, secret := must2(h.CreateToken(t.Context(), ann.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"}))(t)
		before := h.wholeAudit().Entries
		h.check(h.change(h.ada, ann, storage.MemberPatch{Disabled: new(true)}))
		_, err = h.Authenticate(t.Context(), secret, storage.APIToken)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.Join(t.Context(), code, "Max", storage.SignIn{Life: time.Hour})
		wantOver(t, err, storage.InvitationRevoked)
		for _, c := range []struct {
			room storage.Conversation
			by   storage.Principal
			want string
		}{{shared, h.bob, h.eve.UserID}, {direct, h.bob, ann.UserID}} {
			if got := must(h.Conversation(t.Context(), c.by, c.room.ID))(t); got.CreatedBy != c.want {
				t.Errorf("the maker of a %s is %s, want %s", got.Kind, got.CreatedBy, c.want)
			}
		}
		names := strings.NewReplacer(ann.UserID, "ANN", i.ID, "INVITATION", shared.ID, "SHARED")
		want := `user_disabled by user Ada: user ANN in  map[name:Ann]
invitation_revoked by user Ada: invitation INVITATION in  map[why:who made it may not invite any more]
conversation_handed_over by user Ada: conversation SHARED in SHARED map[from:ANN to:EVE]`
		if got := names.Replace(strings.Join(h.since(before), "\n")); got != want {
			t.Errorf("recorded is\n%s\nwant\n%s", got, want)
		}
		h.check(h.change(h.ada, ann, storage.MemberPatch{Disabled: new(false)}))
		if got := must(h.Conversation(t.Context(), ann, alone.ID))(t); got.CreatedBy != ann.UserID {
			t.Errorf("where nobody else was, the maker is %s", got.CreatedBy)
		}
		if h.stateOf(i.ID) != storage.InvitationRevoked {
			t.Error("the invitation is back")
		}
		h.wholeAudit()
	})
}

// A role counts from the moment at which it is given; the last owner keeps theirs.
func TestChangeRole(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.check(h.change(h.ada, h.bob, storage.MemberPatch{Role: new(storage.Admin)}))
		asAdmin := h.bob
		asAdmin.Role = storage.Admin
		i, _, err := h.CreateInvitation(t.Context(), asAdmin, storage.NewInvitation{Role: storage.RoleMember, Uses: 5, Life: time.Hour})
		h.check(err)
		h.check(h.change(asAdmin, h.eve, storage.MemberPatch{Role: new(storage.Guest)}))
		h.check(h.change(h.ada, h.bob, storage.MemberPatch{Role: new(storage.RoleMember)}))
		// He was let in as an admin, and is none any more.
		wantErr(t, h.change(asAdmin, h.eve, storage.MemberPatch{Role: new(storage.RoleMember)}), storage.ErrForbidden)
		if h.stateOf(i.ID) != storage.InvitationRevoked {
			t.Error("the invitation of who may not invite any more lets people in")
		}
		wantErr(t, h.change(h.ada, h.ada, storage.MemberPatch{Role: new(storage.Admin)}), storage.ErrLastOwner)
		wantErr(t, h.change(h.ada, h.ada, storage.MemberPatch{Disabled: new(true)}), storage.ErrForbidden)
		wantErr(t, h.change(h.ada, h.bob, storage.MemberPatch{Role: new(storage.Role("king"))}), storage.ErrInvalid)
		wantErr(t, h.change(h.mal, h.bob, storage.MemberPatch{Role: new(storage.Guest)}), storage.ErrNotFound)
		wantErr(t, h.DisableUser(t.Context(), h.ada.WorkspaceID, h.ada.UserID), storage.ErrConflict)
		h.check(h.change(h.ada, h.bob, storage.MemberPatch{Role: new(storage.Owner)}))
		h.check(h.change(h.ada, h.ada, storage.MemberPatch{Role: new(storage.RoleMember)}))
		wantErr(t, h.change(h.ada, h.bob, storage.MemberPatch{Disabled: new(true)}), storage.ErrForbidden)
	})
}

// Who was a guest and is a member is where everybody is.
func TestPromotedGuest(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := &harness{DB: db, tb: t}
		h.ada, _ = must2(db.Bootstrap(t.Context(), "", "Ada"))(t)
		general := must(h.Profile(t.Context(), h.ada))(t).Workspace.GeneralID
		for _, in := range []bool{false, true} {
			gus := h.user("Gus", storage.Guest)
			if in {
				h.check(h.AddConversationMember(t.Context(), h.ada, general, gus.UserID))
			}
			for _, role := range []storage.Role{storage.RoleMember, storage.Guest, storage.Admin} {
				h.check(h.change(h.ada, gus, storage.MemberPatch{Role: new(role)}))
			}
			if got := must(h.Profile(t.Context(), gus))(t); got.Workspace.GeneralID != general || got.Role != storage.Admin {
				t.Errorf("in General before: %v; now %+v", in, got)
			}
		}
	})
}

var rosterMembers = flag.Int("roster.members", 0, "members of the workspace in which TestMemberPageTimes times pages; 0 skips it")

// TestMemberPageTimes times pages of a long list of members: 300 of each kind.
func TestMemberPageTimes(t *testing.T) {
	if *rosterMembers == 0 {
		t.Skip("measures: run it with -roster.members 5000")
	}
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.check(h.FillRoster(t.Context(), h.ada, *rosterMembers))
		h.check(h.Vacuum(t.Context()))
		for name, words := range map[string]string{
			"all": "", "a common name": "member", "one": fmt.Sprint(*rosterMembers - 7), "the first who came": "ada", "nobody": "nobody at all",
		} {
			var took []time.Duration
			page := storage.Page{Limit: 50}
			for range 300 {
				began := time.Now()
				_, next, err := h.Members(t.Context(), h.ada, words, page)
				took = append(took, time.Since(began))
				h.check(err)
				page.Cursor = next // and from the newest again after the last
			}
			slices.SortFunc(took, cmp.Compare)
			p99 := took[len(took)*99/100]
			t.Logf("%-20s p50 %5.1f ms  p99 %5.1f ms", name, took[len(took)/2].Seconds()*1000, p99.Seconds()*1000)
			if p99 > 50*time.Millisecond {
				t.Errorf("%s takes %v", name, p99)
			}
		}
	})
}

// A name is found however it was given, and by no name of before.
func TestFindMembers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		h.exec(`UPDATE users SET name = 'Zoë Åström' WHERE id = ?`, h.bob.UserID) // as an older version does
		must(h.Rename(t.Context(), h.eve, "Anna-Lena O'Neill"))(t)
		for words, want := range map[string]string{"zoe": "Zoë Åström", "bob": "", "ASTR z": "Zoë Åström", "eve": "", "lena oneill": "Anna-Lena O'Neill", "ada": "Ada", "a": "Anna-Lena O'Neill, Zoë Åström, Ada", "_": "", "lena%": "Anna-Lena O'Neill"} {
			found, _ := must2(h.Members(t.Context(), h.ada, words, storage.Page{}))(t)
			var names []string
			for _, m := range found {
				names = append(names, m.Name)
			}
			if got := strings.Join(names, ", "); got != want {
				t.Errorf("%q finds %s, want %s", words, got, want)
			}
		}
	})
}
