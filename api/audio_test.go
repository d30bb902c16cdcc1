package api

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/api/messages"
	"hark/api/sound"
	"hark/storage"
)

func TestAudio(t *testing.T) {
	h := newHarness(t)
	clip := sine(time.Second)
	m := decode[messages.Message](h.owner.send("POST", "/v1/conversations/"+h.owner.conversation()+"/messages?filename=br%C3%BCcke.wav", bytes.NewReader(clip)).want(201))

	t.Run("before any work", func(t *testing.T) {
		a := h.owner.get(m.Links.Audio).want(200)
		if !bytes.Equal(a.body, clip) || a.header.Get("Content-Type") != "audio/wav" {
			t.Errorf("%d bytes of %s", len(a.body), a.header.Get("Content-Type"))
		}
		for name, want := range map[string]string{
			"Accept-Ranges":           "bytes",
			"Etag":                    `"` + m.Original.SHA256 + `"`,
			"Content-Disposition":     `inline; filename="br_cke.wav"; filename*=UTF-8''br%C3%BCcke.wav`,
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "default-src 'none'; sandbox",
			"Cache-Control":           "private, max-age=0, must-revalidate",
			"Last-Modified":           m.CreatedAt.Format(http.TimeFormat),
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %q; want %q", name, got, want)
			}
		}
	})
	h.finish(m.ID, "a word")

	t.Run("after the work", func(t *testing.T) {
		a := h.owner.get("/v1/messages/" + m.ID + "/audio").want(200)
		if string(a.body) != "a rendition" || a.header.Get("Content-Type") != "audio/mp4" || !strings.Contains(a.header.Get("Content-Disposition"), ".m4a") {
			t.Errorf("%q, %v", a.body, a.header)
		}
		original := h.owner.get(m.Links.Original + "&download=true").want(200)
		if !bytes.Equal(original.body, clip) || !strings.HasPrefix(original.header.Get("Content-Disposition"), "attachment;") {
			t.Errorf("%d bytes, %v", len(original.body), original.header)
		}
	})
}

func TestAudioRanges(t *testing.T) {
	h := newHarness(t)
	clip := sine(time.Second)
	m := h.owner.record(h.owner.conversation())
	etag := `"` + m.Original.SHA256 + `"`
	modified := m.CreatedAt.Format(http.TimeFormat)
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
		want    []byte
		span    string
	}{
		"whole":                 {"GET", nil, 200, clip, ""},
		"first bytes":           {"GET", []string{"Range", "bytes=0-99"}, 206, clip[:100], "bytes 0-99/16044"},
		"middle":                {"GET", []string{"Range", "bytes=1000-1999"}, 206, clip[1000:2000], "bytes 1000-1999/16044"},
		"to the end":            {"GET", []string{"Range", "bytes=16000-"}, 206, clip[16000:], "bytes 16000-16043/16044"},
		"last bytes":            {"GET", []string{"Range", "bytes=-44"}, 206, clip[16000:], "bytes 16000-16043/16044"},
		"past the end":          {"GET", []string{"Range", "bytes=16000-99999"}, 206, clip[16000:], "bytes 16000-16043/16044"},
		"several":               {"GET", []string{"Range", "bytes=0-1,5-6"}, 200, clip, ""},
		"malformed":             {"GET", []string{"Range", "bytes=x"}, 200, clip, ""},
		"held tag":              {"GET", []string{"Range", "bytes=0-9", "If-Range", etag}, 206, clip[:10], "bytes 0-9/16044"},
		"held time":             {"GET", []string{"Range", "bytes=0-9", "If-Range", modified}, 206, clip[:10], "bytes 0-9/16044"},
		"other tag":             {"GET", []string{"Range", "bytes=0-9", "If-Range", `"x"`}, 200, clip, ""},
		"behind, but other":     {"GET", []string{"Range", "bytes=99999-", "If-Range", `"x"`}, 200, clip, ""},
		"fresh by tag":          {"GET", []string{"If-None-Match", etag}, 304, nil, ""},
		"fresh by time":         {"GET", []string{"If-Modified-Since", modified}, 304, nil, ""},
		"stale":                 {"GET", []string{"If-None-Match", `"x"`}, 200, clip, ""},
		"head":                  {"HEAD", nil, 200, nil, ""},
		"head of a part":        {"HEAD", []string{"Range", "bytes=0-99"}, 206, nil, "bytes 0-99/16044"},
		"head of what is fresh": {"HEAD", []string{"If-None-Match", etag}, 304, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.owner.send(c.method, m.Links.Original, nil, c.headers...).want(c.status)
			if !bytes.Equal(a.body, c.want) || a.header.Get("Content-Range") != c.span {
				t.Errorf("%d bytes, %q", len(a.body), a.header.Get("Content-Range"))
			}
			if c.method == "HEAD" && c.status == 200 && a.header.Get("Content-Length") != "16044" {
				t.Errorf("length %s", a.header.Get("Content-Length"))
			}
			if a.header.Get("Etag") != etag {
				t.Errorf("tag %s", a.header.Get("Etag"))
			}
		})
	}
	behind := h.owner.get(m.Links.Audio, "Range", "bytes=16044-")
	behind.problem(416, "range_not_satisfiable")
	if got := behind.header.Get("Content-Range"); got != "bytes */16044" {
		t.Errorf("Content-Range %q", got)
	}
}

