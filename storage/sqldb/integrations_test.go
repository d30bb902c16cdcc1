package sqldb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// integration makes one as the owner, with a token, and returns it with who comes by that.
func (h *harness) integration(name string, role storage.Role, rooms ...string) (storage.Integration, storage.Principal) {
	h.tb.Helper()
	i := must(h.CreateIntegration(h.tb.Context(), h.ada, storage.NewIntegration{Name: name, Role: role, ConversationIDs: rooms}))(h.tb)
	_, who := h.integrationToken(h.browser(h.ada), i.ID)
	return i, who
}

// integrationToken makes a token, and returns its secret and who comes by it.
func (h *harness) integrationToken(by storage.Principal, id string) (secret string, who storage.Principal) {
	h.tb.Helper()
	_, secret = must2(h.CreateIntegrationToken(h.tb.Context(), by, id, storage.NewToken{Kind: storage.APIToken, Name: "x"}))(h.tb)
	return secret, must(h.Authenticate(h.tb.Context(), secret, storage.APIToken))(h.tb)
}

// What becomes of who made an integration ends none of its tokens.
func TestIntegrationSurvivesItsMaker(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		ann := h.user("Ann", storage.Admin)
		browser := h.browser(ann)
		room := h.conversation(ann, h.bob)
		before := h.wholeAudit().Entries
		made := must(db.CreateIntegration(ctx, browser, storage.NewIntegration{Name: " Door  bell ", Description: "Rings\nwhen ", ConversationIDs: []string{room.ID, room.ID}}))(t)
		if made.Kind != storage.KindIntegration || made.Role != storage.Guest || made.Name != "Door bell" || made.Description != "Rings when" || made.CreatedBy.ID != ann.UserID || !made.LastActiveAt.IsZero() {
			t.Errorf("made %+v", made)
		}
		secret, bell := h.integrationToken(browser, made.ID)
		if bell.Kind != storage.KindIntegration || bell.Role != storage.Guest || bell.Scopes != storage.IntegrationScopes || bell.WorkspaceID != h.ada.WorkspaceID {
			t.Errorf("comes as %+v", bell)
		}
		works := func(when string) {
			t.Helper()
			if _, err := db.Authenticate(ctx, secret, storage.APIToken); err != nil {
				t.Errorf("%s: %v", when, err)
			}
			if m, _ := h.send(bell, room.ID); m.AuthorKind != storage.KindIntegration || m.AuthorName != "Door bell" {
				t.Errorf("%s: sent %+v", when, m)
			}
		}
		works("at first")
		h.check(db.RevokeToken(ctx, browser, browser.CredentialID))
		works("signed out")
		again := h.browser(ann)
		h.account(again, "ann@example.org", "hash")
		h.check(db.RevokeOthers(ctx, again))
		works("signed out everywhere")
		h.check(db.ResetPassword(ctx, ann.UserID))
		works("without a password")
		h.check(h.change(h.ada, ann, storage.MemberPatch{Role: new(storage.Guest)}))
		works("a guest")
		h.check(db.RemoveConversationMember(ctx, h.bob, room.ID, h.bob.UserID)) // then the bell is the only other one
		h.check(h.change(h.ada, ann, storage.MemberPatch{Disabled: new(true)}))
		works("deactivated")
		if c := must(db.Conversation(ctx, bell, room.ID))(t); c.CreatedBy != ann.UserID {
			t.Errorf("the channel was handed over to %s", c.CreatedBy)
		}
		mine, _ := h.send(bell, room.ID)
		h.check(db.DeleteMessage(ctx, bell, mine.ID))
		names := strings.NewReplacer(ann.UserID, "ANN", made.ID, "BELL", room.ID, "ROOM2", mine.ID, "MINE")
		log := names.Replace(strings.Join(h.since(before), "\n"))
		for _, want := range []string{
			"integration_created by user Ann: user BELL in  map[name:Door bell role:guest]",
			"member_added by user Ann: user BELL in ROOM2 map[]",
			"map[kind:api name:x scopes:read record write user_id:BELL]",
			"message_deleted by integration Door bell: message MINE in ROOM2 map[author_id:BELL]",
		} {
			if !strings.Contains(log, want) {
				t.Errorf("%s is not recorded in\n%s", want, log)
			}
		}
	})
}

