package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"hark/api/messages"
	"hark/api/recorder"
	"hark/api/sound"
)

const below = "/voice/hark"

// TestBelowAPath: behind a proxy that gives Hark a path, whether it takes that
// off or passes it on, every address that is given out leads back there.
func TestBelowAPath(t *testing.T) {
	for name, taken := range map[string]string{"passed on": "", "taken off": below} {
		t.Run(name, func(t *testing.T) {
			h := liveHarness(t, recorder.Config{}, options{config: func(c *Config) { c.PublicURL = "http://hark.test" + below }})
			ask := askThrough(taken)
			c := h.owner.unfollowed()
			conversation := ask(t, c, "POST", below+"/v1/conversations", map[string]any{"title": "A"}).want(201)
			at := conversation.header.Get("Location")
			ask(t, c, "GET", at, nil).want(200)
			sent := []messages.Message{}
			for range 2 {
				made := ask(t, c, "POST", at+"/messages", sine(time.Second)).want(201)
				ask(t, c, "GET", made.header.Get("Location"), nil).want(200)
				sent = append(sent, decode[messages.Message](made))
			}
			m := sent[0]
			h.finish(m.ID, "a harbour")
			for _, link := range []string{m.Links.Self, m.Links.Audio, m.Links.Original, m.Links.Transcript, m.Links.Waveform} {
				ask(t, c, "GET", link, nil).want(200)
			}
			ask(t, c, "GET", ask(t, c, "GET", m.Links.Self+"/audio", nil).want(307).header.Get("Location"), nil).want(200)
			signed, err := url.Parse(decode[sound.AudioURL](ask(t, c, "GET", m.Links.Self+"/audio-url", nil)).URL)
			must(t, err)
			nobody := *c
			nobody.token = ""
			ask(t, &nobody, "GET", signed.RequestURI(), nil).want(200)
			for _, list := range []string{at + "/messages?limit=1", below + "/v1/search?q=harbour"} {
				page := ask(t, c, "GET", list, nil).want(200)
				if link, _, found := strings.Cut(page.header.Get("Link"), ">"); found {
					ask(t, c, "GET", strings.TrimPrefix(link, "<"), nil).want(200)
				} else if strings.Contains(list, "limit") {
					t.Errorf("%s has no next page: %v", list, page.header)
				}
			}
			session := ask(t, c, "POST", at+"/whip", []byte(offerOf(t, webrtc.RTPCodecTypeAudio)), "Content-Type", "application/sdp").want(201).header.Get("Location")
			ask(t, c, "DELETE", session, nil).want(200)
			ask(t, c, "GET", below+"/v1/nowhere", nil).want(404)
			if to := ask(t, c, "GET", below+"/v1/me/?a=b", nil).want(308).header.Get("Location"); to != below+"/v1/me?a=b" {
				t.Errorf("a slash leads to %s", to)
			}

			for _, page := range []string{"/", "/c/" + m.ID, "/m/" + m.ID, "/search", "/docs"} {
				for _, path := range ask(t, &nobody, "GET", below+page, nil).want(200).linked() {
					ask(t, &nobody, "GET", path, nil).want(200)
				}
			}
			if spec := ask(t, &nobody, "GET", below+"/openapi.json", nil).want(200); !bytes.Contains(spec.body, []byte(`"url": "http://hark.test`+below+`"`)) {
				t.Error("the description does not say where the API is")
			}
			signInBelow(t, h, ask)
		})
	}
}

// leadsBelow checks what an answer tells of addresses.
func (a *answer) leadsBelow() {
	a.t.Helper()
	for _, name := range []string{"Location", "Link"} {
		for _, value := range a.header.Values(name) {
			if path := strings.TrimPrefix(value, "<"); strings.HasPrefix(path, "/") && !strings.HasPrefix(path, below+"/") {
				a.t.Errorf("%s: %s", name, value)
			}
		}
	}
	if !strings.Contains(a.header.Get("Content-Type"), "json") || bytes.Contains(a.body, []byte(`"openapi"`)) {
		return
	}
	for _, found := range regexp.MustCompile(`"(/[a-z][^"]*)"`).FindAllSubmatch(a.body, -1) {
		if !bytes.HasPrefix(found[1], []byte(below+"/")) {
			a.t.Errorf("it tells of %s", found[1])
		}
	}
}

