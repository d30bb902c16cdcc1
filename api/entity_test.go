package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"hark/api/messages"
	"hark/storage"
)

// plain is an answer's body out of its coding.
func (a *answer) plain() []byte {
	a.t.Helper()
	var r io.Reader = bytes.NewReader(a.body)
	var err error
	switch a.header.Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(r); err == nil {
			defer d.Close()
			r = d
		}
	}
	must(a.t, err)
	read, err := io.ReadAll(r)
	must(a.t, err)
	return read
}

// TestTextIsCompressed: what is text and worth it, in the coding that the
// caller likes best; sound and what is small never.
func TestTextIsCompressed(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	var last messages.Message
	for range 3 {
		last = h.owner.record(conversation)
	}
	h.finish(last.ID, strings.Repeat("harbour and bridge ", 200))
	list := "/v1/conversations/" + conversation + "/messages"
	for _, path := range []string{
		list, "/v1/messages/" + last.ID + "/transcript", "/v1/messages/" + last.ID + "/transcript.vtt",
		"/v1/messages/" + last.ID + "/transcript.srt", "/v1/messages/" + last.ID + "/transcript.txt", "/v1/search?q=harbour", "/openapi.json", "/docs", "/page.css",
	} {
		whole := h.owner.get(path, "Accept-Encoding", "identity").want(200)
		if whole.header.Get("Content-Encoding") != "" || whole.header.Get("Content-Length") != strconv.Itoa(len(whole.body)) {
			t.Errorf("%s as it is: %v", path, whole.header)
		}
		for accept, want := range map[string]string{"gzip": "gzip", "gzip, zstd": "zstd", "gzip, zstd;q=0.5, br": "gzip", "br": "", "gzip;q=0": ""} {
			a := h.owner.get(path, "Accept-Encoding", accept).want(200)
			if a.header.Get("Content-Encoding") != want || a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) ||
				!strings.Contains(strings.Join(a.header.Values("Vary"), ", "), "Accept-Encoding") {
				t.Errorf("%s to %q: %v", path, accept, a.header)
			}
			if want != "" && len(a.body) >= len(whole.body) {
				t.Errorf("%s to %q: %d bytes of %d", path, accept, len(a.body), len(whole.body))
			}
			if !bytes.Equal(a.plain(), whole.body) {
				t.Errorf("%s to %q is not what it was", path, accept)
			}
		}
	}
	for _, path := range []string{last.Links.Original, "/v1/me", "/v1/messages/" + last.ID + "/audio-url", "/healthz"} {
		if a := h.owner.get(path, "Accept-Encoding", "gzip, zstd").want(200); a.header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed: %v", path, a.header)
		}
	}
}

// TestOtherSitesLearnNoLengths: what another site has a signed-in browser open
// does not tell by its length what is in it.
func TestOtherSitesLearnNoLengths(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	for range 3 {
		h.owner.record(conversation)
	}
	b := h.browser()
	b.form("/sign-in", map[string][]string{"code": {h.signInCode()}}).want(303)
	path := "/v1/conversations/" + conversation + "/messages"
	for site, want := range map[string]string{"cross-site": "", "same-site": "", "same-origin": "gzip", "none": "gzip"} {
		a := b.get(path, "Accept-Encoding", "gzip", "Sec-Fetch-Site", site).want(200)
		if got := a.header.Get("Content-Encoding"); got != want {
			t.Errorf("%s: %q", site, got)
		}
	}
	// With a token it is the page itself that asks.
	if a := h.owner.get(path, "Accept-Encoding", "gzip", "Sec-Fetch-Site", "cross-site"); a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", a.header)
	}
}

