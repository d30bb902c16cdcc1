package api

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/api/integrations"
	"hark/api/messages"
	"hark/api/people"
	"hark/api/recorder"
	"hark/api/rest"
	"hark/api/signin"
	"hark/storage"
)

// integration makes one as the owner, and returns it with who comes by a token of it.
func (h *harness) integration(body map[string]any) (integrations.Integration, *client) {
	h.t.Helper()
	made := decode[integrations.Integration](h.owner.json("POST", "/v1/integrations", body).want(http.StatusCreated))
	return made, h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: made.ID, Kind: made.Kind, Name: made.Name, Role: made.Role})
}

// An integration is made, gets a token in a browser, records, and is shown for what it is;
// what becomes of who made it ends nothing.
func TestIntegration(t *testing.T) {
	h := newHarness(t)
	ann := h.user("Ann", storage.Admin)
	talk := ann.conversation(h.owner)
	browser := h.account(ann, "ann@example.org", aPassword)
	made := decode[integrations.Integration](browser.json("POST", "/v1/integrations", map[string]any{
		"name": "Tide table", "description": "Reads it aloud", "conversation_ids": []string{talk},
	}).want(201))
	if made.Kind != storage.KindIntegration || made.Role != storage.Guest || made.Description != "Reads it aloud" || made.CreatedBy == nil || made.CreatedBy.Name != "Ann" || made.CreatedBy.Kind != "" {
		t.Errorf("made %+v", made)
	}
	at := "/v1/integrations/" + made.ID
	ann.json("POST", at+"/tokens", map[string]any{"name": "cron"}).problem(403, "forbidden") // a token, which it would outlive
	token := decode[signin.NewToken](browser.json("POST", at+"/tokens", map[string]any{"name": "cron"}).want(201))
	if !slices.Equal(token.Scopes, []string{"read", "record", "write"}) || token.ParentID != "" || token.Kind != storage.APIToken || token.Current {
		t.Errorf("token %+v", token)
	}
	bot := &client{harness: h, token: token.Secret, http: h.http.Client()}
	said := bot.record(talk)
	if said.Author.Kind != storage.KindIntegration || said.Author.Name != "Tide table" {
		t.Errorf("said by %+v", said.Author)
	}
	if me := bot.me(); me.Kind != storage.KindIntegration || me.Role != storage.Guest {
		t.Errorf("is %+v", me)
	}
	kinds := map[string]storage.UserKind{}
	for _, u := range decode[struct{ Items []people.User }](bot.get("/v1/users").want(200)).Items {
		kinds[u.Name] = u.Kind
	}
	if len(kinds) != 3 || kinds["Ann"] != storage.KindPerson || kinds["Tide table"] != storage.KindIntegration {
		t.Errorf("it sees %v", kinds)
	}
	for _, m := range h.owner.members("").Items {
		if (m.Kind == storage.KindIntegration) != (m.Name == "Tide table") {
			t.Errorf("listed as %+v", m)
		}
	}
	tokens := decode[struct{ Items []signin.Token }](h.owner.get(at + "/tokens").want(200)).Items
	if len(tokens) != 1 || tokens[0].LastUsedAt == nil || tokens[0].Address == "" || strings.Contains(string(h.owner.get(at+"/tokens").body), token.Secret) {
		t.Errorf("tokens %+v", tokens)
	}
	browser.json("DELETE", "/v1/tokens", nil).want(204) // all her others
	browser.send("POST", "/v1/sign-out", nil).want(200)
	bot.record(talk)
	h.owner.change(ann, map[string]any{"role": "guest"}).want(200)
	bot.record(talk)
	h.owner.change(ann, map[string]any{"disabled": true}).want(200)
	bot.record(talk)
	h.owner.send("DELETE", at+"/tokens/"+token.ID, nil).want(204)
	bot.get("/v1/me").problem(401, "unauthorized")
	h.owner.send("DELETE", at+"/tokens/"+token.ID, nil).problem(404, "not_found")
	if i := decode[integrations.Integration](h.owner.get(at).want(200)); i.LastActiveAt == nil {
		t.Errorf("%+v", i)
	}
}

