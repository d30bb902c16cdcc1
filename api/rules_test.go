package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"hark/api/conversations"
	"hark/api/people"
	"hark/storage"
)

func (c *client) rule(body map[string]any) people.Rules {
	c.t.Helper()
	return decode[people.Rules](c.json("PATCH", "/v1/workspace/rules", body).want(200))
}

func (c *client) names() (names []string) {
	c.t.Helper()
	for _, u := range decode[struct{ Items []people.User }](c.get("/v1/users").want(200)).Items {
		names = append(names, u.Name)
	}
	return names
}

// Rules are changed by owners and admins, and hold at once: open streams of those for
// whom they changed end, and who comes back hears of it.
func TestRules(t *testing.T) {
	h := newHarness(t)
	mia, gus, ann := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest), h.user("Ann", storage.Admin)
	if got := decode[people.Rules](gus.get("/v1/workspace/rules").want(200)); got != people.Rules(storage.DefaultRules) {
		t.Errorf("by default %+v", got)
	}
	place := h.owner.conversation(mia)
	hers := mia.listen("")
	mia.json("POST", "/v1/conversations", map[string]any{"title": "mine"}).want(201)
	first := hers.next()
	if got := ann.rule(map[string]any{"create_channels": "admins", "invite_members": "members"}); got.CreateChannels != storage.ByAdmins || got.SeeDirectory != storage.ByMembers {
		t.Errorf("changed to %+v", got)
	}
	hers.wantEnd()
	again := mia.listen(first.id)
	if e := again.next(); e.data.Type != storage.WorkspaceUpdated {
		t.Errorf("who comes back hears %+v", e)
	}
	if me := mia.me(); me.Rules.CreateChannels != storage.ByAdmins {
		t.Errorf("she is %+v", me)
	}
	mia.json("POST", "/v1/conversations", map[string]any{"title": "mine"}).problem(403, "forbidden")
	mia.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{ann.principal.UserID}}).want(201)
	mia.json("POST", "/v1/invitations", map[string]any{"role": "member"}).want(201)
	mia.json("POST", "/v1/invitations", map[string]any{"role": "guest", "conversation_ids": []string{place}}).problem(403, "forbidden")
	if listed := mia.get("/v1/invitations").want(200); strings.Count(string(listed.body), `"state"`) != 1 {
		t.Errorf("listed are %s", listed.body)
	}
	mia.get("/v1/members").problem(403, "forbidden")
	for _, c := range []*client{mia, gus} {
		c.json("PATCH", "/v1/workspace/rules", map[string]any{"create_channels": "members"}).problem(403, "forbidden")
	}
	h.scoped("read", "write").json("PATCH", "/v1/workspace/rules", map[string]any{"create_channels": "members"}).problem(403, "insufficient_scope")
	for _, body := range []string{`{"Create_Channels":"members"}`, `{"create_channels":"MEMBERS"}`, `{"create_channels":"everyone"}`, `{"create_channels":""}`, `{"create_channels":"members","name":"x"}`, `{"create_channels":"admins","create_channels":"members"}`} {
		if a := h.owner.send("PATCH", "/v1/workspace/rules", strings.NewReader(body), "Content-Type", "application/json"); a.status != 422 && a.status != 400 {
			t.Errorf("%s is answered with %d", body, a.status)
		}
	}
	if got := decode[people.Rules](mia.get("/v1/workspace/rules").want(200)); got.CreateChannels != storage.ByAdmins {
		t.Errorf("what was refused was done: %+v", got)
	}
	if got := decode[people.Rules](h.stranger().get("/v1/workspace/rules").want(200)); got != people.Rules(storage.DefaultRules) {
		t.Errorf("elsewhere %+v", got)
	}
	entries := string(h.owner.get("/v1/audit?action=workspace_rule_changed").want(200).body)
	if strings.Count(entries, `"action"`) != 2 || !strings.Contains(entries, `"rule":"create_channels"`) {
		t.Errorf("audit log %s", entries)
	}
}

