package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/api/limit"
	"hark/api/scim"
	"hark/storage"
)

const (
	scimUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
	scimPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// provider is an identity provider that acts as a user.
func (h *harness) provider(as storage.Principal) *client {
	h.t.Helper()
	token, secret, err := h.db.CreateToken(h.t.Context(), as.UserID, storage.NewToken{Kind: storage.APIToken, Name: "provider", Scopes: storage.Scopes(storage.ScopeProvision)})
	must(h.t, err)
	as.CredentialID, as.Scopes = token.ID, token.Scopes
	return &client{harness: h, token: secret, http: h.http.Client(), principal: as}
}

// scim asks for something below /scim/v2.
func (c *client) scim(method, path string, value any) *answer {
	c.t.Helper()
	path, query, _ := strings.Cut(path, "?")
	if query != "" {
		var pairs []string
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			pairs = append(pairs, name+"="+url.QueryEscape(value))
		}
		path += "?" + strings.Join(pairs, "&")
	}
	if value == nil {
		return c.send(method, scim.Path+path, nil)
	}
	body, isText := value.(string)
	if !isText {
		encoded, err := json.Marshal(value)
		must(c.t, err)
		body = string(encoded)
	}
	return c.send(method, scim.Path+path, strings.NewReader(body), "Content-Type", "application/scim+json")
}

// person makes one, and returns their id.
func (c *client) person(userName string) string {
	c.t.Helper()
	return decode[struct{ ID string }](c.scim("POST", "/Users", map[string]any{"schemas": []string{scimUser}, "userName": userName}).want(http.StatusCreated)).ID
}

// group makes one of persons, and returns its id.
func (c *client) group(name string, members ...string) string {
	c.t.Helper()
	return decode[struct{ ID string }](c.scim("POST", "/Groups", map[string]any{"schemas": []string{scimGroup}, "displayName": name, "members": memberValues(members)}).want(http.StatusCreated)).ID
}

func memberValues(ids []string) []map[string]string {
	values := []map[string]string{}
	for _, id := range ids {
		values = append(values, map[string]string{"value": id})
	}
	return values
}

func patchOf(op, path string, value any) map[string]any {
	one := map[string]any{"op": op}
	if path != "" {
		one["path"] = path
	}
	if value != nil {
		one["value"] = value
	}
	return map[string]any{"schemas": []string{scimPatch}, "Operations": []any{one}}
}

// TestSCIM asks what the RFC's examples ask, and what Entra ID and Okta do as they
// document it, in the order of testdata/scim.
func TestSCIM(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "scim", "*.json"))
	must(t, err)
	if len(files) != 3 {
		t.Fatal(files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			h := newHarness(t)
			provider := h.provider(h.owner.principal)
			text, err := os.ReadFile(file)
			must(t, err)
			var steps []struct {
				Name   string
				Ask    string
				Status int
				Keep   map[string]string
				Body   json.RawMessage
				Text   string
				Want   json.RawMessage
			}
			must(t, json.Unmarshal(text, &steps))
			kept := []string{"{none}", ""}
			for _, step := range steps {
				fill := strings.NewReplacer(kept...).Replace
				method, path, _ := strings.Cut(fill(step.Ask), " ")
				var body any
				if step.Text != "" {
					body = step.Text
				} else if step.Body != nil {
					body = fill(string(step.Body))
				}
				a := provider.scim(method, path, body)
				if a.status != step.Status {
					t.Fatalf("%s: status %d: %s", step.Name, a.status, a.body)
				}
				if len(a.body) > 0 && a.header.Get("Content-Type") != "application/scim+json" {
					t.Errorf("%s: %s", step.Name, a.header.Get("Content-Type"))
				}
				for name, from := range step.Keep {
					kept = append(kept, "{"+name+"}", decode[map[string]any](a)[from].(string))
				}
				fill = strings.NewReplacer(kept...).Replace
				if step.Want != nil {
					var want, got any
					must(t, json.Unmarshal([]byte(fill(string(step.Want))), &want))
					must(t, json.Unmarshal(a.body, &got))
					if differ := without(want, got, ""); differ != "" {
						t.Errorf("%s: %s in %s", step.Name, differ, a.body)
					}
				}
			}
			if check := must1(h.db.VerifyAudit(t.Context(), provider.principal.WorkspaceID, ""))(t); !check.OK() {
				t.Errorf("%+v", check)
			}
		})
	}
}