// An integration gets nothing but API tokens, which others make for it, and is never more
// than a member.
func TestIntegrationHasTokensAlone(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		bell, who := h.integration("Bell", storage.RoleMember)
		for name, n := range map[string]storage.NewToken{
			"session":      {Kind: storage.SessionToken},
			"sign-in link": {Kind: storage.SignInToken},
			"of its own":   {Kind: storage.APIToken, MadeWith: who.CredentialID},
			"admin":        {Kind: storage.APIToken, Scopes: "admin"},
			"more":         {Kind: storage.APIToken, Scopes: "admin read"},
		} {
			if _, _, err := db.CreateToken(ctx, bell.ID, n); !errors.Is(err, storage.ErrForbidden) && !errors.Is(err, storage.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, _, err := db.CreateIntegrationToken(ctx, h.browser(h.ada), bell.ID, storage.NewToken{Kind: storage.APIToken, Scopes: "admin"})
		wantErr(t, err, storage.ErrInvalid)
		wantErr(t, db.ImportToken(ctx, bell.ID, "x", "a secret chosen elsewhere"), storage.ErrForbidden)
		wantErr(t, db.SetEmail(ctx, bell.ID, "bell@example.org"), storage.ErrForbidden)
		wantErr(t, db.ResetPassword(ctx, bell.ID), storage.ErrForbidden)
		_, err = db.ChangeAccount(ctx, who, storage.AccountChange{Email: new("bell@example.org")})
		wantErr(t, err, storage.ErrForbidden)
		wantErr(t, db.LinkIdentity(ctx, who, *h.vouched("bell", nil).Vouched), storage.ErrForbidden)
		wantErr(t, db.RevokeOthers(ctx, who), storage.ErrForbidden)
		_, err = db.ChangeProfile(ctx, who, storage.ProfilePatch{Name: new("Ada")})
		wantErr(t, err, storage.ErrForbidden)
		_, _, err = db.CreateInvitation(ctx, who, storage.NewInvitation{Role: storage.RoleMember, Uses: 1, Life: time.Hour})
		wantErr(t, err, storage.ErrForbidden)
		for _, role := range []storage.Role{storage.Owner, storage.Admin} {
			_, err = db.CreateIntegration(ctx, h.ada, storage.NewIntegration{Name: "Boss", Role: role})
			wantErr(t, err, storage.ErrInvalid)
			wantErr(t, h.change(h.ada, who, storage.MemberPatch{Role: &role}), storage.ErrForbidden)
			_, err = db.ChangeIntegration(ctx, h.ada, bell.ID, storage.IntegrationPatch{MemberPatch: storage.MemberPatch{Role: &role}})
			wantErr(t, err, storage.ErrForbidden)
			if err := db.Exec(ctx, `UPDATE users SET role = ? WHERE id = ?`, role, bell.ID); err == nil { // as a node of an older version would
				t.Errorf("the database takes an integration for %s", role)
			}
		}
		h.account(h.browser(h.bob), "bob@example.org", "hash")
		if err := db.Exec(ctx, `UPDATE users SET account_id = (SELECT MIN(id) FROM accounts) WHERE id = ?`, bell.ID); err == nil {
			t.Error("the database takes an integration with an account")
		}
		for _, c := range []struct { // what a node of an older version may have made
			kind   storage.TokenKind
			scopes string
		}{{storage.SessionToken, ""}, {storage.APIToken, ""}, {storage.APIToken, "admin"}} {
			secret := h.oldToken(who, c.kind)
			h.exec(`UPDATE tokens SET scopes = ? WHERE name = 'old'`, c.scopes)
			_, err := db.Authenticate(ctx, secret, c.kind)
			wantErr(t, err, storage.ErrNotFound)
		}
		wantErr(t, h.change(h.ada, h.ada, storage.MemberPatch{Role: new(storage.RoleMember)}), storage.ErrLastOwner)
		h.wholeAudit()
	})
}

