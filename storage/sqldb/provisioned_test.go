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
	"hark/storage/provision"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// provider is an identity provider that acts as somebody.
func (h *harness) provider(as storage.Principal) storage.Principal {
	h.tb.Helper()
	token, _, err := h.CreateToken(h.tb.Context(), as.UserID, storage.NewToken{Kind: storage.APIToken, Name: "provider", Scopes: storage.Scopes(storage.ScopeProvision)})
	h.check(err)
	as.CredentialID, as.Scopes = token.ID, token.Scopes
	return as
}

func (h *harness) person(by storage.Principal, userName string) provision.Person {
	h.tb.Helper()
	return must(h.AddPerson(h.tb.Context(), by, provision.Known{UserName: userName, Name: userName, Active: true}))(h.tb)
}

func (h *harness) groupOf(by storage.Principal, name string, members ...provision.Person) provision.Group {
	h.tb.Helper()
	return must(h.AddGroup(h.tb.Context(), by, provision.GroupKnown{Name: name, Members: refsTo(members...)}))(h.tb)
}

func refsTo(people ...provision.Person) (refs []provision.Ref) {
	for _, one := range people {
		refs = append(refs, provision.Ref{ID: one.ID})
	}
	return refs
}

// haveMembers has a group have these.
func (h *harness) haveMembers(by storage.Principal, group string, people ...provision.Person) {
	h.tb.Helper()
	h.check(h.ChangeGroup(h.tb.Context(), by, group, func(k provision.GroupKnown) (provision.GroupKnown, error) {
		k.Members = refsTo(people...)
		return k, nil
	}))
}

func (h *harness) roleOf(id string) storage.Role {
	h.tb.Helper()
	for _, u := range must(h.Users(h.tb.Context(), h.ada.WorkspaceID))(h.tb) {
		if u.ID == id {
			return u.Role
		}
	}
	h.tb.Fatalf("no user %s", id)
	return ""
}

// Groups give roles as storage.RoleAfter has it, and take them away with the last.
func TestProvisionedRoles(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, provider, browser := t.Context(), h.provider(h.ada), h.browser(h.ada)
		cy, dan := h.person(provider, "cy@example.org"), h.person(provider, "dan@example.org")
		h.check(h.SetEmail(ctx, h.bob.UserID, "bob@example.org"))
		bob := must(h.Person(ctx, provider, h.bob.UserID))(t)
		admins, guests := h.groupOf(provider, "Admins", cy, bob), h.groupOf(provider, "Contractors", cy, dan)
		role := func(group provision.Group, role storage.Role) {
			t.Helper()
			must(h.SetGroupRole(ctx, browser, group.ID, role))(t)
		}
		want := func(what string, roles ...storage.Role) {
			t.Helper()
			var got []storage.Role
			for _, one := range []string{cy.ID, dan.ID, bob.ID} {
				got = append(got, h.roleOf(one))
			}
			if !slices.Equal(got, roles) {
				t.Errorf("%s: %v, not %v", what, got, roles)
			}
		}
		want("no role", storage.RoleMember, storage.RoleMember, storage.RoleMember)
		role(guests, storage.Guest)
		want("guests", storage.Guest, storage.Guest, storage.RoleMember)
		role(admins, storage.Admin)
		want("and admins", storage.Admin, storage.Guest, storage.Admin)
		h.haveMembers(provider, admins.ID, dan)
		want("other admins", storage.Guest, storage.Admin, storage.RoleMember)
		h.haveMembers(provider, guests.ID)
		want("no guests", storage.RoleMember, storage.Admin, storage.RoleMember)
		h.check(h.RemovePerson(ctx, provider, dan.ID))
		dan = h.person(provider, "DAN@example.org")
		want("removed and taken up again", storage.RoleMember, storage.RoleMember, storage.RoleMember)
		h.haveMembers(provider, admins.ID, dan, cy)
		h.check(h.RemoveGroup(ctx, provider, admins.ID))
		want("the group is gone", storage.RoleMember, storage.RoleMember, storage.RoleMember)

		// Owners and who asks stay what they are.
		h.check(h.SetEmail(ctx, h.ada.UserID, "ada@example.org"))
		ada := must(h.Person(ctx, provider, h.ada.UserID))(t)
		h.haveMembers(provider, guests.ID, ada, cy)
		if got := h.roleOf(ada.ID); got != storage.Owner {
			t.Errorf("the owner is %s", got)
		}
		_, err := h.SetGroupRole(ctx, browser, guests.ID, storage.Owner)
		wantErr(t, err, storage.ErrForbidden)
		_, err = h.SetGroupRole(ctx, h.browser(h.mal), guests.ID, storage.Guest)
		wantErr(t, err, storage.ErrNotFound)
		_, err = h.SetGroupRole(ctx, provider, guests.ID, storage.Guest)
		wantErr(t, err, storage.ErrForbidden) // by no token
		if check := h.wholeAudit(); !check.OK() {
			t.Errorf("%+v", check)
		}
	})
}