// A guest learns of nobody whom they share no conversation with, in whatever way they
// ask, and starts nothing; a member the same way, where only admins see the directory.
func TestGuestKnowsWhomTheyMeet(t *testing.T) {
	h := newHarness(t)
	mia, eve, gus := h.user("Mia", storage.RoleMember), h.user("Eve Unmet", storage.RoleMember), h.user("Gus", storage.Guest)
	room, other := h.owner.conversation(mia, gus), h.owner.conversation(mia, eve)
	h.finish(eve.record(other).ID, "secret words")
	h.finish(mia.record(room).ID, "public words")
	h.owner.json("POST", "/v1/invitations", map[string]any{"role": "member"}).want(201)
	if names := gus.names(); !slices.Equal(names, []string{"Olga", "Mia", "Gus"}) {
		t.Errorf("a guest knows %v", names)
	}
	unmet := eve.principal.UserID
	stream := gus.listen("")
	asked := map[string]*answer{
		"users": gus.get("/v1/users"), "me": gus.get("/v1/me"), "workspace": gus.get("/v1/workspace"), "conversations": gus.get("/v1/conversations"),
		"members": gus.get("/v1/conversations/" + room + "/members"), "other members": gus.get("/v1/conversations/" + other + "/members"),
		"recordings": gus.get("/v1/conversations/" + other + "/recordings"), "messages": gus.get("/v1/conversations/" + room + "/messages"),
		"by name": gus.get("/v1/search?q=unmet"), "by word": gus.get("/v1/search?q=secret"), "by author": gus.get("/v1/search?from=" + unmet),
		"roster": gus.get("/v1/members"), "invitations": gus.get("/v1/invitations"), "audit": gus.get("/v1/audit"),
		"add":    gus.json("POST", "/v1/conversations/"+room+"/members", map[string]any{"user_id": unmet}),
		"remove": gus.send("DELETE", "/v1/conversations/"+room+"/members/"+unmet, nil),
		"change": gus.json("PATCH", "/v1/members/"+unmet, map[string]any{"role": "guest"}),
		"direct": gus.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{unmet}}),
	}
	for name, a := range asked {
		if body := string(a.body); strings.Contains(body, "Unmet") || a.status < 300 && strings.Contains(body, unmet) || a.status >= 500 {
			t.Errorf("%s tells %d %s", name, a.status, body)
		}
	}
	// Who there is and who there is not is answered alike.
	nobody := storage.NewID()
	for name, pair := range map[string][2]*answer{
		"add":    {asked["add"], gus.json("POST", "/v1/conversations/"+room+"/members", map[string]any{"user_id": nobody})},
		"remove": {asked["remove"], gus.send("DELETE", "/v1/conversations/"+room+"/members/"+nobody, nil)},
		"change": {asked["change"], gus.json("PATCH", "/v1/members/"+nobody, map[string]any{"role": "guest"})},
		"direct": {asked["direct"], gus.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{nobody}})},
		"author": {asked["by author"], gus.get("/v1/search?from=" + nobody)},
	} {
		if pair[0].status != pair[1].status || strings.ReplaceAll(pair[0].anonymous(), unmet, nobody) != pair[1].anonymous() {
			t.Errorf("%s: %d %s, and of nobody %d %s", name, pair[0].status, pair[0].body, pair[1].status, pair[1].body)
		}
	}
	for name, status := range map[string]int{"add": 403, "remove": 404, "change": 404, "direct": 403, "roster": 403, "invitations": 403} {
		asked[name].want(status)
	}
	gus.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{mia.principal.UserID}}).problem(403, "forbidden")
	gus.json("POST", "/v1/conversations", map[string]any{"title": "mine"}).problem(403, "forbidden")
	gus.json("POST", "/v1/invitations", map[string]any{"role": "guest", "conversation_ids": []string{room}}).problem(403, "forbidden")

	eve.json("PATCH", "/v1/me", map[string]any{"name": "Eve Unmet the second"}).want(200)
	eve.record(other)
	mia.json("PATCH", "/v1/me", map[string]any{"name": "Mia the second"}).want(200)
	if e := stream.next(); e.data.Type != storage.UserUpdated || e.data.Data.(map[string]any)["name"] != "Mia the second" {
		t.Errorf("a guest hears %+v", e)
	}

	h.owner.rule(map[string]any{"see_directory": "admins"})
	max := h.user("Max", storage.RoleMember)
	if names := max.names(); !slices.Equal(names, []string{"Max"}) {
		t.Errorf("a member knows %v", names)
	}
	if names := eve.names(); !slices.Equal(names, []string{"Olga", "Mia the second", "Eve Unmet the second"}) {
		t.Errorf("a member who meets two knows %v", names)
	}
	max.json("POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{unmet}}).problem(http.StatusUnprocessableEntity, "validation_failed")
	if names := h.owner.names(); len(names) != 5 {
		t.Errorf("the owner knows %v", names)
	}
}