// What is for people alone is not for an integration, whatever it asks.
func TestIntegrationManagesNothing(t *testing.T) {
	h := newHarness(t)
	h.owner.json("PATCH", "/v1/workspace/rules", map[string]any{"invite_members": "members", "invite_guests": "members"}).want(200)
	made, bot := h.integration(map[string]any{"name": "Bell", "role": "member"})
	eve := h.user("Eve", storage.RoleMember)
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		code         string
	}{
		{"PATCH", "/v1/me", map[string]any{"name": "Olga"}, 403, "forbidden"},
		{"POST", "/v1/tokens", map[string]any{"name": "more"}, 403, "insufficient_scope"},
		{"GET", "/v1/tokens", nil, 403, "insufficient_scope"},
		{"DELETE", "/v1/tokens", nil, 403, "insufficient_scope"},
		{"GET", "/v1/account", nil, 403, "insufficient_scope"},
		{"PATCH", "/v1/account", map[string]any{"email": "bell@example.org"}, 403, "insufficient_scope"},
		{"POST", "/v1/account/identities", map[string]any{"provider": "x"}, 403, "insufficient_scope"},
		{"POST", "/v1/step-up", map[string]any{"password": aPassword}, 403, "insufficient_scope"},
		{"POST", "/v1/passkeys/options", nil, 403, "insufficient_scope"},
		{"POST", "/v1/recovery-codes", nil, 403, "insufficient_scope"},
		{"POST", "/v1/invitations", map[string]any{"role": "member"}, 403, "insufficient_scope"},
		{"POST", "/v1/integrations", map[string]any{"name": "Child"}, 403, "insufficient_scope"},
		{"PATCH", "/v1/integrations/" + made.ID, map[string]any{"role": "member"}, 403, "insufficient_scope"},
		{"POST", "/v1/integrations/" + made.ID + "/tokens", map[string]any{"name": "more"}, 403, "insufficient_scope"},
		{"PATCH", "/v1/members/" + made.ID, map[string]any{"role": "admin"}, 403, "insufficient_scope"},
		{"PATCH", "/v1/workspace", map[string]any{"name": "Mine"}, 403, "insufficient_scope"},
		{"POST", "/v1/conversations", map[string]any{"kind": "direct", "member_ids": []string{eve.principal.UserID}}, 422, "validation_failed"}, // whom it does not meet
	} {
		if got := bot.json(c.method, c.path, c.body); got.status != c.status || !strings.Contains(string(got.body), `"`+c.code+`"`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.status, got.body)
		}
	}
	_, err := h.db.Authenticate(t.Context(), bot.token, storage.SessionToken)
	if err == nil {
		t.Error("its token is a session")
	}
	h.browser().get("/v1/me", "Cookie", "hark_session="+bot.token).problem(401, "unauthorized")
	for name, body := range map[string]string{
		"owner": `{"name":"x","role":"owner"}`, "admin": `{"name":"x","role":"admin"}`, "kind": `{"name":"x","kind":"person"}`, "another case": `{"name":"x","Role":"member"}`,
		"id": `{"name":"x","id":"` + storage.NewID() + `"}`, "maker": `{"name":"x","created_by":{"id":"` + storage.NewID() + `"}}`, "no name": `{"name":" "}`, "e-mail": `{"name":"x","email":"a@example.org"}`,
	} {
		if got := h.owner.send("POST", "/v1/integrations", strings.NewReader(body), "Content-Type", "application/json"); got.status != 422 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for name, body := range map[string]string{"kind": `{"kind":"person"}`, "owner": `{"role":"owner"}`, "another case": `{"ROLE":"admin"}`} {
		if got := h.owner.send("PATCH", "/v1/integrations/"+made.ID, strings.NewReader(body), "Content-Type", "application/json"); got.status != 422 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	h.owner.json("PATCH", "/v1/members/"+made.ID, map[string]any{"role": "owner"}).problem(403, "forbidden")
	h.owner.json("PATCH", "/v1/integrations/"+eve.principal.UserID, map[string]any{"name": "x"}).problem(404, "not_found")
	h.owner.get("/v1/integrations/"+eve.principal.UserID).problem(404, "not_found")
	browser := h.account(h.owner, anAddress, aPassword)
	for name, scopes := range map[string][]string{"admin": {"admin"}, "all": {"read", "write", "record", "admin"}} {
		p := browser.json("POST", "/v1/integrations/"+made.ID+"/tokens", map[string]any{"name": "x", "scopes": scopes}).problem(422, "validation_failed")
		if len(p.Errors) != 1 || p.Errors[0].Field != "body.scopes" {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
	stranger := h.stranger()
	theirs := h.account(stranger, "sven@example.org", aPassword)
	for _, c := range []*answer{
		stranger.get("/v1/integrations/" + made.ID), stranger.get("/v1/integrations/" + made.ID + "/tokens"),
		stranger.json("PATCH", "/v1/integrations/"+made.ID, map[string]any{"name": "Mine"}), stranger.send("DELETE", "/v1/integrations/"+made.ID, nil),
		theirs.json("POST", "/v1/integrations/"+made.ID+"/tokens", map[string]any{"name": "x"}),
		stranger.json("POST", "/v1/integrations", map[string]any{"name": "x", "conversation_ids": []string{h.owner.conversation()}}),
	} {
		c.problem(404, "not_found")
	}
	if list := decode[rest.Page[integrations.Integration]](stranger.get("/v1/integrations").want(200)); len(list.Items) != 0 {
		t.Errorf("elsewhere there are %+v", list.Items)
	}
}

// A token for one conversation is good there alone.
func TestIntegrationTokenOfOneConversation(t *testing.T) {
	h := newHarness(t)
	here, there := h.owner.conversation(), h.owner.conversation()
	made, _ := h.integration(map[string]any{"name": "Bell", "conversation_ids": []string{here, there}})
	browser := h.account(h.owner, anAddress, aPassword)
	token := decode[signin.NewToken](browser.json("POST", "/v1/integrations/"+made.ID+"/tokens", map[string]any{"name": "x", "scopes": []string{"record", "conversation:" + here}}).want(201))
	bot := &client{harness: h, token: token.Secret, http: h.http.Client()}
	bot.record(here)
	bot.send("POST", "/v1/conversations/"+there+"/messages", bytes.NewReader(sine(time.Second))).problem(404, "not_found")
	bot.get("/v1/conversations").problem(403, "insufficient_scope")
}

// Deactivated while it sends, listens and speaks: all of it ends, and what it said stays.
func TestIntegrationIsDeactivatedMeanwhile(t *testing.T) {
	h := liveHarness(t, recorder.Config{})
	talk := h.owner.conversation()
	made, bot := h.integration(map[string]any{"name": "Bell", "conversation_ids": []string{talk}})
	its := bot.listen("")
	s := bot.speak(talk, "")
	s.say(time.Second)
	s.hears("kept")
	bot.sendLate("POST", "/v1/conversations/"+talk+"/messages", "audio/wav", sine(time.Second), func() {
		h.owner.send("DELETE", "/v1/integrations/"+made.ID, nil).want(204)
	}).problem(401, "unauthorized")
	if ended := s.hears("ended"); ended["reason"] != "signed_out" {
		t.Errorf("told %v", ended)
	}
	for range its.events { // to its end
	}
	said := h.owner.awaitState(s.message, storage.Received)
	if said.Author.Name != "Bell" || said.Author.Kind != storage.KindIntegration || said.EndReason != "signed_out" || *said.DurationMS < 500 {
		t.Errorf("%+v", said)
	}
	if list := decode[rest.Page[messages.Message]](h.owner.get("/v1/conversations/" + talk + "/messages").want(200)); len(list.Items) != 1 {
		t.Errorf("%d messages", len(list.Items))
	}
	h.owner.send("DELETE", "/v1/integrations/"+made.ID, nil).want(204) // again
	back := decode[integrations.Integration](h.owner.json("PATCH", "/v1/integrations/"+made.ID, map[string]any{"disabled": false}).want(200))
	if back.Disabled || back.Name != "Bell" {
		t.Errorf("%+v", back)
	}
	bot.get("/v1/me").problem(401, "unauthorized")
	for _, action := range []string{"integration_created", "user_disabled", "user_enabled"} {
		if !strings.Contains(string(h.owner.get("/v1/audit?target="+made.ID).want(200).body), `"`+action+`"`) {
			t.Errorf("%s is not in the audit log", action)
		}
	}
}
