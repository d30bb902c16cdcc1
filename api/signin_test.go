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
func (h *harness) browser() *client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &client{harness: h, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

func (h *harness) signInCode() string {
	h.t.Helper()
	_, code, err := h.db.CreateToken(h.t.Context(), h.owner.principal.UserID, storage.NewToken{Kind: storage.SignInToken, Name: "first start", Life: time.Hour})
	must(h.t, err)
	return code
}

func (c *client) form(path string, values url.Values, headers ...string) *answer {
	c.t.Helper()
	return c.send("POST", path, strings.NewReader(values.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func TestSignIn(t *testing.T) {
	h := newHarness(t)
	b, code := h.browser(), h.signInCode()
	b.get("/v1/me").problem(401, "unauthorized")
	for range 3 { // previews open it as often as they like
		page := b.get("/sign-in?code=" + code).want(200)
		if !strings.Contains(string(page.body), `value="`+code+`"`) || page.header.Get("Content-Security-Policy") != "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" {
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
	if again := h.browser().form("/sign-in", url.Values{"code": {code}}).want(410); !strings.Contains(string(again.body), "already used") {
		t.Errorf("%s", again.body)
	}
	h.browser().form("/sign-in", url.Values{}).want(400)
	h.browser().get("/sign-in?code=").want(400)
	if strings.Contains(h.log.String(), code) {
		t.Error("the code is in the log")
	}

	t.Run("session", func(t *testing.T) { actsFromOurPagesAlone(t, b) })
	out := b.send("POST", "/v1/sign-out", nil).want(200)
	if got := out.header.Get("Set-Cookie"); !strings.Contains(got, "hark_session=;") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("%q", got)
	}
	b.get("/v1/me").problem(401, "unauthorized")
}

// actsFromOurPagesAlone has a browser's session asked for changes by pages of all
// sorts.
func actsFromOurPagesAlone(t *testing.T, b *client) {
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
		"origin of our page":      {"Origin", b.harness.http.URL, 201},
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
}

func TestSecureCookie(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL = "https://hark.test" }})
	in := h.browser().form("/sign-in", url.Values{"code": {h.signInCode()}}).want(303)
	if !strings.Contains(in.header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("%q", in.header.Get("Set-Cookie"))
	}
}
