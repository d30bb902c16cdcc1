package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/signin"
	"hark/storage"
)

// scoped is the owner with a token that has only some scopes.
func (h *harness) scoped(scopes ...string) *client {
	h.t.Helper()
	made := decode[signin.NewToken](h.owner.json("POST", "/v1/tokens", map[string]any{"name": "less", "scopes": scopes}).want(http.StatusCreated))
	own := *h.owner
	own.token, own.principal.CredentialID = made.Secret, made.ID
	return &own
}

// TestInsufficientScope: who lacks a scope is told which (RFC 6750, section 3.1).
func TestInsufficientScope(t *testing.T) {
	h := newHarness(t)
	a := h.scoped("read").json("PATCH", "/v1/me", map[string]any{"name": "x"})
	p := a.problem(http.StatusForbidden, "insufficient_scope")
	if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="hark", error="insufficient_scope", scope="write"` {
		t.Errorf("WWW-Authenticate %q", got)
	}
	if !strings.HasSuffix(p.Type, "/docs#problem-insufficient-scope") || !strings.Contains(p.Detail, "write") {
		t.Errorf("%+v", p)
	}
	h.scoped("record", "admin").get("/v1/conversations").problem(http.StatusForbidden, "insufficient_scope")
}

// TestTokenOfToken: what a token makes does not exceed it, and is shown for what it is.
func TestTokenOfToken(t *testing.T) {
	h := newHarness(t)
	parent := h.scoped("admin", "read")
	child := decode[signin.NewToken](parent.json("POST", "/v1/tokens", map[string]any{"name": "child", "expires_in": 60}).want(201))
	if !slices.Equal(child.Scopes, []string{"admin", "read"}) || child.ParentID != parent.principal.CredentialID || child.ExpiresAt == nil {
		t.Errorf("%+v", child)
	}
	for field, body := range map[string]map[string]any{
		"body.scopes":     {"name": "x", "scopes": []string{"write"}},
		"body.expires_in": {"name": "x", "expires_in": 315360001},
	} {
		p := parent.json("POST", "/v1/tokens", body).problem(422, "validation_failed")
		if len(p.Errors) != 1 || p.Errors[0].Field != field {
			t.Errorf("%s: %+v", field, p.Errors)
		}
	}
	for _, scopes := range [][]string{{"sound:" + storage.NewID()}, {"conversation:" + storage.NewID()}, {"all"}} {
		h.owner.json("POST", "/v1/tokens", map[string]any{"name": "x", "scopes": scopes}).problem(422, "validation_failed")
	}
	for _, token := range decode[struct{ Items []signin.Token }](h.owner.get("/v1/tokens").want(200)).Items {
		if whole := token.ID == h.owner.principal.CredentialID; whole != (len(token.Scopes) == 4) {
			t.Errorf("%+v", token)
		}
	}
}

// TestTokenOfSession: a token that somebody makes in a browser outlives their
// signing out there.
func TestTokenOfSession(t *testing.T) {
	h := newHarness(t)
	session, secret, err := h.db.CreateToken(t.Context(), h.owner.principal.UserID, storage.NewToken{Kind: storage.SessionToken, Life: time.Hour})
	must(t, err)
	browser := *h.owner
	browser.token, browser.principal.CredentialID = "", session.ID
	cookie := "hark_session" + "=" + secret
	made := decode[signin.NewToken](browser.send("POST", "/v1/tokens", strings.NewReader(`{"name": "laptop"}`), "Content-Type", "application/json", "Cookie", cookie).want(201))
	if made.ParentID != "" || made.ExpiresAt != nil {
		t.Errorf("%+v", made)
	}
	browser.send("POST", "/v1/sign-out", nil, "Cookie", cookie).want(200)
	browser.get("/v1/me", "Cookie", cookie).want(401)
	browser.token = made.Secret
	browser.get("/v1/me").want(200)
}

// TestEachCallSaysItsScope: only what every credential may do needs none.
func TestEachCallSaysItsScope(t *testing.T) {
	scopes := []string{"read", "write", "record", "admin"}
	for path, item := range describedServer(t).api.Description().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op == nil || slices.Contains([]string{"get-me", "sign-out"}, op.OperationID) {
				continue
			}
			if needed := op.Security[0]["token"]; len(needed) != 1 || !slices.Contains(scopes, needed[0]) || !strings.Contains(op.Description, "Scope: `"+needed[0]+"`.") {
				t.Errorf("%s %s needs %v", op.Method, path, needed)
			}
		}
	}
}

// A list of no scopes is a mistake, and not a token for everything.
func TestNoScopes(t *testing.T) {
	h := newHarness(t)
	for name, body := range map[string]string{"none": `{"name": "x", "scopes": []}`, "empty": `{"name": "x", "scopes": [""]}`} {
		p := h.owner.send("POST", "/v1/tokens", strings.NewReader(body), "Content-Type", "application/json").problem(422, "validation_failed")
		if len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Field, "scopes") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
