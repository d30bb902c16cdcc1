package api

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"

	"hark/api/recorder"
)

const elsewhere = "https://recorder.example.org"

func TestOtherOrigins(t *testing.T) {
	h := liveHarness(t, recorder.Config{}, options{config: func(c *Config) { c.CORSOrigins = []string{elsewhere} }})
	path := "/v1/conversations/" + h.owner.conversation() + "/whip"
	nobody := *h.owner
	nobody.token = ""

	// What a browser asks before it sends a token to another origin.
	asked := nobody.send("OPTIONS", path, nil, "Origin", elsewhere, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type").want(204)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": elsewhere, "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
		"Access-Control-Allow-Headers": "Authorization, Content-Type, ETag, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, Range, X-Request-Id",
		"Access-Control-Max-Age":       "7200", "Vary": "Origin", "Access-Control-Allow-Credentials": "",
	} {
		if got := asked.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	offer := offerOf(t, webrtc.RTPCodecTypeAudio)
	a := h.owner.send("POST", path, strings.NewReader(offer), "Content-Type", "application/sdp", "Origin", elsewhere, "Sec-Fetch-Site", "cross-site").want(201)
	exposed := a.header.Get("Access-Control-Expose-Headers")
	for _, name := range []string{"Location", "ETag", "Link", "Hark-Message-Id", "Accept-Post", "Accept-Patch"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("%s is not exposed", name)
		}
	}
	h.owner.send("DELETE", a.header.Get("Location"), nil, "Origin", elsewhere).want(200)
	if p := nobody.send("POST", path, strings.NewReader(offer), "Content-Type", "application/sdp", "Origin", elsewhere); p.status != 401 || p.header.Get("Access-Control-Allow-Origin") != elsewhere {
		t.Errorf("a refusal is hidden from its page: %d %v", p.status, p.header)
	}

	for name, origin := range map[string]string{"unknown": "https://evil.example", "null": "null", "like it": elsewhere + ".evil.example", "other scheme": "http://recorder.example.org"} {
		if got := nobody.send("OPTIONS", path, nil, "Origin", origin, "Access-Control-Request-Method", "POST"); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is let in: %v", name, got.header)
		}
	}
	if got := nobody.get("/", "Origin", elsewhere); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("our pages are for other origins too")
	}
}

// TestOtherOriginsBringNoCookies: that an origin is allowed does not make a
// signed-in browser act for it.
func TestOtherOriginsBringNoCookies(t *testing.T) {
	h := liveHarness(t, recorder.Config{}, options{config: func(c *Config) { c.CORSOrigins = []string{elsewhere, "*"} }})
	path := "/v1/conversations/" + h.owner.conversation() + "/whip"
	b := h.browser()
	b.form("/sign-in", map[string][]string{"code": {h.signInCode()}}).want(303)
	offer := offerOf(t, webrtc.RTPCodecTypeAudio)
	for _, header := range [][2]string{{"Origin", elsewhere}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		b.send("POST", path, strings.NewReader(offer), "Content-Type", "application/sdp", header[0], header[1]).problem(403, "cross_site")
	}
	// From our own page it does.
	a := b.send("POST", path, strings.NewReader(offer), "Content-Type", "application/sdp", "Sec-Fetch-Site", "same-origin").want(201)
	b.send("DELETE", a.header.Get("Location"), nil, "Sec-Fetch-Site", "cross-site").problem(403, "cross_site")
	b.send("DELETE", a.header.Get("Location"), nil, "Sec-Fetch-Site", "same-origin").want(200)
}

func TestNoOtherOrigins(t *testing.T) {
	h := newHarness(t)
	a := h.owner.get("/v1/me", "Origin", elsewhere).want(200)
	if a.header.Get("Access-Control-Allow-Origin") != "" || strings.Contains(a.header.Get("Vary"), "Origin") {
		t.Errorf("%v", a.header)
	}
}

func TestOptions(t *testing.T) {
	h := newHarness(t)
	nobody := *h.owner
	nobody.token = ""
	for _, id := range []string{h.owner.conversation(), "0197a3c2-5b1e-7c44-9f0a-2f6d1c9b7e55"} {
		a := nobody.send("OPTIONS", "/v1/conversations/"+id+"/whip", nil).want(204)
		if a.header.Get("Accept-Post") != "application/sdp" || a.header.Get("Allow") != "OPTIONS, POST" {
			t.Errorf("%v", a.header)
		}
	}
	if a := nobody.send("OPTIONS", "/v1/whip/any", nil).want(204); a.header.Get("Accept-Patch") != "application/trickle-ice-sdpfrag, application/json" {
		t.Errorf("%v", a.header)
	}
}