// What is looked for is found in both databases alike, whatever it holds.
func TestProvisionedFilters(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		provider := h.provider(h.ada)
		for _, name := range []string{`o'brien@example.org`, `100%@example.org`, `a_b@example.org`, `x"y`, `back\slash`, `Jürgen@example.org`, `'); DROP TABLE users; --`} {
			must(h.AddPerson(t.Context(), provider, provision.Known{UserName: name, ExternalID: "E-" + name, Name: name, GivenName: name, Active: true}))(t)
		}
		find := func(f provision.Filter) (found []string) {
			list, total, err := h.Persons(t.Context(), provider, provision.Query{Filter: f, Count: 100, Sort: provision.UserName})
			h.check(err)
			if total != len(list) {
				t.Errorf("%+v: %d of %d", f, len(list), total)
			}
			for _, one := range list {
				found = append(found, one.UserName)
			}
			return found
		}
		one := func(field provision.Field, op provision.Op, text string) provision.Filter {
			return provision.Filter{Op: op, Field: field, Text: text}
		}
		for _, c := range []struct {
			filter provision.Filter
			want   string
		}{
			{one(provision.UserName, provision.Equal, "O'BRIEN@example.org"), `o'brien@example.org`},
			{one(provision.UserName, provision.Contains, "%"), `100%@example.org`},
			{one(provision.UserName, provision.Contains, "_"), `a_b@example.org`},
			{one(provision.UserName, provision.Begins, "a_"), `a_b@example.org`},
			{one(provision.UserName, provision.Ends, `\slash`), `back\slash`},
			{one(provision.UserName, provision.Ends, `a much longer text than the back\slash`), ``},
			{one(provision.UserName, provision.Equal, "JÜRGEN@EXAMPLE.ORG"), `Jürgen@example.org`},
			{one(provision.Name, provision.Begins, "JüRG"), `Jürgen@example.org`},
			{one(provision.GivenName, provision.Equal, `X"Y`), `x"y`},
			{one(provision.ExternalID, provision.Equal, `E-x"y`), `x"y`},
			{one(provision.ExternalID, provision.Equal, `e-x"y`), ``},
			{one(provision.Email, provision.Equal, "A_B@example.org"), `a_b@example.org`},
			{one(provision.UserName, provision.Equal, "a_b@example.org\x00"), `a_b@example.org`},
			{one(provision.UserName, provision.Equal, "' OR '1'='1"), ``},
			{one(provision.UserName, provision.Equal, `'); DROP TABLE users; --`), `'); DROP TABLE users; --`},
			{one("no such field", provision.Equal, "x"), ``},
			{provision.Filter{Op: provision.And, Parts: []provision.Filter{one(provision.UserName, provision.Contains, "example"), {Op: provision.Contains, Not: true, Field: provision.UserName, Text: "ü"}, one(provision.UserName, provision.Contains, "b@")}}, `a_b@example.org`},
			{provision.Filter{Op: provision.Or, Parts: []provision.Filter{one(provision.UserName, provision.Equal, `x"y`), one(provision.Email, provision.Contains, "%")}}, `100%@example.org x"y`},
			{provision.Filter{Op: provision.Equal, Field: provision.Active, Bool: false}, ``},
			{provision.Filter{Op: provision.After, Field: provision.CreatedAt, At: time.Now().Add(time.Hour)}, ``},
			{provision.Filter{Not: true}, ``},
		} {
			if got := strings.Join(find(c.filter), " "); got != c.want {
				t.Errorf("%+v: %q, not %q", c.filter, got, c.want)
			}
		}
		if all := find(provision.Filter{}); len(all) != 7 {
			t.Errorf("%q", all)
		}
		if all := find(provision.Filter{Op: provision.Before, Field: provision.ChangedAt, At: time.Now().Add(time.Hour)}); len(all) != 7 {
			t.Errorf("%q", all)
		}
		for skip, want := range map[int]int{0: 3, 3: 3, 6: 1, 7: 0, 100: 0} {
			list, total, err := h.Persons(t.Context(), provider, provision.Query{Skip: skip, Count: 3, Sort: provision.Name, Down: true})
			if err != nil || len(list) != want || total != 7 {
				t.Errorf("from %d: %d of %d, %v", skip, len(list), total, err)
			}
		}
		for _, as := range []storage.Principal{h.bob, h.provider(h.mal)} {
			list, total, err := h.Persons(t.Context(), as, provision.Query{Count: 10})
			if total != 0 || len(list) != 0 || as.UserID == h.bob.UserID && !errors.Is(err, storage.ErrForbidden) {
				t.Errorf("%s finds %d: %v", as.UserName, total, err)
			}
		}
	})
}