// without says what of want is not in got; null means that it is to be missing.
func without(want, got any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		has, _ := got.(map[string]any)
		for key, value := range want {
			if value == nil && has[key] != nil {
				return at + "." + key + " is there"
			}
			if differ := without(value, has[key], at+"."+key); differ != "" {
				return differ
			}
		}
	case []any:
		has, ok := got.([]any)
		if !ok || len(has) != len(want) {
			return fmt.Sprintf("%s is %v", at, got)
		}
		for i := range want {
			if differ := without(want[i], has[i], fmt.Sprintf("%s[%d]", at, i)); differ != "" {
				return differ
			}
		}
	default:
		if want != got {
			return fmt.Sprintf("%s is %v", at, got)
		}
	}
	return ""
}

// Nothing but a token of this scope opens SCIM, and it opens nothing else.
func TestSCIMToken(t *testing.T) {
	h := newHarness(t)
	provider, admin := h.provider(h.owner.principal), h.user("Ann", storage.Admin)
	for name, c := range map[string]*client{"nobody": {harness: h, http: h.http.Client()}, "wrong": {harness: h, http: h.http.Client(), token: "hark_x"}} {
		a := c.scim("GET", "/Users", nil).want(http.StatusUnauthorized)
		if got := decode[map[string]any](a); got["status"] != "401" || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %s, %v", name, a.body, a.header)
		}
	}
	if a := h.owner.scim("GET", "/Users", nil).want(http.StatusForbidden); !strings.Contains(a.header.Get("WWW-Authenticate"), `scope="scim"`) {
		t.Error(a.header)
	}
	for _, call := range []string{"GET /v1/me", "GET /v1/members", "GET /v1/tokens", "POST /v1/sign-out", "GET /v1/events", "GET /v1/provisioning", "GET /v1/conversations"} {
		method, path, _ := strings.Cut(call, " ")
		provider.send(method, path, nil).problem(http.StatusForbidden, "insufficient_scope")
	}
	provider.json("POST", "/v1/tokens", map[string]any{"name": "more"}).problem(http.StatusForbidden, "insufficient_scope")

	ctx := t.Context()
	for _, role := range []storage.Role{storage.RoleMember, storage.Guest} {
		_, _, err := h.db.CreateToken(ctx, h.user("Bob", role).principal.UserID, storage.NewToken{Kind: storage.APIToken, Scopes: storage.Scopes(storage.ScopeProvision)})
		if err == nil {
			t.Errorf("a %s has one", role)
		}
	}
	admin.json("POST", "/v1/tokens", map[string]any{"name": "x", "scopes": []string{"scim"}}).problem(http.StatusForbidden, "forbidden") // not by a token
	admin.json("POST", "/v1/tokens", map[string]any{"name": "x", "scopes": []string{"scim", "read"}}).problem(http.StatusUnprocessableEntity, "validation_failed")

	asAdmin := h.provider(admin.principal)
	asAdmin.scim("GET", "/Users", nil).want(http.StatusOK)
	member := storage.RoleMember
	_, err := h.db.ChangeMember(ctx, h.owner.principal, admin.principal.UserID, storage.MemberPatch{Role: &member})
	must(t, err)
	asAdmin.scim("GET", "/Users", nil).want(http.StatusForbidden)
	must(t, h.db.RevokeToken(ctx, h.owner.principal, provider.principal.CredentialID))
	provider.scim("GET", "/Users", nil).want(http.StatusUnauthorized)
}