// TestTags: what was kept is asked for by its tag, and sent when it has changed.
func TestTags(t *testing.T) {
	h := newHarness(t)
	mate := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mate)
	m := h.owner.record(conversation)
	h.finish(m.ID, "a word")
	self, list := "/v1/messages/"+m.ID, "/v1/conversations/"+conversation+"/messages"
	for _, path := range []string{
		list, self, self + "/transcript", self + "/transcript.vtt", self + "/waveform",
		"/v1/conversations", "/v1/conversations/" + conversation, "/v1/conversations/" + conversation + "/members", "/v1/me", "/v1/users",
	} {
		whole := h.owner.get(path, "Accept-Encoding", "identity").want(200)
		tag := whole.header.Get("Etag")
		if !strings.HasPrefix(tag, `"`) || whole.header.Get("Cache-Control") != "private, no-cache" || !strings.Contains(whole.header.Get("Vary"), "Authorization, Cookie") {
			t.Errorf("%s: %v", path, whole.header)
		}
		for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			for _, coding := range []string{"identity", "gzip"} {
				a := h.owner.get(path, "If-None-Match", match, "Accept-Encoding", coding).want(304)
				if len(a.body) != 0 || strings.TrimPrefix(a.header.Get("Etag"), "W/") != tag || a.header.Get("Cache-Control") != "private, no-cache" || a.header.Get("Content-Length") != "" {
					t.Errorf("%s: %v", path, a.header)
				}
			}
		}
		h.owner.get(path, "If-None-Match", `"x"`).want(200)
		h.owner.get(path, "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT").want(200)
		if packed := h.owner.get(path, "Accept-Encoding", "gzip"); packed.header.Get("Content-Encoding") != "" && packed.header.Get("Etag") != "W/"+tag {
			t.Errorf("%s packed: tag %s", path, packed.header.Get("Etag"))
		}
	}
	for _, path := range []string{"/v1/tokens", "/v1/search?q=word", self + "/audio-url"} {
		if a := h.owner.get(path).want(200); a.header.Get("Etag") != "" || a.header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s may be kept: %v", path, a.header)
		}
	}
	if a := h.owner.get("/v1/messages/" + conversation).want(404); a.header.Get("Etag") != "" || a.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("a refusal may be kept: %v", a.header)
	}

	tags := func(c *client) (of [2]string) {
		for i, path := range []string{self, list} {
			of[i] = c.get(path, "Accept-Encoding", "identity").want(200).header.Get("Etag")
		}
		return of
	}
	before := tags(h.owner)
	h.owner.json("PATCH", self, map[string]string{"title": "Another"}).want(200)
	for i, tag := range tags(h.owner) {
		if tag == before[i] {
			t.Errorf("tag %s stays when the message changes", tag)
		}
	}
	if mine, theirs := h.owner.get("/v1/me").header.Get("Etag"), mate.get("/v1/me").header.Get("Etag"); mine == theirs {
		t.Errorf("two callers have one tag %s for what differs", mine)
	}
	if mine, theirs := tags(h.owner), tags(mate); mine[0] == theirs[0] || mine[1] == theirs[1] {
		t.Errorf("who has heard a message and who has not have one tag for it: %v, %v", mine, theirs)
	}
	h.stranger().get(self, "If-None-Match", before[0]).problem(404, "not_found")
}

// TestHEAD asks every address that answers GET for its headers.
func TestHEAD(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	for range 3 {
		h.owner.record(conversation)
	}
	m := h.owner.record(conversation)
	h.finish(m.ID, strings.Repeat("harbour and bridge ", 200))
	asked := 0
	for _, route := range h.api.api.Echo().Routes() {
		if route.Method != http.MethodGet || strings.Contains(route.Path, "*") {
			continue
		}
		asked++
		path := strings.NewReplacer(":id", idFor(route.Path, conversation, m.ID, h)).Replace(route.Path)
		for _, accept := range []string{"identity", "gzip"} {
			var get, head *answer
			if route.Path == "/v1/events" {
				get = h.owner.firstOf(path)
			} else {
				get = h.owner.get(path, "Accept-Encoding", accept)
			}
			head = h.owner.send(http.MethodHead, path, nil, "Accept-Encoding", accept)
			for _, varies := range []string{"X-Request-Id", "Date"} {
				get.header.Del(varies)
				head.header.Del(varies)
			}
			if route.Path == "/metrics" { // its content is of the moment
				get.header.Del("Content-Length")
				head.header.Del("Content-Length")
				get.header.Del("Etag")
				head.header.Del("Etag")
			}
			if head.status != get.status || len(head.body) != 0 || head.headers() != get.headers() {
				t.Errorf("HEAD %s gives %d %s\nand GET %d %s", path, head.status, head.headers(), get.status, get.headers())
			}
		}
	}
	if asked < 25 {
		t.Errorf("only %d addresses were asked", asked)
	}
	nobody := *h.owner
	nobody.token = ""
	nobody.send(http.MethodHead, "/v1/me", nil).want(401)
	h.owner.send(http.MethodHead, "/v1/sign-out", nil).want(405)
}

// firstOf reads the headers of a stream.
func (c *client) firstOf(path string) *answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.harness.http.URL+path, nil)
	must(c.t, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	must(c.t, err)
	must(c.t, resp.Body.Close())
	return &answer{t: c.t, status: resp.StatusCode, header: resp.Header}
}

func (a *answer) headers() string {
	var b strings.Builder
	must(a.t, a.header.WriteSubset(&b, nil))
	return strings.ReplaceAll(b.String(), "\r\n", "; ")
}

// TestSlashAtTheEnd leads to the address without, on this host.
func TestSlashAtTheEnd(t *testing.T) {
	h := newHarness(t)
	c := h.owner.unfollowed()
	for from, to := range map[string]string{
		"/v1/me/":                    "/v1/me",
		"/v1/search/?q=a%20b&q=c":    "/v1/search?q=a%20b&q=c",
		"/docs///":                   "/docs",
		"/nowhere/":                  "/nowhere",
		"/c/a%2Fb/":                  "/c/a%2Fb",
		"//evil.example/":            "/evil.example",
		"//evil.example/%2e%2e/":     "/evil.example/%2e%2e",
		"/%5Cevil.example/":          "/%5Cevil.example",
		"/%2F%2Fevil.example/":       "/%2F%2Fevil.example",
		"///":                        "/",
		"/v1/messages/?x=http://y/z": "/v1/messages?x=http://y/z",
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			a := c.send(method, from, nil).want(308)
			if got := a.header.Get("Location"); got != to {
				t.Errorf("%s %s leads to %q; want %q", method, from, got, to)
			}
		}
	}
	c.get("/").want(200)
	h.owner.json("POST", "/v1/conversations/", map[string]any{"title": "By a slash"}).want(201)
}