// Tokens are made by who proved who they are in a browser, and not by another token,
// which they would outlive; all else by every owner and admin.
func TestIntegrationTokensTakeProof(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		_, byToken := h.grant(h.ada, storage.NewToken{})
		bell := must(db.CreateIntegration(ctx, byToken, storage.NewIntegration{Name: "Bell"}))(t)
		create := func(by storage.Principal, id string) error {
			_, _, err := db.CreateIntegrationToken(ctx, by, id, storage.NewToken{Kind: storage.APIToken, Name: "x"})
			return err
		}
		wantErr(t, create(byToken, bell.ID), storage.ErrForbidden)
		browser := h.browser(h.ada)
		h.account(browser, "ada@example.org", "hash")
		h.later(browser)
		wantErr(t, create(browser, bell.ID), storage.ErrStepUp)
		h.check(db.Prove(ctx, browser, "hash"))
		h.check(create(browser, bell.ID))
		wantErr(t, create(browser, h.bob.UserID), storage.ErrNotFound) // who is a person
		member, guest, elsewhere := h.browser(h.bob), h.browser(h.user("Gus", storage.Guest)), h.browser(h.mal)
		nobody := storage.Principal{WorkspaceID: h.ada.WorkspaceID, UserID: storage.NewID()}
		theirs := storage.Principal{WorkspaceID: h.ada.WorkspaceID, UserID: h.mal.UserID}
		for by, want := range map[storage.Principal]error{
			member: storage.ErrForbidden, guest: storage.ErrNotFound, elsewhere: storage.ErrNotFound, nobody: storage.ErrNotFound, theirs: storage.ErrNotFound,
		} {
			wantErr(t, create(by, bell.ID), want)
			_, err := db.Integration(ctx, by, bell.ID)
			wantErr(t, err, want)
			_, err = db.IntegrationTokens(ctx, by, bell.ID)
			wantErr(t, err, want)
			_, err = db.ChangeIntegration(ctx, by, bell.ID, storage.IntegrationPatch{Name: new("Mine")})
			wantErr(t, err, want)
		}
		tokens := must(db.IntegrationTokens(ctx, h.ada, bell.ID))(t)
		if len(tokens) != 1 || tokens[0].ParentID != "" || tokens[0].Scopes != storage.IntegrationScopes || !tokens[0].ExpiresAt.IsZero() {
			t.Fatalf("tokens %+v", tokens)
		}
		other := must(db.CreateIntegration(ctx, h.ada, storage.NewIntegration{Name: "Other"}))(t)
		wantErr(t, db.RevokeIntegrationToken(ctx, h.ada, other.ID, tokens[0].ID), storage.ErrNotFound)
		wantErr(t, db.RevokeIntegrationToken(ctx, h.bob, bell.ID, tokens[0].ID), storage.ErrForbidden)
		wantErr(t, db.RevokeIntegrationToken(ctx, h.ada, bell.ID, browser.CredentialID), storage.ErrNotFound)
		h.check(db.RevokeIntegrationToken(ctx, h.ada, bell.ID, tokens[0].ID))
		if left := must(db.IntegrationTokens(ctx, h.ada, bell.ID))(t); len(left) != 0 {
			t.Errorf("left %+v", left)
		}
		for range storage.MaxIntegrationTokens {
			h.check(create(browser, bell.ID))
		}
		wantErr(t, create(browser, bell.ID), storage.ErrForbidden)
	})
}