// What somebody brings ends with active=false, and with DELETE; what they said stays.
func TestSCIMDeactivates(t *testing.T) {
	for name, act := range map[string]func(*client, string){
		"active": func(c *client, id string) {
			c.scim("PATCH", "/Users/"+id, patchOf("replace", "", map[string]any{"active": false})).want(http.StatusOK)
		},
		"delete": func(c *client, id string) { c.scim("DELETE", "/Users/"+id, nil).want(http.StatusNoContent) },
		"put": func(c *client, id string) {
			c.scim("PUT", "/Users/"+id, map[string]any{"schemas": []string{scimUser}, "userName": "ada@example.org", "active": "False"}).want(http.StatusOK)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			provider := h.provider(h.owner.principal)
			id := provider.person("ada@example.org")
			ada := h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: id, Role: storage.RoleMember})
			room := ada.conversation(h.owner)
			message := ada.record(room)
			events := ada.listen("")
			act(provider, id)
			events.wantEnd()
			ada.get("/v1/me").problem(http.StatusUnauthorized, "unauthorized")
			h.owner.get("/v1/messages/" + message.ID).want(http.StatusOK)
			if got := decode[struct {
				CreatedBy string `json:"created_by"`
			}](h.owner.get("/v1/conversations/" + room)); got.CreatedBy != h.owner.principal.UserID {
				t.Errorf("the channel is %+v", got)
			}
			again := decode[struct{ ID string }](provider.scim("POST", "/Users", map[string]any{"schemas": []string{scimUser}, "userName": "ada@example.org"}))
			if name == "delete" && again.ID != id || name != "delete" && again.ID != "" {
				t.Errorf("posted again: %+v", again)
			}
		})
	}
}

// Owners, and who the provider is, are not its to change; nor is another workspace.
func TestSCIMFixed(t *testing.T) {
	h := newHarness(t)
	admin := h.user("Ann", storage.Admin)
	for id, address := range map[string]string{h.owner.principal.UserID: "olga@example.org", admin.principal.UserID: "ann@example.org"} {
		must(t, h.db.SetEmail(t.Context(), id, address))
	}
	provider := h.provider(admin.principal)
	for _, id := range []string{h.owner.principal.UserID, admin.principal.UserID} {
		for _, a := range []*answer{
			provider.scim("PATCH", "/Users/"+id, patchOf("replace", "active", false)),
			provider.scim("PATCH", "/Users/"+id, patchOf("replace", "displayName", "Nobody")),
			provider.scim("DELETE", "/Users/"+id, nil),
		} {
			if got := decode[map[string]any](a.want(http.StatusBadRequest)); got["scimType"] != "mutability" {
				t.Errorf("%s", a.body)
			}
		}
		provider.scim("PATCH", "/Users/"+id, patchOf("replace", "active", true)).want(http.StatusOK) // as it is
	}
	provider.scim("POST", "/Users", map[string]any{"schemas": []string{scimUser}, "userName": "Olga@example.org"}).want(http.StatusConflict)

	stranger := h.stranger()
	must(t, h.db.SetEmail(t.Context(), stranger.principal.UserID, "sven@example.org"))
	there := h.provider(stranger.principal)
	id, other := provider.person("cy@example.org"), there.person("dan@example.org")
	for _, a := range []*answer{
		there.scim("GET", "/Users/"+id, nil), there.scim("DELETE", "/Users/"+id, nil), there.scim("PATCH", "/Users/"+id, patchOf("replace", "active", false)),
		there.scim("GET", "/Groups/"+provider.group("here", id), nil),
	} {
		a.want(http.StatusNotFound)
	}
	there.scim("POST", "/Groups", map[string]any{"schemas": []string{scimGroup}, "displayName": "x", "members": memberValues([]string{id})}).want(http.StatusBadRequest)
	for _, filter := range []string{`id eq "` + id + `"`, `userName eq "cy@example.org"`, `externalId pr or userName co "cy"`} {
		if got := decode[struct{ TotalResults int }](there.scim("GET", "/Users?filter="+filter, nil).want(http.StatusOK)); got.TotalResults != 0 {
			t.Errorf("%s finds %d", filter, got.TotalResults)
		}
	}

	// An address that somebody elsewhere signs in by stays theirs, whatever a provider says.
	mine := provider.person("sven@example.org")
	account := must1(h.db.AccountByEmail(t.Context(), "sven@example.org", ""))(t)
	if account.UserID != stranger.principal.UserID {
		t.Errorf("%+v", account)
	}
	provider.scim("PATCH", "/Users/"+id, patchOf("replace", `emails[type eq "work"].value`, "sven@example.org")).want(http.StatusConflict)
	provider.scim("PATCH", "/Users/"+mine, patchOf("replace", "active", false)).want(http.StatusOK)
	stranger.get("/v1/me").want(http.StatusOK)
	there.scim("GET", "/Users/"+other, nil).want(http.StatusOK)

	// Nor is one that somebody chose themselves changed.
	cy := h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: id, Role: storage.RoleMember})
	must(t, h.db.SetEmail(t.Context(), cy.principal.UserID, "cyd@example.org"))
	a := provider.scim("PATCH", "/Users/"+id, patchOf("replace", "emails", []map[string]string{{"value": "mallory@example.org"}})).want(http.StatusBadRequest)
	if !strings.Contains(string(a.body), "chose the e-mail address") {
		t.Errorf("%s", a.body)
	}
}

