package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hark/storage"
)

// securityEvents are the events of a world's log, each with its attributes.
func (w *world) securityEvents() []map[string]any {
	w.t.Helper()
	var events []map[string]any
	for line := range strings.Lines(w.log.String()) {
		var entry map[string]any
		must(w.t, json.Unmarshal([]byte(line), &entry))
		if entry["msg"] == "security" {
			events = append(events, entry)
		}
	}
	return events
}

// TestSignInNamesTheAccount has a browser come with an address, in two
// languages, and then with one of somebody else.
func TestSignInNamesTheAccount(t *testing.T) {
	w := newWorld(t)
	b, code := w.browser(), w.signInCode()
	page := b.get("/sign-in?code=" + code).want(200)
	if body := string(page.body); !strings.Contains(body, "You sign in as <strong>Olga</strong>") || strings.Contains(body, "warning") {
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

	mia := w.user("Mia", storage.RoleMember)
	_, other, err := w.db.CreateToken(t.Context(), mia.actor.UserID, storage.SignInToken, "phone", 0)
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
	if sessions := string(w.owner.get("/v1/tokens").body); strings.Contains(sessions, `"session"`) {
		t.Errorf("the session that was replaced lives: %s", sessions)
	}
}

func TestSecureDoors(t *testing.T) {
	w := newWorld(t, options{config: func(c *Config) { c.PublicURL = "https://hark.test" }})
	code := w.signInCode()
	page := w.browser().get("/sign-in?code=" + code).want(200)
	if page.header.Get("Referrer-Policy") != "no-referrer" || page.header.Get("Strict-Transport-Security") != strictTransport {
		t.Errorf("%v", page.header)
	}
	in := w.browser().form("/sign-in", url.Values{"code": {code}}).want(303)
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
	nobody := w.browser()
	nobody.get("/v1/me", "Cookie", pair).want(200)
	nobody.get("/v1/me", "Cookie", sessionCookie+"="+secret).problem(401, "unauthorized") // a neighbour can set that one
	for _, two := range []string{pair + "; " + hostSessionCookie + "=x", hostSessionCookie + "=x; " + pair, pair + "; " + pair} {
		if p := nobody.get("/v1/me", "Cookie", two).problem(401, "unauthorized"); !strings.Contains(p.Detail, "Two session cookies") {
			t.Errorf("%+v", p)
		}
	}
}

// TestSecurityEvents does what is to be found in the log.
func TestSecurityEvents(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.form("/sign-in", url.Values{"code": {"made-up"}}).want(410)
	b.form("/sign-in", url.Values{"code": {w.signInCode()}}, "Sec-Fetch-Site", "cross-site").want(403)
	b.form("/sign-in", url.Values{"code": {w.signInCode()}}).want(303)
	b.form("/sign-in", url.Values{"code": {w.signInCode()}}).want(303)
	out := b.send("POST", "/v1/sign-out", nil).want(204)
	if out.header.Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("%v", out.header)
	}
	made := decode[NewToken](w.owner.json("POST", "/v1/tokens", map[string]any{"name": "laptop"}).want(201))
	w.owner.send("DELETE", "/v1/tokens/"+made.ID, nil).want(204)
	stranger := *w.owner
	stranger.token = made.Secret
	stranger.get("/v1/me").want(401)
	message := w.owner.record(w.owner.conversation()).ID
	b.get("/v1/messages/" + message + "/audio?signature=x&as=y&expires=1").want(401)

	want := []securityEvent{
		eventSignInFailed, eventCrossSite, eventSignIn, eventSignIn, eventSessionReplaced, eventSignOut, eventTokenCreated, eventTokenRevoked,
		eventCredentialFailed, eventSignedRefused,
	}
	got := w.securityEvents()
	if len(got) != len(want) {
		t.Fatalf("%d events: %v", len(got), got)
	}
	for i, event := range got {
		known := event["user"] != nil && event["credential"] != nil
		if event["event"] != string(want[i]) || event["remote"] != "127.0.0.1" || event["request"] == nil || known != (event["level"] == "INFO") {
			t.Errorf("%v; want %s", event, want[i])
		}
	}
	if strings.Contains(w.log.String(), made.Secret) || strings.Contains(w.log.String(), "made-up") {
		t.Error("a secret is in the log")
	}

	for range 3 * strangerBurst {
		stranger.get("/v1/me").want(http.StatusUnauthorized)
	}
	if n := len(w.securityEvents()) - len(got); n < 1 || n > 2*strangerBurst {
		t.Errorf("%d refusals are in the log", n)
	}
}