// A guest knows those alone whom it meets, and a member begins direct conversations with
// those alone. Whoever adds members may add an integration; it brings no guests.
func TestWhomIntegrationsMeet(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		must(db.SetRules(ctx, h.ada, storage.Rules{InviteGuests: storage.ByAdmins}))(t)
		gus := h.user("Gus", storage.Guest)
		guest, asGuest := h.integration("Guest", storage.Guest, h.room.ID)
		_, asMember := h.integration("Member", storage.RoleMember, h.room.ID)
		names := func(by storage.Principal) (names []string) {
			for _, u := range must(db.People(ctx, by))(t) {
				names = append(names, u.Name)
			}
			return names
		}
		if got := names(asGuest); !slices.Equal(got, []string{"Ada", "Bob", "Guest", "Member"}) {
			t.Errorf("a guest knows %v", got)
		}
		if got := names(asMember); !slices.Equal(got, []string{"Ada", "Bob", "Eve", "Gus", "Guest", "Member"}) {
			t.Errorf("a member knows %v", got)
		}
		direct := func(by storage.Principal, with string) error {
			_, _, err := db.CreateConversation(ctx, by, storage.NewConversation{Kind: storage.Direct, MemberIDs: []string{with}})
			return err
		}
		wantErr(t, direct(asGuest, h.bob.UserID), storage.ErrForbidden)
		wantErr(t, direct(asMember, h.eve.UserID), storage.ErrNotFound)
		h.check(direct(asMember, h.bob.UserID))
		h.check(direct(h.eve, asMember.UserID))
		h.check(direct(asMember, h.eve.UserID)) // which is there now
		hers := h.conversation(h.eve)
		h.check(db.AddConversationMember(ctx, h.eve, hers.ID, guest.ID)) // who may not add a guest
		wantErr(t, db.AddConversationMember(ctx, h.eve, hers.ID, gus.UserID), storage.ErrForbidden)
		h.check(db.AddConversationMember(ctx, h.eve, hers.ID, asMember.UserID))
		must(db.SetRules(ctx, h.ada, storage.Rules{InviteGuests: storage.ByMembers}))(t)
		wantErr(t, db.AddConversationMember(ctx, asMember, hers.ID, gus.UserID), storage.ErrForbidden)
		h.check(db.AddConversationMember(ctx, h.eve, hers.ID, gus.UserID))
		h.check(db.RemoveConversationMember(ctx, h.eve, hers.ID, guest.ID))
		if u := must(db.WorkspaceUsage(ctx, h.ada))(t); u.Members != 4 || u.Guests != 1 {
			t.Errorf("%d people, %d of them guests", u.Members, u.Guests)
		}
		members := must(db.ConversationMembers(ctx, h.ada, h.room.ID))(t)
		if members[2].Kind != storage.KindIntegration || members[0].Kind != storage.KindPerson {
			t.Errorf("members %+v", members)
		}
	})
}

// Deactivated, it loses its tokens at once and for good, and what it said stays with its
// name; channels go to no integration.
func TestDeactivateIntegration(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		bell, who := h.integration("Bell", storage.RoleMember, h.room.ID)
		said := h.say(who, h.room.ID, "ding dong")
		its := h.conversation(who, h.bob)
		disable := func(disabled bool) error {
			_, err := db.ChangeIntegration(ctx, h.ada, bell.ID, storage.IntegrationPatch{MemberPatch: storage.MemberPatch{Disabled: &disabled}})
			return err
		}
		h.check(disable(true))
		h.check(disable(true)) // which changes nothing
		_, _, err := db.Accept(ctx, who, newMessage(h.room))
		wantErr(t, err, storage.ErrSignedOut) // let in before, its upload comes to nothing
		if ended := must(db.TokenEnded(ctx, who.CredentialID))(t); !ended {
			t.Error("its token is good")
		}
		_, _, err = db.CreateIntegrationToken(ctx, h.browser(h.ada), bell.ID, storage.NewToken{Kind: storage.APIToken})
		wantErr(t, err, storage.ErrForbidden)
		if m := must(db.Message(ctx, h.bob, said.ID))(t); m.AuthorName != "Bell" || m.AuthorKind != storage.KindIntegration {
			t.Errorf("what it said is from %q", m.AuthorName)
		}
		if c := must(db.Conversation(ctx, h.bob, its.ID))(t); c.CreatedBy != h.bob.UserID {
			t.Errorf("its channel is %s's", c.CreatedBy)
		}
		wantErr(t, db.AddConversationMember(ctx, h.eve, h.conversation(h.eve).ID, bell.ID), storage.ErrNotFound)
		h.check(disable(false))
		if ended := must(db.TokenEnded(ctx, who.CredentialID))(t); !ended {
			t.Error("its old token is good again")
		}
		renamed := must(db.ChangeIntegration(ctx, h.ada, bell.ID, storage.IntegrationPatch{Name: new("Gong"), Description: new("rings"), MemberPatch: storage.MemberPatch{Role: new(storage.Guest)}}))(t)
		if renamed.Name != "Gong" || renamed.Description != "rings" || renamed.Role != storage.Guest || renamed.Disabled {
			t.Errorf("%+v", renamed)
		}
		for _, patch := range []storage.IntegrationPatch{{Name: new(" ")}, {Description: new(strings.Repeat("x", storage.MaxDescription+1))}} {
			_, err = db.ChangeIntegration(ctx, h.ada, bell.ID, patch)
			wantErr(t, err, storage.ErrInvalid)
		}
		h.wholeAudit()
	})
}

