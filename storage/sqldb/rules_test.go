package sqldb_test

import (
	"slices"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

func (h *harness) rule(changed storage.Rules) {
	h.tb.Helper()
	must(h.SetRules(h.tb.Context(), h.ada, changed))(h.tb)
}

// as is a principal as they are let in now.
func (h *harness) as(p storage.Principal) storage.Principal {
	h.tb.Helper()
	token, secret, err := h.CreateToken(h.tb.Context(), p.UserID, storage.NewToken{Kind: storage.APIToken, Name: "x"})
	h.check(err)
	now := must(h.Authenticate(h.tb.Context(), secret, storage.APIToken))(h.tb)
	if now.CredentialID != token.ID {
		h.tb.Fatalf("let in was %+v", now)
	}
	return now
}

// Rules hold at once, for those too who were let in before they were changed.
func TestRules(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		gus := h.user("Gus", storage.Guest)
		channel := func(by storage.Principal, ids ...string) error {
			_, _, err := h.CreateConversation(ctx, by, storage.NewConversation{Kind: storage.Channel, Title: "x", MemberIDs: ids})
			return err
		}
		h.check(channel(h.bob))
		wantErr(t, channel(h.bob, gus.UserID), storage.ErrForbidden)
		h.rule(storage.Rules{CreateChannels: storage.ByAdmins, InviteGuests: storage.ByMembers})
		wantErr(t, channel(h.bob), storage.ErrForbidden)
		h.check(channel(h.ada))
		h.make(h.bob, storage.Direct, "", h.eve.UserID)
		h.check(h.AddConversationMember(ctx, h.bob, h.room.ID, gus.UserID))
		h.rule(storage.Rules{InviteGuests: storage.ByAdmins})
		wantErr(t, h.AddConversationMember(ctx, h.as(h.bob), h.room.ID, h.user("Gil", storage.Guest).UserID), storage.ErrForbidden)

		for _, by := range []storage.Principal{h.bob, gus, h.eve} {
			_, err := h.SetRules(ctx, by, storage.Rules{CreateChannels: storage.ByMembers})
			wantErr(t, err, storage.ErrForbidden)
		}
		_, err := h.SetRules(ctx, h.ada, storage.Rules{SeeDirectory: "MEMBERS"})
		wantErr(t, err, storage.ErrInvalid)
		want := storage.Rules{InviteMembers: storage.ByAdmins, InviteGuests: storage.ByAdmins, CreateChannels: storage.ByAdmins, SeeDirectory: storage.ByMembers}
		if p := must(h.Profile(ctx, gus))(t); p.Workspace.Rules != want {
			t.Errorf("rules %+v", p.Workspace.Rules)
		}
		if p := must(h.Profile(ctx, h.mal))(t); p.Workspace.Rules != storage.DefaultRules {
			t.Errorf("elsewhere %+v", p.Workspace.Rules)
		}
		entries, _ := must2(h.Audit(ctx, h.ada, storage.AuditFilter{Action: storage.AuditRuleChanged}, storage.Page{}))(t)
		if len(entries) != 3 || entries[0].Details["rule"] != "invite_guests" || entries[0].Details["from"] != "members" || entries[0].Details["to"] != "admins" {
			t.Errorf("audit log %+v", entries)
		}
		before := len(must(h.EventsAfter(ctx, gus, 0, 1000))(t))
		h.rule(storage.Rules{CreateChannels: storage.ByAdmins}) // as it is
		if after := len(must(h.EventsAfter(ctx, gus, 0, 1000))(t)); after != before {
			t.Error("that nothing was changed is told")
		}
	})
}

// Members whom the rules let invite have their own invitations, which end with the rule.
func TestMembersInvite(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		invite := func(by storage.Principal, role storage.Role) (storage.Invitation, error) {
			i, _, err := h.CreateInvitation(ctx, by, storage.NewInvitation{Role: role, Uses: 1, Life: time.Hour, ConversationIDs: []string{h.room.ID}})
			return i, err
		}
		_, err := invite(h.bob, storage.RoleMember)
		wantErr(t, err, storage.ErrForbidden)
		h.rule(storage.Rules{InviteMembers: storage.ByMembers})
		bob := h.as(h.bob)
		own := must(invite(bob, storage.RoleMember))(t)
		_, err = invite(bob, storage.Guest)
		wantErr(t, err, storage.ErrForbidden)
		hers := must(invite(h.ada, storage.RoleMember))(t)
		listed := func(by storage.Principal) (ids []string) {
			list, _ := must2(h.Invitations(ctx, by, storage.Page{}))(t)
			for _, i := range list {
				ids = append(ids, i.ID)
			}
			return ids
		}
		if ids := listed(bob); !slices.Equal(ids, []string{own.ID}) {
			t.Errorf("bob sees %v", ids)
		}
		if ids := listed(h.ada); !slices.Equal(ids, []string{hers.ID, own.ID}) {
			t.Errorf("ada sees %v", ids)
		}
		wantErr(t, h.RevokeInvitation(ctx, bob, hers.ID), storage.ErrNotFound)
		heard := 0
		for _, e := range must(h.EventsAfter(ctx, bob, 0, 1000))(t) {
			if e.Type == storage.InvitationCreated {
				heard++
			}
		}
		if heard != 1 {
			t.Errorf("bob hears of %d invitations", heard)
		}
		h.rule(storage.Rules{InviteMembers: storage.ByAdmins})
		_, _, err = h.Invitations(ctx, h.as(h.bob), storage.Page{})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, h.RevokeInvitation(ctx, bob, own.ID), storage.ErrNotFound)
		for _, i := range must2first(h.Invitations(ctx, h.ada, storage.Page{}))(t) {
			if open := i.State == storage.InvitationOpen; open != (i.ID == hers.ID) {
				t.Errorf("%s is %s", i.CreatedBy.Name, i.State)
			}
		}
	})
}