// Whoever calls themselves otherwise goes on doing so, until the provider has another name.
func TestSCIMNames(t *testing.T) {
	h := newHarness(t)
	provider := h.provider(h.owner.principal)
	whole := map[string]any{"schemas": []string{scimUser}, "userName": "ada@example.org", "displayName": "Ada Byron", "active": true}
	id := decode[struct{ ID string }](provider.scim("POST", "/Users", whole).want(http.StatusCreated)).ID
	ada := h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: id, Role: storage.RoleMember})
	ada.json("PATCH", "/v1/me", map[string]any{"name": "Countess"}).want(http.StatusOK)
	for _, step := range []struct{ put, want string }{{"Ada Byron", "Countess"}, {"Ada Byron", "Countess"}, {"Ada Lovelace", "Ada Lovelace"}} {
		whole["displayName"] = step.put
		provider.scim("PUT", "/Users/"+id, whole).want(http.StatusOK)
		provider.scim("PATCH", "/Users/"+id, patchOf("replace", "externalId", step.put+"1")).want(http.StatusOK)
		if got := decode[map[string]any](provider.scim("GET", "/Users/"+id, nil))["displayName"]; got != step.want {
			t.Errorf("after %s: %v", step.put, got)
		}
	}
}

// Two who make the same person at once make one, and no change of two at once is lost.
func TestSCIMAtOnce(t *testing.T) {
	h := newHarness(t)
	provider := h.provider(h.owner.principal)
	statuses := make(chan int, 8)
	var all sync.WaitGroup
	for range cap(statuses) {
		all.Go(func() {
			statuses <- provider.scim("POST", "/Users", map[string]any{"schemas": []string{scimUser}, "userName": "ada@example.org"}).status
		})
	}
	all.Wait()
	close(statuses)
	seen := map[int]int{}
	for status := range statuses {
		seen[status]++
	}
	if seen[http.StatusCreated] != 1 || seen[http.StatusConflict] != 7 {
		t.Errorf("%v", seen)
	}
	var ids []string
	for i := range 6 {
		ids = append(ids, provider.person(fmt.Sprintf("p%d@example.org", i)))
	}
	group := provider.group("all")
	for _, id := range ids {
		all.Go(func() {
			provider.scim("PATCH", "/Groups/"+group, patchOf("add", "members", memberValues([]string{id}))).want(http.StatusNoContent)
			provider.scim("PATCH", "/Users/"+ids[0], patchOf("replace", map[bool]string{true: "name.givenName", false: "name.familyName"}[id == ids[1]], "x")).want(http.StatusOK)
		})
	}
	all.Wait()
	if got := decode[struct{ Members []any }](provider.scim("GET", "/Groups/"+group, nil)); len(got.Members) != len(ids) {
		t.Errorf("%d members", len(got.Members))
	}
	if got := decode[struct{ Name map[string]string }](provider.scim("GET", "/Users/"+ids[0], nil)); got.Name["givenName"] != "x" || got.Name["familyName"] != "x" {
		t.Errorf("%v", got.Name)
	}
}