// Of many who make the same person, and the same group, at once one does.
func TestProvisionedAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		here, there := h.provider(h.ada), h.provider(h.mal)
		var all sync.WaitGroup
		var mu sync.Mutex
		made := map[string]int{}
		count := func(what string, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made[what]++
			} else if !errors.Is(err, storage.ErrConflict) {
				t.Error(err)
			}
		}
		for range 4 {
			for place, by := range map[string]storage.Principal{"here": here, "there": there} {
				all.Go(func() {
					_, err := h.AddPerson(t.Context(), by, provision.Known{UserName: "Cy@example.org", Name: "Cy", Active: true})
					count(place, err)
				})
				all.Go(func() {
					_, err := h.AddGroup(t.Context(), by, provision.GroupKnown{Name: "All"})
					count("group "+place, err)
				})
			}
		}
		all.Wait()
		for _, what := range []string{"here", "there", "group here", "group there"} {
			if made[what] > 1 || strings.HasPrefix(what, "group") && made[what] != 1 {
				t.Errorf("%s: %d", what, made[what])
			}
		}
		// Both workspaces want the address at once: one has it, and the other has a
		// person without it, or was told that it is taken and may try again.
		for _, by := range []storage.Principal{here, there} {
			_, err := h.AddPerson(t.Context(), by, provision.Known{UserName: "cy@example.org", Name: "Cy", Active: true})
			if err != nil && !errors.Is(err, storage.ErrConflict) {
				t.Error(err)
			}
			if _, total, err := h.Persons(t.Context(), by, provision.Query{Filter: provision.Filter{Op: provision.Equal, Field: provision.UserName, Text: "CY@example.org"}}); total != 1 || err != nil {
				t.Errorf("%d, %v", total, err)
			}
		}
		if check := h.wholeAudit(); !check.OK() {
			t.Errorf("%+v", check)
		}
	})
}

// A large group is changed in one step, and bounded.
func TestProvisionedGroupBounds(t *testing.T) {
	h := newHarness(t, storagetest.New(t))
	provider := h.provider(h.ada)
	var people []provision.Person
	for i := range 30 {
		people = append(people, h.person(provider, fmt.Sprintf("p%d@example.org", i)))
	}
	group := h.groupOf(provider, "All", people...)
	if len(group.Members) != 30 {
		t.Errorf("%d members", len(group.Members))
	}
	many := provision.GroupKnown{Name: "Many"}
	for range provision.MaxMembers + 1 {
		many.Members = append(many.Members, provision.Ref{ID: storage.NewID()})
	}
	_, err := h.AddGroup(t.Context(), provider, many)
	wantErr(t, err, storage.ErrInvalid)
	_, err = h.AddGroup(t.Context(), provider, provision.GroupKnown{Name: "Strangers", Members: []provision.Ref{{ID: h.mal.UserID}}})
	wantErr(t, err, storage.ErrInvalid)
	_, err = h.AddGroup(t.Context(), provider, provision.GroupKnown{Name: "ALL"})
	wantErr(t, err, storage.ErrConflict)
	list, next, err := h.GroupPage(t.Context(), h.ada, storage.Page{Limit: 1})
	if err != nil || next != "" || len(list) != 1 || list[0].Size != 30 {
		t.Errorf("%+v, %q, %v", list, next, err)
	}
}