// A channel shows who is added what is said from then on, and nothing else of it: not by
// message, sound, signed address, download or transcript, and not on a stream.
func TestHistoryFromJoining(t *testing.T) {
	h := newHarness(t)
	mia, gus := h.user("Mia", storage.RoleMember), h.user("Gus", storage.Guest)
	made := decode[conversations.Conversation](h.owner.json("POST", "/v1/conversations", map[string]any{"title": "Quiet", "history": "from_joining", "member_ids": []string{mia.principal.UserID}}).want(201))
	if made.History != storage.HistoryFromJoining || made.ShownSince != nil {
		t.Errorf("made is %+v", made)
	}
	place := "/v1/conversations/" + made.ID
	old := mia.record(made.ID).ID
	h.finish(old, "secret words")
	h.owner.json("POST", place+"/members", map[string]any{"user_id": gus.principal.UserID}).want(204)
	stream := gus.listen("0") // from the very beginning
	for _, path := range []string{"", "/audio", "/audio?format=original", "/audio-url", "/waveform", "/transcript", "/transcript.json", "/transcript.vtt", "/transcript.srt", "/transcript.txt"} {
		gus.get("/v1/messages/"+old+path).problem(404, "not_found")
	}
	gus.get(place+"/messages?around="+old).problem(404, "not_found")
	for _, path := range []string{place + "/messages", "/v1/conversations", place, "/v1/search?q=secret", "/v1/search?conversation=" + made.ID} {
		if body := string(gus.get(path).want(200).body); strings.Contains(body, old) || strings.Contains(body, "secret") || strings.Contains(body, "last_message") {
			t.Errorf("%s tells %s", path, body)
		}
	}
	if c := decode[conversations.Conversation](gus.get(place).want(200)); c.ShownSince == nil || c.History != storage.HistoryFromJoining {
		t.Errorf("a newcomer sees %+v", c)
	}
	now := mia.record(made.ID).ID
	var heard []string
	for !slices.Contains(heard, now) {
		heard = append(heard, stream.next().data.MessageID)
	}
	if slices.Contains(heard, old) {
		t.Error("the stream tells of the past")
	}
	gus.get("/v1/messages/" + now).want(200)
	gus.json("PATCH", place, map[string]any{"history": "all"}).problem(403, "forbidden")
	for _, body := range []string{`{"History":"all"}`, `{"history":"ALL"}`, `{"history":"none"}`, `{"history":"all","shown_since":null}`} {
		if a := h.owner.send("PATCH", place, strings.NewReader(body), "Content-Type", "application/json"); a.status != 422 && a.status != 400 {
			t.Errorf("%s is answered with %d", body, a.status)
		}
	}
	if c := decode[conversations.Conversation](h.owner.json("PATCH", place, map[string]any{"history": "all"}).want(200)); c.History != storage.HistoryAll || c.Title != "Quiet" {
		t.Errorf("changed to %+v", c)
	}
	gus.get("/v1/messages/" + old + "/transcript").want(200)
	entries := string(h.owner.get("/v1/audit?action=history_changed").want(200).body)
	if !strings.Contains(entries, `"from":"from_joining"`) || !strings.Contains(entries, made.ID) {
		t.Errorf("audit log %s", entries)
	}
}