func TestAudioURL(t *testing.T) {
	h := newHarness(t)
	mate := h.user("Mia", storage.RoleMember)
	conversation := h.owner.conversation(mate)
	m := h.owner.record(conversation)
	signed := decode[sound.AudioURL](mate.get("/v1/messages/" + m.ID + "/audio-url?format=original").want(200))
	address, err := url.Parse(signed.URL)
	must(t, err)
	if address.Host != "hark.test" || time.Until(signed.ExpiresAt) > 16*time.Minute {
		t.Errorf("%+v", signed)
	}
	player := *h.owner
	player.token = ""
	if a := player.get(address.RequestURI(), "Range", "bytes=0-3").want(206); string(a.body) != "RIFF" {
		t.Errorf("%q", a.body)
	}
	player.get(address.RequestURI()+"x").problem(401, "unauthorized")
	player.get(strings.Replace(address.RequestURI(), "/audio?", "/transcript?", 1)).problem(401, "unauthorized")
	if log := h.log.String(); strings.Contains(log, address.Query().Get("signature")) || strings.Contains(log, mate.token) {
		t.Error("a secret is in the log")
	}
	must(t, h.db.RemoveConversationMember(t.Context(), h.owner.principal, conversation, mate.principal.UserID))
	player.get(address.RequestURI()).problem(404, "not_found")
}

// TestSignedAddressEndsWithItsCredential: an address plays no longer than the
// credential holds with which somebody asked for it.
func TestSignedAddressEndsWithItsCredential(t *testing.T) {
	h := newHarness(t)
	m := h.owner.record(h.owner.conversation())
	again := h.clientFor(h.owner.principal.WorkspaceID, storage.User{ID: h.owner.principal.UserID})
	signed := func(c *client) string {
		return requestURI(t, decode[sound.AudioURL](c.get("/v1/messages/"+m.ID+"/audio-url").want(200)).URL)
	}
	kept, ended := signed(h.owner), signed(again)
	player := *h.owner
	player.token = ""
	player.get(ended).want(200)
	again.send("DELETE", "/v1/tokens/"+again.principal.CredentialID, nil).want(204)
	player.get(ended).problem(401, "unauthorized")
	player.get(kept).want(200)
}

func TestTranscriptForms(t *testing.T) {
	h := newHarness(t)
	m := h.owner.record(h.owner.conversation())
	if p := h.owner.get(m.Links.Transcript).problem(404, "transcript_not_ready"); p.State != "received" {
		t.Errorf("%+v", p)
	}
	h.owner.get(m.Links.Waveform).problem(404, "waveform_not_ready")
	h.owner.get("/v1/messages/"+storage.NewID()+"/transcript").problem(404, "not_found")
	h.finish(m.ID, "Hark & listen.")

	for name, c := range map[string]struct{ suffix, accept, mediaType, want string }{
		"plain request":    {"", "", "application/json", `"text":"Hark & listen."`},
		"anything":         {"", "*/*", "application/json", `"version":1`},
		"asked for VTT":    {"", "text/vtt", "text/vtt; charset=utf-8", "WEBVTT\n"},
		"asked by quality": {"", "application/json;q=0.1, application/x-subrip", "application/x-subrip; charset=utf-8", "00:00:00,000 --> "},
		"asked for text":   {"", "text/plain", "text/plain; charset=utf-8", "Hark & listen.\n"},
		".json":            {".json", "text/vtt", "application/json", `"start_ms":0`},
		".vtt":             {".vtt", "", "text/vtt; charset=utf-8", "Hark &amp; listen."},
		".srt":             {".srt", "", "application/x-subrip; charset=utf-8", "Hark & listen."},
		".txt":             {".txt", "", "text/plain; charset=utf-8", "Hark & listen.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.owner.get(m.Links.Transcript+c.suffix, "Accept", c.accept).want(200)
			if a.header.Get("Content-Type") != c.mediaType || !strings.Contains(string(a.body), c.want) {
				t.Errorf("%s: %s", a.header.Get("Content-Type"), a.body)
			}
			again := h.owner.get(m.Links.Transcript+c.suffix, "Accept", c.accept, "If-None-Match", a.header.Get("Etag")).want(304)
			if len(again.body) != 0 {
				t.Error("a copy that is good came again")
			}
		})
	}
	h.owner.get(m.Links.Transcript, "Accept", "image/png").problem(406, "not_acceptable")
	if wave := decode[sound.Waveform](h.owner.get(m.Links.Waveform).want(200)); len(wave.Peaks) != 100 || wave.DurationMS != 1000 {
		t.Errorf("%+v", wave)
	}
}
