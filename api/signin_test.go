package api

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/storage"
)

// browser is a client with cookies and no token.
func (w *world) browser() *client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &client{world: w, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

func (w *world) signInCode() string {
	w.t.Helper()
	_, code, err := w.db.CreateToken(w.t.Context(), w.owner.actor.UserID, storage.SignInToken, "first start", time.Hour)
	must(w.t, err)
	return code
}

func (c *client) form(path string, values url.Values, headers ...string) *answer {
	c.t.Helper()
	return c.send("POST", path, strings.NewReader(values.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	b, code := w.browser(), w.signInCode()
	b.get("/v1/me").problem(401, "unauthorized")
	for range 3 { // previews open it as often as they like
		page := b.get("/sign-in?code=" + code).want(200)
		if !strings.Contains(string(page.body), `value="`+code+`"`) || page.header.Get("Content-Security-Policy") != pageCSP {
			t.Errorf("%s", page.body)
		}
	}
	b.form("/sign-in", url.Values{"code": {code}}, "Sec-Fetch-Site", "cross-site").problem(403, "cross_site")
	in := b.form("/sign-in", url.Values{"code": {code}}, "Sec-Fetch-Site", "same-origin").want(303)
	cookie := in.header.Get("Set-Cookie")
	if in.header.Get("Location") != "/" || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") ||
		!strings.Contains(cookie, "Max-Age=2592000") || strings.Contains(cookie, "Secure") {
		t.Errorf("%s, %s", in.header.Get("Location"), cookie)
	}
	if me := string(b.get("/v1/me").want(200).body); !strings.Contains(me, `"Olga"`) {
		t.Errorf("%s", me)
	}
	if again := w.browser().form("/sign-in", url.Values{"code": {code}}).want(410); !strings.Contains(string(again.body), "used before") {
		t.Errorf("%s", again.body)
	}
	w.browser().form("/sign-in", url.Values{}).want(400)
	w.browser().get("/sign-in").want(400)
	if strings.Contains(w.log.String(), code) {
		t.Error("the code is in the log")
	}

	t.Run("session", func(t *testing.T) {
		b.get("/v1/me").want(200)
		body := map[string]any{"title": "By cookie"}
		b.json("POST", "/v1/conversations", body).want(201) // neither header: not a browser, or an old one on our page
		for name, c := range map[string]struct {
			header, value string
			status        int
		}{
			"from our page":           {"Sec-Fetch-Site", "same-origin", 201},
			"typed":                   {"Sec-Fetch-Site", "none", 201},
			"from a neighbour":        {"Sec-Fetch-Site", "same-site", 403},
			"from elsewhere":          {"Sec-Fetch-Site", "cross-site", 403},
			"origin of our page":      {"Origin", w.http.URL, 201},
			"origin of public name":   {"Origin", "http://hark.test", 201},
			"origin elsewhere":        {"Origin", "https://evil.example", 403},
			"origin that is kept out": {"Origin", "null", 403},
		} {
			t.Run(name, func(t *testing.T) {
				a := b.send("POST", "/v1/conversations", strings.NewReader(`{"title":"By cookie"}`), "Content-Type", "application/json", c.header, c.value)
				if a.status != c.status {
					t.Errorf("status %d: %s", a.status, a.body)
				}
			})
		}
		b.get("/v1/me", "Sec-Fetch-Site", "cross-site").want(200) // reading is not changing
	})
	out := b.send("POST", "/v1/sign-out", nil).want(204)
	if got := out.header.Get("Set-Cookie"); !strings.Contains(got, "hark_session=;") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("%q", got)
	}
	b.get("/v1/me").problem(401, "unauthorized")
}

func TestSecureCookie(t *testing.T) {
	w := newWorld(t, options{config: func(c *Config) { c.PublicURL = "https://hark.test" }})
	in := w.browser().form("/sign-in", url.Values{"code": {w.signInCode()}}).want(303)
	if !strings.Contains(in.header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("%q", in.header.Get("Set-Cookie"))
	}
}