// Whom a provider made is linked by the external id that an OpenID provider vouches for,
// while they have no way in of their own; nobody else is.
func TestProvisionedIdentity(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, provider := t.Context(), h.provider(h.ada)
		made := func(name, externalID string) provision.Person {
			t.Helper()
			return must(h.AddPerson(ctx, provider, provision.Known{UserName: name, ExternalID: externalID, Name: name, Active: true}))(t)
		}
		signIn := func(subject, externalID string) (string, error) {
			_, secret, err := h.SignIn(ctx, h.vouched(subject, func(v *storage.Vouched) { v.ExternalID = externalID }))
			if err != nil {
				return "", err
			}
			return must(h.Authenticate(ctx, secret, storage.SessionToken))(t).UserID, nil
		}
		refused := func(what, subject, externalID string, want error) {
			t.Helper()
			if _, err := signIn(subject, externalID); !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		cy := made("cy@example.org", "e1")
		refused("no external id", "cy-1", "", storage.ErrNoUser)
		refused("another", "cy-1", "e2", storage.ErrNoUser)
		if id, err := signIn("cy-1", "e1"); err != nil || id != cy.ID {
			t.Errorf("%s, %v", id, err)
		}
		if id, err := signIn("cy-1", ""); err != nil || id != cy.ID { // linked for good
			t.Errorf("%s, %v", id, err)
		}
		refused("who has a way in", "mallory", "e1", storage.ErrNoUser)

		h.check(h.SetEmail(ctx, h.bob.UserID, "bob@example.org"))
		must(h.ChangePerson(ctx, provider, h.bob.UserID, func(k provision.Known) (provision.Known, error) {
			k.ExternalID = "e3"
			return k, nil
		}))(t)
		refused("who was here before", "bob-1", "e3", storage.ErrNoUser)

		made("dan@example.org", "e4")
		made("eli@example.org", "e4")
		refused("one of two", "dan-1", "e4", storage.ErrNoUser)

		fay := made("fay@example.org", "e5")
		must(h.ChangePerson(ctx, provider, fay.ID, func(k provision.Known) (provision.Known, error) {
			k.Active = false
			return k, nil
		}))(t)
		refused("deactivated", "fay-1", "e5", storage.ErrDeactivated)
		h.check(h.RemovePerson(ctx, provider, fay.ID))
		refused("removed", "fay-1", "e5", storage.ErrNoUser)
		if check := h.wholeAudit(); !check.OK() {
			t.Errorf("%+v", check)
		}
	})
}

// Who is removed and taken up again has nothing left of groups that are not what they were,
// and removing raises nobody.
func TestProvisionedAgain(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, provider, browser := t.Context(), h.provider(h.ada), h.browser(h.ada)
		for role, want := range map[storage.Role]storage.Role{
			storage.Admin: storage.RoleMember, storage.RoleMember: storage.RoleMember, storage.Guest: storage.Guest,
		} {
			cy := h.person(provider, string(role)+"@example.org")
			group := h.groupOf(provider, string(role), cy)
			must(h.SetGroupRole(ctx, browser, group.ID, role))(t)
			if got := h.roleOf(cy.ID); got != role {
				t.Fatalf("%s is %s", role, got)
			}
			h.check(h.RemovePerson(ctx, provider, cy.ID))
			if got := h.roleOf(cy.ID); got != want {
				t.Errorf("%s, removed, is %s", role, got)
			}
			must(h.SetGroupRole(ctx, browser, group.ID, ""))(t)
			if h.person(provider, string(role)+"@example.org"); h.roleOf(cy.ID) != want {
				t.Errorf("%s, taken up again, is %s", role, h.roleOf(cy.ID))
			}
		}
	})
}