// Bounds say which they are.
func TestSCIMBounds(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.Limits = limit.Config{Provisioning: limit.Rate{N: 12, Per: time.Hour}} }})
	provider := h.provider(h.owner.principal)
	provider.send("POST", scim.Path+"/Users", bytes.NewReader(bytes.Repeat([]byte(" "), 1<<20+1))).want(http.StatusRequestEntityTooLarge)
	provider.scim("PATCH", "/Users/"+storage.NewID(), `{"schemas":["`+scimPatch+`"],"Operations":[`+strings.Repeat(`{"op":"add","path":"title","value":"x"},`, 1001)+`{"op":"add"}]}`).want(http.StatusBadRequest)
	provider.scim("POST", "/Users", `{"schemas":["`+scimUser+`"],"userName":"a","userName":"b"}`).want(http.StatusBadRequest)
	provider.scim("POST", "/Users", `{"schemas":["`+scimUser+`"],"userName":"a","USERNAME":"b"}`).want(http.StatusBadRequest)
	provider.scim("POST", "/Users", map[string]any{"schemas": []string{scimUser}, "userName": strings.Repeat("x", 257)}).want(http.StatusBadRequest)
	for _, filter := range []string{strings.Repeat("(", 900) + `userName eq "x"` + strings.Repeat(")", 900), strings.Repeat("not (", 41) + `userName pr` + strings.Repeat(")", 41), strings.Repeat(`userName eq "x" or `, 60) + `userName pr`} {
		began := time.Now()
		if a := provider.scim("GET", "/Users?filter="+filter, nil); a.status != http.StatusBadRequest && filter[0] != '(' {
			t.Errorf("status %d", a.status)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a filter took %s", took)
		}
	}
	provider.scim("GET", "/Users?count=x", nil).want(http.StatusBadRequest)
	provider.scim("GET", "/Users?count=100000&startIndex=9999999999", nil).want(http.StatusOK)
	provider.scim("GET", "/Users/..%2fGroups", nil)
	provider.scim("GET", "/Users", nil).want(http.StatusOK)
	a := provider.scim("GET", "/Users", nil).want(http.StatusTooManyRequests)
	if a.header.Get("Retry-After") == "" || decode[map[string]any](a)["status"] != "429" {
		t.Errorf("%v %s", a.header, a.body)
	}
	h.provider(h.owner.principal).scim("GET", "/Users", nil).want(http.StatusOK) // another token is its own
}

