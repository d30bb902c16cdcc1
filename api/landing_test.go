package api

import (
	"net/url"
	"strings"
	"testing"

	"hark/storage"
)

// TestSignInLeadsTo carries the page to open through the sign-in page, which
// says nothing of it.
func TestSignInLeadsTo(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL = "http://hark.test/hark" }})
	to := "/m/" + h.owner.record(h.owner.conversation()).ID + "?t=1200"
	b, code := h.browser(), h.signInCode()
	page := string(b.get("/hark/sign-in?" + url.Values{"code": {code}, "to": {to}}.Encode()).want(200).body)
	if !strings.Contains(page, `name="to" value="/hark`+to+`"`) || strings.Count(page, "/m/") != 1 {
		t.Errorf("%s", page)
	}
	for given, want := range map[string]string{to: "/hark" + to, "//evil.example": "/hark/", "": "/hark/"} {
		in := h.browser().form("/hark/sign-in", url.Values{"code": {h.signInCode()}, "to": {given}}).want(303)
		if got := in.header.Get("Location"); got != want {
			t.Errorf("%q leads to %q", given, got)
		}
	}
	if page := string(b.get("/hark/sign-in?code=" + code + "&to=//evil.example").want(200).body); strings.Contains(page, "evil") || strings.Contains(page, `name="to"`) {
		t.Errorf("%s", page)
	}
	// A form that needs a second look keeps it.
	mia := h.user("Mia", "member")
	b.form("/hark/sign-in", url.Values{"code": {code}}).want(303)
	_, other, err := h.db.CreateToken(t.Context(), mia.principal.UserID, storage.NewToken{Kind: "sign_in", Name: "phone"})
	must(t, err)
	if page := string(b.form("/hark/sign-in", url.Values{"code": {other}, "to": {to}}).want(409).body); !strings.Contains(page, `name="to" value="/hark`+to) {
		t.Errorf("%s", page)
	}
}