func must2first[T, U any](v T, _ U, err error) func(testing.TB) T { return must(v, err) }

// Without the directory, members know whom they share a conversation with, and nobody else.
func TestDirectoryForAdmins(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx := t.Context()
		h.rule(storage.Rules{SeeDirectory: storage.ByAdmins})
		bob, ada := h.as(h.bob), h.as(h.ada)
		names := func(by storage.Principal) (names []string) {
			for _, u := range must(h.People(ctx, by))(t) {
				names = append(names, u.Name)
			}
			return names
		}
		if got := names(bob); !slices.Equal(got, []string{"Ada", "Bob"}) {
			t.Errorf("bob knows %v", got)
		}
		if got := names(ada); len(got) != 3 {
			t.Errorf("ada knows %v", got)
		}
		for by, want := range map[*storage.Principal]int{&bob: 0, &ada: 1} {
			if r := must(h.Search(ctx, *by, storage.Query{Text: "Eve"}))(t); len(r.People) != want {
				t.Errorf("%s finds %+v", by.UserName, r.People)
			}
		}
		wantErr(t, h.AddConversationMember(ctx, bob, h.room.ID, h.eve.UserID), storage.ErrNotFound)
		wantErr(t, h.AddConversationMember(ctx, h.bob, h.room.ID, h.eve.UserID), storage.ErrNotFound) // let in before
		_, _, err := h.CreateConversation(ctx, bob, storage.NewConversation{Kind: storage.Direct, MemberIDs: []string{h.eve.UserID}})
		wantErr(t, err, storage.ErrNotFound)
		h.make(bob, storage.Direct, "", h.ada.UserID)

		var from int64
		for _, whom := range []storage.Principal{h.eve, h.ada, h.bob} {
			from = must(h.LastSeq(ctx, h.ada))(t)
			must(h.Rename(ctx, whom, whom.UserName+" the second"))(t)
			for by, want := range map[*storage.Principal]bool{&bob: whom.UserID != h.eve.UserID, &ada: true} {
				live := slices.ContainsFunc(must(h.EventTail(ctx, by.WorkspaceID, from, 1000))(t).Events, func(e storage.Event) bool {
					return must(h.CanHearEvent(ctx, *by, e))(t)
				})
				if told := len(must(h.EventsAfter(ctx, *by, from, 1000))(t)) > 0; live != want || told != want {
					t.Errorf("of %s's name %s hears %v, and %v afterwards", whom.UserName, by.UserName, live, told)
				}
			}
		}
		h.rule(storage.Rules{SeeDirectory: storage.ByMembers})
		told := must(h.EventsAfter(ctx, h.as(h.bob), 0, 1000))(t)
		if last := told[len(told)-1]; last.Type != storage.WorkspaceUpdated {
			t.Errorf("last told is %+v", last)
		}
		h.check(h.AddConversationMember(ctx, bob, h.room.ID, h.eve.UserID)) // by the rules of now
	})
}

// A guest learns of nobody by trying to take them out of a conversation.
func TestRemovingTellsNothing(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		gus := h.user("Gus", storage.Guest)
		h.check(h.AddConversationMember(t.Context(), h.ada, h.room.ID, gus.UserID))
		wantErr(t, h.RemoveConversationMember(t.Context(), gus, h.room.ID, h.eve.UserID), storage.ErrNotFound)
		wantErr(t, h.RemoveConversationMember(t.Context(), gus, h.room.ID, storage.NewID()), storage.ErrNotFound)
		wantErr(t, h.RemoveConversationMember(t.Context(), gus, h.room.ID, h.bob.UserID), storage.ErrForbidden)
	})
}