func must1[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// What went wrong in other servers, as public reports have it, does not here.
func TestSCIMReports(t *testing.T) {
	h := newHarness(t)
	provider := h.provider(h.owner.principal)
	ada := h.user("Ada", storage.RoleMember)
	must(t, h.db.SetEmail(t.Context(), ada.principal.UserID, "ada@example.org"))
	whole := func(more map[string]any) map[string]any {
		more["schemas"] = []string{scimUser}
		return more
	}
	patch := func(id string, operations ...map[string]any) *answer {
		return provider.scim("PATCH", id, map[string]any{"schemas": []string{scimPatch}, "Operations": operations})
	}

	// Somebody who was there is not taken over by their address: not adopted, nor given another.
	for _, body := range []map[string]any{
		{"userName": "ADA@example.org"}, {"userName": "other", "emails": []map[string]string{{"value": "Ada@Example.org"}}}, {"userName": "ada@example.org", "id": ada.principal.UserID, "externalId": "x"},
	} {
		provider.scim("POST", "/Users", whole(body)).want(http.StatusConflict)
	}
	adaPath := "/Users/" + ada.principal.UserID
	patch(adaPath, map[string]any{"op": "replace", "path": "externalId", "value": "x1"}).want(http.StatusOK)
	for _, operation := range []map[string]any{
		{"op": "replace", "path": "emails", "value": []map[string]string{{"value": "mallory@example.org"}}},
		{"op": "add", "value": map[string]any{"emails": []map[string]any{{"value": "mallory@example.org", "primary": true}}}},
		{"op": "replace", "path": `emails[type eq "work"].value`, "value": "mallory@example.org"},
	} {
		patch(adaPath, operation).want(http.StatusBadRequest)
	}
	patch(adaPath, map[string]any{"op": "replace", "path": "userName", "value": "mallory@example.org"}).want(http.StatusOK)
	if account := must1(h.db.AccountByEmail(t.Context(), "ada@example.org", ""))(t); account.UserID != ada.principal.UserID {
		t.Errorf("%+v", account)
	}

	// A password and a role that come along are not taken; an id of the client's is not used.
	id := decode[struct{ ID string }](provider.scim("POST", "/Users", whole(map[string]any{
		"userName": "cy@example.org", "password": "chosen by another", "roles": []map[string]any{{"value": "owner"}}, "id": ada.principal.UserID, "role": "owner", "Role": "owner",
	})).want(http.StatusCreated)).ID
	patch("/Users/"+id, map[string]any{"op": "replace", "path": "roles", "value": []map[string]string{{"value": "owner"}}}).want(http.StatusOK)
	if account := must1(h.db.AccountByEmail(t.Context(), "cy@example.org", ""))(t); account.PasswordHash != "" || account.UserID != id || id == ada.principal.UserID {
		t.Errorf("%+v", account)
	}
	// Who is active is made active again, each cycle.
	patch("/Users/"+id, map[string]any{"op": "Replace", "path": "active", "value": "True"}).want(http.StatusOK)

	// Members go only where they are named.
	var ids []string
	for i := range 5 {
		ids = append(ids, provider.person(fmt.Sprintf("m%d@example.org", i)))
	}
	group := "/Groups/" + provider.group("All", ids...)
	members := func(want ...string) {
		t.Helper()
		got := []string{}
		for _, one := range decode[struct{ Members []struct{ Value string } }](provider.scim("GET", group, nil)).Members {
			got = append(got, one.Value)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, not %v", got, want)
		}
	}
	patch(group, map[string]any{"op": "replace", "value": map[string]any{"displayName": "Everybody"}}).want(http.StatusNoContent)
	patch(group, map[string]any{"op": "replace", "path": "externalId", "value": "e"}).want(http.StatusNoContent)
	patch(group, map[string]any{"op": "replace", "path": "displayName", "value": "All"}).want(http.StatusNoContent)
	for _, operation := range []map[string]any{
		{"op": "add", "path": "members"},
		{"op": "replace", "path": "members"},
		{"op": "replace", "path": "members", "value": nil},
		{"op": "replace", "value": map[string]any{"members": nil}},
		{"op": "replace", "path": "members", "value": []map[string]string{{"display": "x"}}},
		{"op": "replace", "path": "members", "value": "x"},
		{"op": "replace", "path": `members[value eq "x"]`, "value": []map[string]string{{"value": ids[0]}}},
	} {
		patch(group, operation).want(http.StatusBadRequest)
	}
	patch(group, map[string]any{"op": "remove", "path": "members", "value": []string{}}).want(http.StatusNoContent)
	members(ids...)
	patch(group, map[string]any{"op": "remove", "path": `members[value eq "` + ids[0] + `"]`}, map[string]any{"op": "remove", "path": `members[value eq "` + ids[2] + `" or value eq "` + ids[4] + `"]`}).want(http.StatusNoContent)
	members(ids[1], ids[3])
	patch(group, map[string]any{"op": "add", "path": "members", "value": []map[string]string{{"value": ids[3]}, {"value": ids[0]}}}).want(http.StatusNoContent)
	members(ids[0], ids[1], ids[3])
	patch(group, map[string]any{"op": "replace", "path": "members", "value": []string{}}).want(http.StatusNoContent)
	members()

	// Filters are the same in any case, and hold what they hold.
	provider.scim("POST", "/Users", whole(map[string]any{"userName": "a+b*c'd@example.org"})).want(http.StatusCreated)
	for filter, want := range map[string]int{
		`userName EQ "M0@example.org" AND Active Eq True`: 1, `userName eq "a+b*c'd@example.org"`: 1, `userName eq "a*"`: 0, `userName co "+b*"`: 1,
		`userName eq "m0@example.org" OR userName eq "m1@example.org"`: 2, `userName eq "\u006D0@example.org"`: 1, `userName eq "m0@example.org\" or active eq true or userName eq \""`: 0,
	} {
		a := provider.scim("GET", "/Users?filter="+filter, nil)
		if got := decode[struct{ TotalResults int }](a).TotalResults; a.status != http.StatusOK || got != want {
			t.Errorf("%s: %d, not %d: %s", filter, got, want, a.body)
		}
	}
}
