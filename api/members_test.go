package api

import (
	"net/http"
	"strings"
	"testing"

	"hark/api/members"
	"hark/api/rest"
	"hark/storage"
)

func (c *client) members(query string) rest.Page[members.WorkspaceMember] {
	c.t.Helper()
	return decode[rest.Page[members.WorkspaceMember]](c.get("/v1/members" + query).want(200))
}

func (c *client) change(whom *client, body map[string]any) *answer {
	c.t.Helper()
	return c.json("PATCH", "/v1/members/"+whom.principal.UserID, body)
}

// Owners and admins see everybody, page by page and by name.
func TestListMembers(t *testing.T) {
	h := newHarness(t)
	for _, name := range []string{"Žofie Dvořák", "Zora Quist", "Anton Zofka"} {
		h.user(name, storage.RoleMember)
	}
	h.stranger()
	names := func(query string) (all []string) {
		for page := h.owner.members(query); ; page = h.owner.members(query + "&cursor=" + page.NextCursor) {
			for _, m := range page.Items {
				all = append(all, m.Name)
			}
			if page.NextCursor == "" {
				return all
			}
		}
	}
	for query, want := range map[string]string{
		"?limit=1":            "Anton Zofka, Zora Quist, Žofie Dvořák, Olga",
		"?limit=1&q=zof":      "Anton Zofka, Žofie Dvořák",
		"?limit=9&q=%C5%BDOF": "Anton Zofka, Žofie Dvořák",
		"?q=dvor+z":           "Žofie Dvořák",
		"?q=fie":              "",
		"?q=%25":              "",
		"?q=+":                "Anton Zofka, Zora Quist, Žofie Dvořák, Olga",
	} {
		if got := strings.Join(names(query), ", "); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	cursor := h.owner.members("?limit=1").NextCursor
	h.owner.get("/v1/members?q=zof&cursor="+cursor).problem(400, "bad_cursor")
	for _, m := range h.owner.members("").Items {
		if (m.LastActiveAt != nil) != (m.Name == "Olga") {
			t.Errorf("%s was last active at %v", m.Name, m.LastActiveAt)
		}
	}
	for _, role := range []storage.Role{storage.RoleMember, storage.Guest} {
		h.user("Not one who may", role).get("/v1/members").problem(403, "forbidden")
	}
	h.user("Ann", storage.Admin).get("/v1/members").want(200)
	h.scoped("read").get("/v1/members").problem(403, "insufficient_scope")
}

// Roles and who is let in are changed by who stands not below, and the last owner stays.
func TestChangeMembers(t *testing.T) {
	h := newHarness(t)
	ann, mia, gus, oscar := h.user("Ann", storage.Admin), h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest), h.user("Oscar", storage.Owner)
	max := h.user("Max", storage.RoleMember)
	if m := decode[members.WorkspaceMember](h.owner.change(mia, map[string]any{"role": "admin"}).want(200)); m.Role != storage.Admin || m.Name != "Mia" {
		t.Errorf("%+v", m)
	}
	mia.get("/v1/members").want(200) // at once, with the token that they had
	ann.change(mia, map[string]any{"role": "guest"}).want(200)
	mia.get("/v1/members").problem(403, "forbidden")
	for name, a := range map[string]*answer{
		"above oneself":         ann.change(gus, map[string]any{"role": "owner"}),
		"oneself up":            ann.change(ann, map[string]any{"role": "owner"}),
		"who stands above":      ann.change(oscar, map[string]any{"role": "guest"}),
		"who stands above out":  ann.change(oscar, map[string]any{"disabled": true}),
		"oneself out":           ann.change(ann, map[string]any{"disabled": true}),
		"by a member":           max.change(gus, map[string]any{"disabled": true}),
		"oneself, as a member":  max.change(max, map[string]any{"role": "admin"}),
		"two, of which one may": ann.change(ann, map[string]any{"role": "member", "disabled": true}),
	} {
		if a.problem(403, "forbidden"); t.Failed() {
			t.Fatal(name)
		}
	}
	for _, whom := range []*client{h.owner, gus, mia} { // guests may not know who there is
		mia.change(whom, map[string]any{"role": "admin"}).problem(404, "not_found")
	}
	if ann.me().Role != storage.Admin {
		t.Error("half of what was refused is done")
	}
	h.owner.json("PATCH", "/v1/members/"+storage.NewID(), map[string]any{"role": "admin"}).problem(404, "not_found")
	h.stranger().change(gus, map[string]any{"role": "admin"}).problem(404, "not_found")
	for _, body := range []string{`{"Role":"admin"}`, `{"role":"OWNER"}`, `{"role":"admin","name":"x"}`, `{"disabled":"yes"}`, `{"role":"member","role":"owner"}`} {
		if a := h.owner.send("PATCH", "/v1/members/"+gus.principal.UserID, strings.NewReader(body), "Content-Type", "application/json"); a.status != 422 && a.status != 400 {
			t.Errorf("%s is answered with %d", body, a.status)
		}
	}
	oscar.change(h.owner, map[string]any{"disabled": true}).want(200)
	h.owner.get("/v1/me").problem(401, "unauthorized")
	for _, body := range []map[string]any{{"role": "admin"}, {"role": "guest"}} {
		oscar.change(oscar, body).problem(409, "last_owner")
	}
	oscar.change(h.owner, map[string]any{"disabled": false}).want(200)
	h.owner.get("/v1/me").problem(401, "unauthorized") // what was ended stays ended
	oscar.change(oscar, map[string]any{"role": "member"}).want(200)
	if oscar.me().Role != storage.RoleMember {
		t.Error("an owner could not step down")
	}
	entries := string(oscar.harness.user("Olivia", storage.Owner).get("/v1/audit").want(200).body)
	for _, action := range []string{"user_role_changed", "user_disabled", "user_enabled"} {
		if !strings.Contains(entries, action) {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}

// A stream ends when its user has another role, and who comes back hears of it as what
// they are; so do the others, at once.
func TestRoleChangeIsHeard(t *testing.T) {
	h := newHarness(t)
	ann := h.user("Ann", storage.Admin)
	hers, owners := ann.listen(""), h.owner.listen("")
	made, _ := h.owner.invite(map[string]any{"role": "member"})
	said := func(e told) map[string]any { data, _ := e.data.Data.(map[string]any); return data }
	first := hers.next()
	if first.data.Type != storage.InvitationCreated || said(first)["invitation_id"] != made.ID {
		t.Errorf("heard %+v", first)
	}
	owners.next()
	h.owner.change(ann, map[string]any{"role": "guest"}).want(http.StatusOK)
	if e := owners.next(); e.data.Type != storage.UserUpdated || said(e)["role"] != "guest" || said(e)["user_id"] != ann.principal.UserID {
		t.Errorf("others hear %+v", e)
	}
	hers.wantEnd()
	again := ann.listen(first.id)
	if e := again.next(); e.data.Type != storage.UserUpdated || said(e)["role"] != "guest" {
		t.Errorf("who comes back hears %+v", e)
	}
	h.owner.invite(map[string]any{"role": "member"}) // which a guest does not hear of
	h.user("Eve", storage.RoleMember)
	h.owner.change(ann, map[string]any{"disabled": true}).want(http.StatusOK)
	again.wantEnd()
}