// linked are the files and pages that a page names, as a browser reads them.
func (a *answer) linked() []string {
	a.t.Helper()
	here, err := url.Parse(a.address)
	must(a.t, err)
	if !strings.HasPrefix(here.Path, below) {
		here.Path = below + here.Path
	}
	var paths []string
	for _, found := range regexp.MustCompile(` (?:href|src)="([^"#]+)"`).FindAllSubmatch(a.body, -1) {
		to, err := here.Parse(string(found[1]))
		must(a.t, err)
		if !strings.HasPrefix(to.Path, below+"/") {
			a.t.Errorf("%s names %s", here, found[1])
			continue
		}
		paths = append(paths, to.Path)
	}
	if len(paths) == 0 {
		a.t.Errorf("%s names nothing: %s", here, a.body)
	}
	return paths
}

// TestThePathAlone leads into the app, and is no other path that begins alike.
func TestThePathAlone(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL = "https://hark.test" + below + "/" }})
	c := h.owner.unfollowed()
	if a := c.get(below + "?a=b").want(308); a.header.Get("Location") != below+"/?a=b" {
		t.Errorf("%v", a.header)
	}
	c.get(below + "/").want(200)
	c.get(below + "er/v1/me").want(404)
	c.get("/v1/me").want(200) // without the proxy
	c.get(below + below + "/v1/me").want(404)
	b := h.browser()
	in := b.form(below+"/sign-in", url.Values{"code": {h.signInCode()}}).want(303)
	if cookie := (&http.Response{Header: in.header}).Cookies()[0]; cookie.Name != "__Secure-hark_session-voice-hark" || !cookie.Secure || cookie.Path != below+"/" {
		t.Errorf("%v", cookie)
	}
}

type asking func(t *testing.T, c *client, method, path string, body any, headers ...string) *answer

// signInBelow signs somebody in below the public path, beside another Hark on the
// same host.
func signInBelow(t *testing.T, h *harness, ask asking) {
	t.Helper()
	nobody := h.owner.unfollowed()
	nobody.token = ""
	signIn := ask(t, nobody, "GET", below+"/sign-in?code="+h.signInCode(), nil).want(200)
	if !bytes.Contains(signIn.body, []byte(`action="sign-in"`)) {
		t.Errorf("%s", signIn.body)
	}
	form := url.Values{"code": {h.signInCode()}}
	in := ask(t, nobody, "POST", below+"/sign-in", []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded").want(303)
	cookie := (&http.Response{Header: in.header}).Cookies()[0]
	if in.header.Get("Location") != below+"/" || cookie.Path != below+"/" || cookie.Name != "hark_session-voice-hark" {
		t.Errorf("signing in: %v", in.header)
	}
	ask(t, nobody, "GET", below+"/v1/me", nil, "Cookie", "hark_session=of-another; "+cookie.Name+"="+cookie.Value).want(200)
}

// askThrough goes to an address that people see, below the public path, through a
// proxy that takes a part of it off.
func askThrough(taken string) asking {
	return func(t *testing.T, c *client, method, path string, body any, headers ...string) *answer {
		t.Helper()
		if !strings.HasPrefix(path, below) {
			t.Fatalf("%s %q is not below the path", method, path)
		}
		encoded, _ := body.([]byte)
		if body != nil && encoded == nil {
			var err error
			encoded, err = json.Marshal(body)
			must(t, err)
			headers = append(headers, "Content-Type", "application/json")
		}
		a := c.send(method, strings.TrimPrefix(path, taken), bytes.NewReader(encoded), headers...)
		a.leadsBelow()
		return a
	}
}

func TestPathsOfOurOwn(t *testing.T) {
	for _, path := range []string{"/v1", "/c/hark", "/docs", "/metrics"} {
		if _, err := serverAt(t, "https://example.org"+path); err == nil || !strings.Contains(err.Error(), "begins with") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
