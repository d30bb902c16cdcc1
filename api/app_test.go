package api

import (
	"strings"
	"testing"

	"hark/api/problem"
	"hark/api/web"
)

func TestAppPages(t *testing.T) {
	h := newHarness(t)
	for path, status := range map[string]int{
		"/": 200, "/search?q=harbour": 200, "/settings": 200,
		"/c/" + h.owner.principal.UserID: 200, "/m/" + h.owner.principal.UserID + "?t=1200": 200,
		"/c": 404, "/settings/more": 404, "/assets/none.js": 404, "/index.html": 404, "/.gitkeep": 404,
	} {
		a := h.browser().get(path).want(status)
		if kind := a.header.Get("Content-Type"); status == 200 && !strings.HasPrefix(kind, "text/html") {
			t.Errorf("%s is %s", path, kind)
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s has policy %q", path, policy)
		}
	}
	if web.Must(web.Open()).Page != nil {
		h.browser().get("/c/nothing").want(404)
	}
	// Who mistypes an address sees a page; a program, and a call, gets a problem.
	for _, accept := range []string{"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "*/*"} {
		for _, path := range []string{"/setings", "/c", "/settings/more", "/v1/nowhere", "/assets/none.js"} {
			a := h.browser().get(path, "Accept", accept).want(404)
			page := strings.HasPrefix(a.header.Get("Content-Type"), "text/html")
			if page != (strings.Contains(accept, "html") && !strings.HasPrefix(path, "/v1/")) || page && a.header.Get("Vary") == "" {
				t.Errorf("%s for %s: %v", path, accept, a.header)
			}
		}
	}
	if a := h.browser().send("POST", "/setings", nil, "Accept", "text/html").want(404); a.header.Get("Content-Type") != problem.MediaType {
		t.Errorf("%v", a.header)
	}
}
