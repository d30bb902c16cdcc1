package whip_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"hark/media/whip"
)

const (
	someCandidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
	newUfrag      = "a=ice-ufrag:Brandnew\r\n"
	newPwd        = "a=ice-pwd:abcdefghijklmnopqrstuvwxyz\r\n"
)

func TestPatch(t *testing.T) {
	t.Parallel()
	server := listen(t)
	offer, err := os.ReadFile("testdata/chromium.sdp")
	if err != nil {
		t.Fatal(err)
	}
	session, err := server.Open(t.Context(), string(offer), newRecording())
	if err != nil {
		t.Fatal(err)
	}
	var sameUfrag, samePwd string
	for line := range strings.Lines(string(offer)) {
		switch {
		case strings.HasPrefix(line, "a=ice-ufrag:"):
			sameUfrag = line
		case strings.HasPrefix(line, "a=ice-pwd:"):
			samePwd = line
		}
	}
	tag := session.ETag()
	for _, c := range []struct {
		name, fragment, ifMatch string
		status                  int // 204: trickled, 200: restarted
	}{
		{"a candidate", someCandidate, tag, 204},
		{"a candidate, with the session's credentials", sameUfrag + samePwd + someCandidate, tag, 204},
		{"the end", sameUfrag + "a=end-of-candidates\r\n", `"other", ` + tag, 204},
		{"any session", someCandidate, "*", 204},
		{"no If-Match", someCandidate, "", 428},
		{"an old tag", someCandidate, `"old"`, 412},
		{"a weak tag", someCandidate, "W/" + tag, 412},
		{"garbage", "hello", tag, 400},
		{"another ufrag alone", newUfrag + someCandidate, tag, 422},
		{"another ufrag with the old password", newUfrag + samePwd, "*", 422},
		{"another password alone", sameUfrag + newPwd, "*", 422},
		{"a restart", newUfrag + newPwd + someCandidate, "*", 200},
		{"a candidate for the session before", someCandidate, tag, 412},
	} {
		patched, err := session.Patch(t.Context(), c.fragment, c.ifMatch)
		status := 204
		if err != nil {
			status = patchStatus(err)
		} else if patched.Fragment != "" {
			status = 200
			if patched.ETag == tag || patched.ETag != session.ETag() || !strings.Contains(patched.Fragment, "a=ice-pwd:") ||
				!strings.Contains(patched.Fragment, " 127.0.0.1 ") {
				t.Errorf("%s: %+v", c.name, patched)
			}
		}
		if status != c.status {
			t.Errorf("%s: %d (%v), want %d", c.name, status, err, c.status)
		}
	}
	session.Close(whip.Stopped)
	session.Close(whip.Failed) // twice changes nothing
	if _, err := session.Patch(t.Context(), someCandidate, "*"); !errors.Is(err, whip.ErrClosed) {
		t.Errorf("a patch of an ended session: %v", err)
	}
}

func TestRefusedOverHTTP(t *testing.T) {
	t.Parallel()
	server := listen(t)
	url := endpoint(t, server, newRecording)
	for offer, want := range map[string]int{
		"":        400,
		"garbage": 400,
		"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n": 406,
		strings.Repeat("a", 200_000):                        400,
	} {
		resp, err := http.Post(url, "application/sdp", strings.NewReader(offer))
		if err != nil {
			t.Fatal(err)
		}
		sentence, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want || !strings.HasSuffix(strings.TrimSpace(string(sentence)), ".") {
			t.Errorf("%.20q: %d %s, want %d", offer, resp.StatusCode, sentence, want)
		}
	}
	if n := server.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) {
		c.Public = []string{"203.0.113.5"}
		c.ICEServers = []whip.ICEServer{
			{URLs: []string{"stun:stun.example.net"}},
			{URLs: []string{"turn:turn.example.net?transport=udp"}, Username: "user", Credential: `my"Pass`},
		}
	})
	want := []string{
		`<stun:stun.example.net>; rel="ice-server"`,
		`<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="my\"Pass"; credential-type="password"`,
	}
	for i, link := range server.Links("ada") {
		if link != want[i] {
			t.Errorf("%s, want %s", link, want[i])
		}
	}
	session, sink := openFirefox(t, server)
	if answer := session.Answer(); !strings.Contains(answer, " 203.0.113.5 ") || strings.Contains(answer, "127.0.0.1") {
		t.Errorf("the answer tells other addresses:\n%s", answer)
	}
	if err := session.Send([]byte("{}")); !errors.Is(err, whip.ErrNoChannel) {
		t.Errorf("a message without a channel: %v", err)
	}
	session.End("duration")
	sink.wait(t, "duration")
}
