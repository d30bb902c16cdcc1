package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sort"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/pion/webrtc/v4"

	"hark/api/recorder"
	"hark/storage"
)

// TestIsolation asks every call of the description for things of a
// conversation that one is not in, of another workspace, and that never were.
// All three are answered alike.
func TestIsolation(t *testing.T) {
	h := liveHarness(t, recorder.Config{})
	conversation := h.owner.conversation()
	session := h.owner.send("POST", "/v1/conversations/"+conversation+"/whip",
		strings.NewReader(offerOf(t, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").want(201).header.Get("Location")
	message := h.owner.record(conversation).ID
	h.finish(message, "a secret")
	outsider, stranger := h.user("Mia", storage.RoleMember), h.stranger()
	boss := h.user("Ari", storage.Admin) // an admin who is not in the conversation is outside of it too

	for _, route := range routesWithIDs(h.api) {
		if route.path == "/v1/account/workspaces/{id}/switch" { // refuses tokens whatever they name; TestSwitchWorkspace asks as browsers do
			continue
		}
		t.Run(route.method+" "+route.path, func(t *testing.T) {
			there := strings.NewReplacer("{id}", idFor(route.path, conversation, message, h), "{user_id}", h.owner.principal.UserID,
				"/v1/whip/{session}", session).Replace(route.path)
			nowhere := strings.NewReplacer("{id}", storage.NewID(), "{user_id}", storage.NewID(), "{session}", "NOSUCHSESSION").Replace(route.path)
			malformed := strings.NewReplacer("{id}", "0", "{user_id}", "%00", "{session}", "%00").Replace(route.path)
			want := outsider.ask(route, nowhere)
			if want.status != http.StatusNotFound {
				t.Fatalf("what never was is answered with %d: %s", want.status, want.body)
			}
			answers := map[string]*answer{
				"a non-member":      outsider.ask(route, there),
				"another workspace": stranger.ask(route, there),
				"no id":             outsider.ask(route, malformed),
				"an admin":          boss.ask(route, there), // to whom the owner's tokens are not there, either
			}
			for name, got := range answers {
				if got.status != want.status || got.anonymous() != want.anonymous() || got.headerNames() != want.headerNames() {
					t.Errorf("%s gets %d %s %s; what never was gives %d %s %s", name,
						got.status, got.anonymous(), got.headerNames(), want.status, want.anonymous(), want.headerNames())
				}
			}
			nobody := *outsider
			nobody.token = ""
			if a := nobody.ask(route, there); a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("nobody gets %d", a.status)
			}
			nobody.token = "hark_made_up"
			if a := nobody.ask(route, there); a.status != http.StatusUnauthorized {
				t.Errorf("a made-up token gets %d", a.status)
			}
		})
	}
	for _, path := range []string{"/v1/conversations", "/v1/search?q=secret"} {
		for _, c := range []*client{outsider, boss, stranger} {
			if body := string(c.get(path).want(200).body); strings.Contains(body, conversation) || strings.Contains(body, message) {
				t.Errorf("%s tells of it: %s", path, body)
			}
		}
	}
	h.owner.get("/v1/messages/" + message).want(200)
}

type route struct{ method, path string }

// routesWithIDs are all calls that name something.
func routesWithIDs(s *Server) []route {
	var routes []route
	for path, item := range s.api.Description().Paths {
		if !strings.Contains(path, "{") {
			continue
		}
		for _, op := range []*huma.Operation{item.Get, item.Head, item.Post, item.Patch, item.Delete} {
			if op != nil {
				routes = append(routes, route{op.Method, path})
			}
		}
	}
	sort.Slice(routes, func(i, j int) bool { return routes[i].path+routes[i].method < routes[j].path+routes[j].method })
	return routes
}

func idFor(path, conversation, message string, h *harness) string {
	switch {
	case strings.HasPrefix(path, "/v1/conversations/"):
		return conversation
	case strings.HasPrefix(path, "/v1/tokens/"):
		return h.owner.principal.CredentialID
	}
	return message
}

// ask makes a request that would do, if one were allowed to.
func (c *client) ask(r route, path string) *answer {
	c.t.Helper()
	switch {
	case r.method == "PATCH" && strings.HasPrefix(r.path, "/v1/passkeys/"):
		return c.json(r.method, path, map[string]any{"name": "other"})
	case r.method == "POST" && strings.HasSuffix(r.path, "/messages"):
		return c.send(r.method, path, bytes.NewReader(sine(1e9)))
	case r.method == "POST" && strings.HasSuffix(r.path, "/members"):
		return c.json(r.method, path, map[string]any{"user_id": c.principal.UserID})
	case r.method == "PATCH" && (strings.HasPrefix(r.path, "/v1/members/") || strings.HasPrefix(r.path, "/v1/provisioning/")):
		return c.json(r.method, path, map[string]any{"role": "guest"})
	case strings.HasPrefix(r.path, "/v1/integrations/") && r.method == "PATCH", strings.HasSuffix(r.path, "/tokens") && r.method == "POST":
		return c.json(r.method, path, map[string]any{"name": "other"})
	case strings.HasSuffix(r.path, "/heard") && r.method == "PUT":
		return c.json(r.method, path, map[string]any{"ranges": []map[string]any{{"from_ms": 0, "to_ms": 1}}})
	case strings.HasSuffix(r.path, "/picture") && r.method == "PUT":
		return c.send(r.method, path, bytes.NewReader(pngOf(c.t, 8)))
	case r.method == "PATCH":
		return c.json(r.method, path, map[string]any{"title": "Mine"})
	}
	return c.send(r.method, path, nil)
}

// anonymous is a problem without what differs between requests.
func (a *answer) anonymous() string {
	var p map[string]any
	if json.Unmarshal(a.body, &p) != nil {
		return string(a.body)
	}
	delete(p, "request_id")
	delete(p, "instance")
	printed, _ := json.Marshal(p)
	return string(printed)
}

func (a *answer) headerNames() string {
	names := make([]string, 0, len(a.header))
	for name := range a.header {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, " ")
}
