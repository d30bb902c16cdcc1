package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/pion/webrtc/v4"

	"hark/api/openid"
	"hark/api/recorder"
	"hark/storage"
)

// bodyCase is a call of the description that takes JSON, and a body that it
// takes.
type bodyCase struct {
	op     *huma.Operation
	path   string
	schema *huma.Schema
	valid  map[string]any
}

// bodyCases are all of them, made from the description's own examples.
func bodyCases(h *harness, fill map[string]any, path func(string) string) []bodyCase {
	api := h.api.api.Description()
	var cases []bodyCase
	for _, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil || op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
				continue
			}
			schema := op.RequestBody.Content["application/json"].Schema
			if schema.Ref != "" {
				schema = api.Components.Schemas.SchemaFromRef(schema.Ref)
			}
			c := bodyCase{op: op, path: path(op.Path), schema: schema, valid: map[string]any{}}
			for name, property := range schema.Properties {
				switch value, filled := fill[name]; {
				case filled:
					c.valid[name] = value
				case len(property.Examples) > 0:
					c.valid[name] = property.Examples[0]
				default:
					c.valid[name] = false
				}
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// with is the valid body with one more.
func (c bodyCase) with(name string, value any) map[string]any {
	body := maps.Clone(c.valid)
	body[name] = value
	return body
}

// TestBodiesAreReadOneWay sends every call of the description bodies that two
// readers would read in two ways.
func TestBodiesAreReadOneWay(t *testing.T) {
	provider := configOf(newProvider(t, "http://hark.test"))
	provider.ID = "keycloak"
	h := liveHarness(t, recorder.Config{}, options{config: func(c *Config) { c.OpenID, c.CreateWorkspaces = []openid.Config{provider}, true }})
	conversation := h.owner.conversation()
	message := h.owner.record(conversation).ID
	session := h.owner.send("POST", "/v1/conversations/"+conversation+"/whip",
		strings.NewReader(offerOf(t, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").want(201).header.Get("Location")
	somebody := h.user("Mia", storage.RoleMember).principal.UserID
	bell, _ := h.integration(map[string]any{"name": "Bell"})
	cases := bodyCases(h, map[string]any{
		"user_id": somebody, "member_ids": []string{somebody}, "conversation_ids": []string{conversation},
		"ranges": []map[string]any{{"from_ms": 0, "to_ms": 4200}}, "messages": []map[string]any{{"id": message, "ranges": []map[string]any{{"from_ms": 0, "to_ms": 4200}}}},
		"quiet_hours": map[string]any{"from": "22:00", "to": "07:00"}, "state": "x", "credential": map[string]any{"id": "x"}, "passkey": map[string]any{"state": "x", "credential": map[string]any{"id": "x"}},
	}, func(path string) string {
		if strings.HasPrefix(path, "/v1/members/") {
			return strings.ReplaceAll(path, "{id}", somebody)
		}
		if strings.HasPrefix(path, "/v1/integrations/") {
			return strings.ReplaceAll(path, "{id}", bell.ID)
		}
		return strings.NewReplacer("{id}", idFor(path, conversation, message, h), "/v1/whip/{session}", session).Replace(path)
	})
	if len(cases) < 6 {
		t.Fatalf("only %d calls take JSON", len(cases))
	}
	browser := h.account(h.user("Zoe", storage.Admin), "zoe@example.org", aPassword)
	without := map[string]int{"create-passkey": http.StatusConflict, "step-up": http.StatusConflict, "update-passkey": http.StatusNotFound, "update-provisioned-group": http.StatusNotFound} // there are no passkeys here, and no groups
	for _, c := range cases {
		t.Run(c.op.OperationID, func(t *testing.T) {
			owner := *h.owner
			if slices.Contains([]string{"update-account", "step-up", "create-passkey", "update-passkey", "link-identity", "step-up-by-provider", "create-integration-token", "create-workspace"}, c.op.OperationID) { // which are for browsers
				owner = *browser
			}
			owner.t = t
			ask := func(body string) int {
				return owner.send(c.op.Method, c.path, strings.NewReader(body), "Content-Type", "application/json").status
			}
			refused := func(what, body string, statuses ...int) {
				t.Helper()
				if got := ask(body); !slices.Contains(statuses, got) {
					t.Errorf("%s: %d", what, got)
				}
			}
			if got := ask(printed(c.valid)); got >= 300 && got != without[c.op.OperationID] {
				t.Fatalf("the valid body %s is answered with %d", printed(c.valid), got)
			}
			refused("an unknown key", printed(c.with("colour", "red")), http.StatusUnprocessableEntity)
			for name, property := range c.schema.Properties {
				value := c.valid[name]
				for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], strings.ReplaceAll(name, "s", "\u017f")} {
					if other == name {
						continue
					}
					refused(other+" beside "+name, printed(c.with(other, value)), http.StatusUnprocessableEntity)
					alone := c.with(other, value)
					delete(alone, name)
					refused(other, printed(alone), http.StatusUnprocessableEntity)
				}
				again := fmt.Sprintf(`{%q:%s,%s`, name, printed(value), printed(c.valid)[1:])
				refused(name+" twice", again, http.StatusBadRequest, http.StatusUnprocessableEntity)
				for what, value := range tooMuch(property) {
					refused(name+" "+what, printed(c.with(name, value)), http.StatusUnprocessableEntity)
				}
			}
			whole := printed(c.valid)
			for what, body := range map[string]string{
				"more behind it": whole + "{}", "garbage behind it": whole + "x", "not UTF-8": strings.Replace(whole, "{", "{\"\xff\":1,", 1),
				"a NUL": strings.Replace(whole, "{", `{"\u0000":1,`, 1), "half a surrogate": strings.Replace(whole, "{", `{"\ud800":1,`, 1),
				"a huge number": strings.Replace(whole, "{", `{"n":1e999,`, 1), "too deep": strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
				"a twin below": strings.Replace(whole, "{", `{"o":{"a":1,"a":2},`, 1),
			} {
				refused(what, body, http.StatusBadRequest)
			}
		})
	}
}

// tooMuch are values just over the bounds of a property.
func tooMuch(property *huma.Schema) map[string]any {
	over := map[string]any{}
	if property.MaxLength != nil {
		over["too long"] = strings.Repeat("x", *property.MaxLength+1)
	}
	if property.Maximum != nil {
		over["too great"] = *property.Maximum + 1
	}
	if property.MaxItems != nil {
		over["too many"] = slices.Repeat([]string{storage.NewID()}, *property.MaxItems+1)
	}
	if len(property.Enum) > 0 {
		over["unknown"] = "x"
	}
	return over
}

func printed(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestQueriesAreReadOneWay asks every call of the description with parameters
// that it does not know, and with those that it does, twice.
func TestQueriesAreReadOneWay(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	message := h.owner.record(conversation).ID
	for path, item := range h.api.api.Description().Paths {
		there := strings.NewReplacer("{id}", idFor(path, conversation, message, h), "{user_id}", h.owner.principal.UserID, "{token_id}", h.owner.principal.CredentialID, "{session}", "NOSUCHSESSION").Replace(path)
		for _, op := range []*huma.Operation{item.Get, item.Head, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			queries := []string{"colour=red", "=", "a=1;b=2", "a=%zz"}
			for _, p := range op.Parameters {
				if p.In != "query" {
					continue
				}
				name := p.Name
				queries = append(queries, name+"=1&"+name+"=1", strings.ToUpper(name)+"=1", name+"=%00", name+"=%ff")
			}
			for _, query := range queries {
				got := h.owner.send(op.Method, there+"?"+query, nil).status
				if got == http.StatusUnauthorized && strings.HasPrefix(query, "signature=") {
					continue // an address that nobody signed
				}
				if got != http.StatusUnprocessableEntity {
					t.Errorf("%s %s?%s: %d", op.Method, path, query, got)
				}
			}
		}
	}
}
