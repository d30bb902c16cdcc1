package api

import (
	"reflect"
	"strings"
	"testing"

	"hark/api/conversations"
	"hark/api/messages"
	"hark/api/people"
	"hark/storage"
)

func TestNames(t *testing.T) {
	h := newHarness(t)
	mia, gus := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest)
	boss := h.user("Ari", storage.Admin)
	conversation := h.owner.conversation(mia)
	said := mia.record(conversation)

	me := decode[people.Me](mia.json("PATCH", "/v1/me", map[string]any{"name": " Mia \u202eX\u0007 "}).want(200))
	if me.Name != "Mia X" || me.Color != 1 || me.NeedsNames || me.WorkspaceName != "First" {
		t.Errorf("%+v", me)
	}
	if got := decode[people.Me](mia.get("/v1/me").want(200)); got != me {
		t.Errorf("%+v, and then %+v", me, got)
	}
	if m := decode[messages.Message](h.owner.get("/v1/messages/" + said.ID).want(200)); m.Author != (people.Author{ID: mia.principal.UserID, Name: "Mia X", Color: 1}) {
		t.Errorf("%+v", m.Author)
	}
	if body := string(h.owner.get("/v1/conversations/" + conversation + "/members").want(200).body); !strings.Contains(body, `"name":"Mia X","color":1`) {
		t.Errorf("%s", body)
	}
	if body := string(h.owner.get("/v1/users").want(200).body); !strings.Contains(body, `"name":"Mia X","color":1`) || !strings.Contains(body, `"name":"Olga","color":0`) {
		t.Errorf("%s", body)
	}
	// Several may have one name.
	if got := decode[people.Me](gus.json("PATCH", "/v1/me", map[string]any{"name": "Mia X"}).want(200)); got.ID != gus.principal.UserID {
		t.Errorf("%+v", got)
	}
	for _, c := range []*client{h.owner, boss} {
		if got := decode[people.Workspace](c.json("PATCH", "/v1/workspace", map[string]any{"name": "Harbour " + c.principal.UserName}).want(200)); got.Name != "Harbour "+c.principal.UserName || got.ID != h.owner.principal.WorkspaceID {
			t.Errorf("%+v", got)
		}
	}
	for _, c := range []*client{mia, gus} {
		c.json("PATCH", "/v1/workspace", map[string]any{"name": "Mine"}).problem(403, "forbidden")
		if got := decode[people.Workspace](c.get("/v1/workspace").want(200)); got.Name != "Harbour Ari" {
			t.Errorf("%+v", got)
		}
	}
	if got := decode[people.Workspace](h.stranger().get("/v1/workspace").want(200)); got.Name != "Second" {
		t.Errorf("elsewhere %+v", got)
	}
	nobody := *mia
	nobody.token = ""
	for _, path := range []string{"/v1/me", "/v1/workspace"} {
		nobody.json("PATCH", path, map[string]any{"name": "X"}).problem(401, "unauthorized")
		nobody.get(path).problem(401, "unauthorized")
		for _, body := range []map[string]any{{"name": ""}, {"name": " \u200b"}, {"name": strings.Repeat("x", 81)}, {"name": strings.Repeat("x", 401)}, {"name": 7}, {"name": "x", "role": "owner"}} {
			if p := h.owner.json("PATCH", path, body).problem(422, "validation_failed"); len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Field, "body") {
				t.Errorf("%v: %+v", body, p)
			}
		}
		h.owner.json("PATCH", path, map[string]any{"name": strings.Repeat("é", 80)}).want(200)
	}
}

// Nobody has chosen what the first start called them.
func TestNeedsNames(t *testing.T) {
	h := newHarness(t, options{first: true})
	needs := func(c *client) bool { return decode[people.Me](c.get("/v1/me").want(200)).NeedsNames }
	if !needs(h.owner) {
		t.Error("the owner of a new workspace is not asked")
	}
	mia := h.user("Mia", storage.Admin)
	if needs(mia) {
		t.Error("somebody who was given a name is asked")
	}
	if general := decode[people.Me](mia.get("/v1/me").want(200)).GeneralID; decode[conversations.Conversation](mia.get("/v1/conversations/"+general).want(200)).Title != "General" {
		t.Error("somebody new is not in General")
	}
	h.owner.json("PATCH", "/v1/me", map[string]any{"name": "Owner"}).want(200)
	if !needs(h.owner) {
		t.Error("the name of the workspace is not asked for")
	}
	h.owner.json("PATCH", "/v1/workspace", map[string]any{"name": "Hark"}).want(200)
	if needs(h.owner) {
		t.Error("names that were chosen are asked for again")
	}
}

func TestDirectConversationOnce(t *testing.T) {
	h := newHarness(t)
	mia, gus := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest)
	ask := func(by, with *client) *answer {
		return by.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{with.principal.UserID}})
	}
	made := ask(h.owner, mia).want(201)
	for _, again := range []*answer{ask(h.owner, mia), ask(mia, h.owner)} {
		again.want(200)
		if string(again.body) != string(made.body) || again.header.Get("Location") != made.header.Get("Location") {
			t.Errorf("%s, and then %s", made.body, again.body)
		}
	}
	ask(gus, h.owner).problem(403, "forbidden")
	ask(h.owner, gus).want(201)
	if ids := h.owner.conversation(mia); ids == h.owner.conversation(mia) {
		t.Error("channels are the same")
	}
}

// A stream tells of new names, and of new people.
func TestEventsOfPeople(t *testing.T) {
	h := newHarness(t)
	mia, gus := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest)
	streams := map[*client]*listener{mia: mia.listen(""), gus: gus.listen("")}
	h.owner.json("PATCH", "/v1/me", map[string]any{"name": "Olga B"}).want(200)
	h.owner.json("PATCH", "/v1/workspace", map[string]any{"name": "Harbour"}).want(200)
	ida := h.user("Ida", storage.RoleMember)
	h.owner.conversation(mia, gus)
	of := func(id, name, role string) map[string]any {
		return map[string]any{"user_id": id, "name": name, "role": role, "disabled": false, "kind": "person", "picture_version": "", "pronunciation_version": ""}
	}
	type told struct {
		kind storage.EventType
		data any
	}
	for c, want := range map[*client][]told{
		mia: {
			{storage.UserUpdated, of(h.owner.principal.UserID, "Olga B", "owner")},
			{storage.WorkspaceUpdated, map[string]any{"name": "Harbour"}},
			{storage.UserCreated, of(ida.principal.UserID, "Ida", "member")},
			{storage.ConversationCreated, nil},
		},
		gus: {{storage.WorkspaceUpdated, map[string]any{"name": "Harbour"}}, {storage.ConversationCreated, nil}}, // who shares no conversation with the others
	} {
		for _, next := range want {
			if e := streams[c].next(); e.data.Type != next.kind || !reflect.DeepEqual(e.data.Data, next.data) || e.id == "" {
				t.Errorf("%s hears of %+v, not %+v", c.principal.UserName, e.data, next)
			}
		}
	}
}