// A provider of one workspace neither changes an address that somebody uses in another, nor
// learns by trying which are used there.
func TestProvisionedElsewhere(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, provider := t.Context(), h.provider(h.ada)
		cy := must(h.AddPerson(ctx, provider, provision.Known{UserName: "cy", Email: "cy@example.org", Name: "Cy", Active: true}))(t)
		h.check(h.SetEmail(ctx, h.mal.UserID, "mal@example.org"))
		w, choir := must2(h.CreateWorkspaceFor(ctx, "choir", storage.NewOwner{Email: "cy@example.org"}))(t)
		must(h.CreateUser(ctx, w.ID, "Second", storage.Owner))(t)
		email := func(address string) error {
			_, err := h.ChangePerson(ctx, provider, cy.ID, func(k provision.Known) (provision.Known, error) {
				k.Email = address
				return k, nil
			})
			return err
		}
		for _, there := range []func() error{
			func() error { return nil },
			func() error { return h.DisableUser(ctx, w.ID, choir.ID) },
		} {
			h.check(there())
			var fixed *provision.FixedError
			for _, address := range []string{"free@example.org", "mal@example.org"} {
				if err := email(address); !errors.As(err, &fixed) {
					t.Errorf("%s: %v", address, err)
				}
			}
		}
		h.check(h.EnableUser(ctx, w.ID, choir.ID))
		out := must(h.ChangePerson(ctx, provider, cy.ID, func(k provision.Known) (provision.Known, error) {
			k.Email, k.Active = "mal@example.org", false
			return k, nil
		}))(t)
		if !out.Disabled || out.User.Email != "cy@example.org" || out.Known.Email != "cy@example.org" {
			t.Errorf("deactivated with another address: %+v", out)
		}

		// What becomes of them in one is not for the other.
		in := h.browser(storage.Principal{WorkspaceID: w.ID, UserID: choir.ID, Role: storage.Owner})
		h.check(h.RemovePerson(ctx, provider, cy.ID))
		if must(h.TokenEnded(ctx, in.CredentialID))(t) {
			t.Error("a provider ends a session in another workspace")
		}
		if a := must(h.AccountByEmail(ctx, "cy@example.org", ""))(t); a.UserID != choir.ID {
			t.Errorf("they sign in as %s", a.UserID)
		}
		if again := h.person(provider, "cy"); again.ID != cy.ID || again.User.Email != "cy@example.org" {
			t.Errorf("%+v", again)
		}
	})
}

// Whom a provider made has no address here that somebody signs in to another workspace by.
// When that somebody joins here too, the provider changes the one it made as before, and
// takes them away.
func TestProvisionedBesideTheirAccount(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		ctx, provider, mal := t.Context(), h.provider(h.ada), h.browser(h.mal)
		h.account(mal, "mal@example.org", "hash 1")
		known := provision.Known{UserName: "m1", Email: "mal@example.org", Name: "Mal", Active: true}
		made := must(h.AddPerson(ctx, provider, known))(t)
		if made.User.Email != "" {
			t.Fatalf("%+v", made)
		}
		_, code := h.invite(storage.NewInvitation{Role: storage.RoleMember, Uses: 1})
		must(h.JoinAs(ctx, mal, code, "Mal"))(t)
		for _, active := range []bool{false, true} {
			p, err := h.ChangePerson(ctx, provider, made.ID, func(k provision.Known) (provision.Known, error) {
				k.Active = active
				return k, nil
			})
			if err != nil || p.Disabled == active {
				t.Errorf("active %v: %+v, %v", active, p, err)
			}
		}
		h.check(h.RemovePerson(ctx, provider, made.ID))
		if again := must(h.AddPerson(ctx, provider, known))(t); again.ID != made.ID || again.Disabled {
			t.Errorf("%+v", again)
		}
		known.UserName = "m2"
		var taken *provision.TakenError
		if _, err := h.AddPerson(ctx, provider, known); !errors.As(err, &taken) || taken.Field != "emails" {
			t.Errorf("another of the address: %v", err)
		}
	})
}