// Of two at once that make the last that there is room for, one does.
func TestRoomForIntegrations(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h, ctx := newHarness(t, db), t.Context()
		first := must(db.CreateIntegration(ctx, h.ada, storage.NewIntegration{Name: "First"}))(t)
		for i := range storage.MaxIntegrations - 2 {
			must(db.CreateIntegration(ctx, h.ada, storage.NewIntegration{Name: fmt.Sprint("Bot ", i)}))(t)
		}
		var at sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			at.Go(func() { _, errs[i] = db.CreateIntegration(ctx, h.ada, storage.NewIntegration{Name: "Last"}) })
		}
		at.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), storage.ErrForbidden) {
			t.Errorf("%v", errs)
		}
		h.check(db.DisableUser(ctx, h.ada.WorkspaceID, first.ID))
		must(db.CreateIntegration(ctx, h.ada, storage.NewIntegration{Name: "Another"}))(t)
		wantErr(t, db.EnableUser(ctx, h.ada.WorkspaceID, first.ID), storage.ErrForbidden)

		var names []string
		for page := (storage.Page{Limit: 60}); ; {
			list, next := must2(db.Integrations(ctx, h.ada, page))(t)
			for _, one := range list {
				names = append(names, one.Name)
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		if len(names) != storage.MaxIntegrations+1 || names[0] != "Another" || names[len(names)-1] != "First" {
			t.Errorf("%d: %v", len(names), names)
		}
		_, _, err := db.Integrations(ctx, h.bob, storage.Page{})
		wantErr(t, err, storage.ErrForbidden)
		if list, _ := must2(db.Integrations(ctx, h.mal, storage.Page{}))(t); len(list) != 0 {
			t.Errorf("elsewhere there are %+v", list)
		}
		for _, id := range []string{h.conversation(h.bob).ID, storage.NewID()} {
			_, err := db.CreateIntegration(ctx, h.mal, storage.NewIntegration{Name: "x", ConversationIDs: []string{id}})
			wantErr(t, err, storage.ErrNotFound)
		}
		_, err = db.CreateIntegration(ctx, h.mal, storage.NewIntegration{Name: "x", ConversationIDs: []string{h.make(h.mal, storage.Direct, "").ID}})
		wantErr(t, err, storage.ErrInvalid)
	})
}

// Records that are made again from the store have an integration as one.
func TestRestoreIntegration(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, storagetest.New(t))
		_, who := h.integration("Bell", storage.Guest, h.room.ID)
		said, _ := h.send(who, h.room.ID)
		m, _ := h.written(said.ID)
		parsed := must(storage.ParseManifest(must(m.Encode())(t)))(t)
		h.check(db.RestoreWorkspace(t.Context(), parsed.Workspace))
		must(db.Restore(t.Context(), h.ada.WorkspaceID, []sqldb.Restored{{Manifest: parsed}}))(t)
		for _, u := range must(db.Users(t.Context(), h.ada.WorkspaceID))(t) {
			if (u.Kind == storage.KindIntegration) != (u.Name == "Bell") {
				t.Errorf("restored %+v", u)
			}
		}
		for i := range parsed.People {
			parsed.People[i].Kind = storage.KindIntegration // the owner, too
		}
		if _, err := storage.ParseManifest(must(parsed.Encode())(t)); err == nil {
			t.Error("a manifest makes an integration an owner")
		}
	})
}
