package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hark/api/security"
	"hark/api/signin"
	"hark/storage"
)

// securityEvents are the events of a harness's log, each with its attributes.
func (h *harness) securityEvents() []map[string]any {
	h.t.Helper()
	var events []map[string]any
	for line := range strings.Lines(h.log.String()) {
		var entry map[string]any
		must(h.t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == "security" {
			events = append(events, entry)
		}
	}
	return events
}

// TestSignInNamesTheAccount has a browser come with an address, in two
// languages, and then with one of somebody else.
func TestSignInNamesTheAccount(t *testing.T) {
	h := newHarness(t)
	b, code := h.browser(), h.signInCode()
	page := b.get("/sign-in?code=" + code).want(200)
	if body := string(page.body); !strings.Contains(body, "You’re signing in as <strong>Olga</strong>") || strings.Contains(body, "warning") {
		t.Errorf("%s", body)
	}
	if page.header.Get("Referrer-Policy") != "strict-origin" || page.header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%v", page.header)
	}
	german := string(b.get("/sign-in?code="+code, "Accept-Language", "fr, de-AT;q=0.9, en;q=0.2").want(200).body)
	if !strings.Contains(german, `<html lang="de">`) || !strings.Contains(german, "Du meldest dich an als <strong>Olga</strong>") {
		t.Errorf("%s", german)
	}
	b.form("/sign-in", url.Values{"code": {code}}).want(303)
	b.get("/sign-in?code=" + code).want(410)

	mia := h.user("Mia", storage.RoleMember)
	_, other, err := h.db.CreateToken(t.Context(), mia.principal.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "phone"})
	must(t, err)
	for name, a := range map[string]*answer{
		"the page":                   b.get("/sign-in?code=" + other).want(200),
		"a form without the warning": b.form("/sign-in", url.Values{"code": {other}}).want(409),
		"a form that was made up":    b.form("/sign-in", url.Values{"code": {other}, "replace": {storage.NewID()}}).want(409),
	} {
		if body := string(a.body); !strings.Contains(body, "<strong>Mia</strong>") || !strings.Contains(body, "signed in as someone else") || !strings.Contains(body, "<strong>Olga</strong>") {
			t.Errorf("%s: %s", name, body)
		}
	}
	_, replace, _ := strings.Cut(string(b.get("/sign-in?code="+other).body), `name="replace" value="`)
	replace, _, _ = strings.Cut(replace, `"`)
	b.form("/sign-in", url.Values{"code": {other}, "replace": {replace}}).want(303)
	if me := string(b.get("/v1/me").want(200).body); !strings.Contains(me, `"Mia"`) {
		t.Errorf("%s", me)
	}
	if sessions := string(h.owner.get("/v1/tokens").body); strings.Contains(sessions, `"session"`) {
		t.Errorf("the session that was replaced lives: %s", sessions)
	}
}

func TestSignInOverHTTPS(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL = "https://hark.test" }})
	code := h.signInCode()
	page := h.browser().get("/sign-in?code=" + code).want(200)
	if page.header.Get("Referrer-Policy") != "no-referrer" || page.header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("%v", page.header)
	}
	in := h.browser().form("/sign-in", url.Values{"code": {code}}).want(303)
	cookie := in.header.Get("Set-Cookie")
	for _, part := range []string{"__Host-hark_session=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("no %s in %q", part, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") {
		t.Errorf("%q", cookie)
	}
	pair, _, _ := strings.Cut(cookie, ";")
	_, secret, _ := strings.Cut(pair, "=")
	nobody := h.browser()
	nobody.get("/v1/me", "Cookie", pair).want(200)
	nobody.get("/v1/me", "Cookie", "hark_session"+"="+secret).problem(401, "unauthorized") // a neighbour can set that one
	for _, two := range []string{pair + "; " + "__Host-hark_session" + "=x", "__Host-hark_session" + "=x; " + pair, pair + "; " + pair} {
		if p := nobody.get("/v1/me", "Cookie", two).problem(401, "unauthorized"); !strings.Contains(p.Detail, "Two session cookies") {
			t.Errorf("%+v", p)
		}
	}
}

// TestSecurityEvents does what is to be found in the log.
func TestSecurityEvents(t *testing.T) {
	h := newHarness(t)
	b := h.browser()
	b.form("/sign-in", url.Values{"code": {"made-up"}}).want(410)
	b.form("/sign-in", url.Values{"code": {h.signInCode()}}, "Sec-Fetch-Site", "cross-site").want(403)
	b.form("/sign-in", url.Values{"code": {h.signInCode()}}).want(303)
	b.form("/sign-in", url.Values{"code": {h.signInCode()}}).want(303)
	out := b.send("POST", "/v1/sign-out", nil).want(200)
	if out.header.Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("%v", out.header)
	}
	made := decode[signin.NewToken](h.owner.json("POST", "/v1/tokens", map[string]any{"name": "laptop"}).want(201))
	h.owner.send("DELETE", "/v1/tokens/"+made.ID, nil).want(204)
	stranger := *h.owner
	stranger.token = made.Secret
	stranger.get("/v1/me").want(401)
	message := h.owner.record(h.owner.conversation()).ID
	b.get("/v1/messages/" + message + "/audio?signature=x&as=y&expires=1").want(401)

	want := []security.Event{
		security.SignInFailed, security.CrossSite, security.SignIn, security.SignIn, security.SessionReplaced, security.SignOut, security.TokenCreated, security.TokenRevoked,
		security.CredentialFailed, security.SignedRefused,
	}
	got := h.securityEvents()
	if len(got) != len(want) {
		t.Fatalf("%d events: %v", len(got), got)
	}
	for i, event := range got {
		known := event["user"] != nil && event["credential"] != nil
		if event["event"] != string(want[i]) || event["remote"] != "127.0.0.1" || event["request"] == nil || known != (event["level"] == "INFO") {
			t.Errorf("%v; want %s", event, want[i])
		}
	}
	if strings.Contains(h.log.String(), made.Secret) || strings.Contains(h.log.String(), "made-up") {
		t.Error("a secret is in the log")
	}

	const burst = 20 // of refusals that are logged at once
	for range 3 * burst {
		stranger.get("/v1/me").want(http.StatusUnauthorized)
	}
	if n := len(h.securityEvents()) - len(got); n < 1 || n > 2*burst {
		t.Errorf("%d refusals are in the log", n)
	}
}
