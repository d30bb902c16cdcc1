package api

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/api/messages"
	"hark/api/sound"
)

// player reads a clip as players do: a range for what plays next, another
// when it seeks, none while it pauses.
type player struct {
	*client
	address string // what the last request ended at; a player goes on from there
	tag     string
}

// hears reads n bytes from off, and checks that they are still of the clip
// that it began with.
func (p *player) hears(off, n int, of []byte) {
	p.t.Helper()
	headers := []string{"Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1)}
	if p.tag != "" {
		headers = append(headers, "If-Range", p.tag)
	}
	a := p.get(p.address, headers...).want(206)
	p.address, p.tag = a.address, a.header.Get("Etag")
	if !bytes.Equal(a.body, of[off:off+n]) {
		p.t.Errorf("%d bytes at %d of %s are not of the clip that plays", len(a.body), off, p.address)
	}
	if got, want := a.header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", off, off+n-1, len(of)); got != want {
		p.t.Errorf("range %q; want %q", got, want)
	}
}

// TestAudioAcrossTheChange: a rendition that is made while the original plays
// has an address of its own, and no byte of it reaches who plays the original.
func TestAudioAcrossTheChange(t *testing.T) {
	h := newHarness(t)
	m := h.owner.record(h.owner.conversation())
	original, rendition := sine(time.Second), []byte("a rendition")
	bare := "/v1/messages/" + m.ID + "/audio"

	signed := decode[sound.AudioURL](h.owner.get("/v1/messages/" + m.ID + "/audio-url").want(200)).URL
	players := []*player{}
	for _, address := range []string{m.Links.Audio, bare, m.Links.Original, requestURI(t, signed)} {
		player := &player{client: h.owner, address: address}
		player.hears(0, 64, original)
		players = append(players, player)
	}

	h.finish(m.ID, "a word")

	for _, player := range players {
		player.hears(64, 4000, original)
		player.hears(15000, 1044, original) // seeks on
		player.hears(100, 100, original)    // and back
	}
	renewed := decode[messages.Message](h.owner.get("/v1/messages/" + m.ID).want(200))
	if renewed.Links.Audio == m.Links.Audio || renewed.Links.Original != m.Links.Original {
		t.Errorf("links %+v, and before %+v", renewed.Links, m.Links)
	}
	fresh := &player{client: h.owner, address: bare}
	fresh.hears(0, 4, rendition)
	if fresh.address != renewed.Links.Audio {
		t.Errorf("%s leads to %s; want %s", bare, fresh.address, renewed.Links.Audio)
	}
	fresh.hears(4, 7, rendition)
}

// TestAudioAddresses: an address names one clip, in all it says of it.
func TestAudioAddresses(t *testing.T) {
	h := newHarness(t)
	m := h.owner.record(h.owner.conversation())
	bare := "/v1/messages/" + m.ID + "/audio"
	h.owner.get(bare+"?format=rendition").problem(404, "rendition_not_ready")
	h.owner.get("/v1/messages/"+m.ID+"/audio-url?format=rendition").problem(404, "rendition_not_ready")
	h.finish(m.ID, "a word")
	current := decode[messages.Message](h.owner.get("/v1/messages/" + m.ID)).Links.Audio

	for _, method := range []string{"GET", "HEAD"} {
		for from, to := range map[string]string{
			bare:                                     current,
			bare + "?format=rendition":               current,
			bare + "?download=true":                  current + "&download=true",
			bare + "?format=rendition&download=true": current + "&download=true",
		} {
			a := h.owner.unfollowed().send(method, from, nil, "Range", "bytes=0-3", "If-None-Match", "*").want(307)
			if !sameAddress(t, a.header.Get("Location"), to) || a.header.Get("Cache-Control") != "no-store" || len(a.body) != 0 {
				t.Errorf("%s %s leads to %s, %v", method, from, a.header.Get("Location"), a.header)
			}
		}
		other := strings.Replace(current, "v=", "v=0", 1)
		a := h.owner.send(method, other, nil, "Range", "bytes=0-3").want(410)
		if method == "GET" {
			a.problem(410, "representation_gone")
		}
		h.owner.send(method, bare+"?format=original&v=0", nil).want(410)
	}
	h.owner.get(bare+"?v=0").problem(422, "validation_failed")
	h.owner.get(bare+"?format=flac").problem(422, "validation_failed")

	sent, made := h.owner.get(m.Links.Original).header, h.owner.get(current).header
	if tag := sent.Get("Etag"); tag == made.Get("Etag") || strings.HasPrefix(tag, "W/") || strings.HasPrefix(made.Get("Etag"), "W/") {
		t.Errorf("tags %s and %s", tag, made.Get("Etag"))
	}
	// A title is no part of the sound.
	h.owner.json("PATCH", "/v1/messages/"+m.ID, map[string]string{"title": "Another"}).want(200)
	again := h.owner.get(current).want(200).header
	if again.Get("Etag") != made.Get("Etag") || again.Get("Last-Modified") != made.Get("Last-Modified") {
		t.Errorf("another title makes another clip: %v, %v", again, made)
	}
}

// TestSignedAudioAddresses: a signature holds for the clip it was made for.
func TestSignedAudioAddresses(t *testing.T) {
	h := newHarness(t)
	m := h.owner.record(h.owner.conversation())
	h.finish(m.ID, "a word")
	anybody := *h.owner
	anybody.token = ""
	signed, err := url.Parse(decode[sound.AudioURL](h.owner.get("/v1/messages/" + m.ID + "/audio-url").want(200)).URL)
	must(t, err)
	if a := anybody.get(signed.RequestURI()).want(200); string(a.body) != "a rendition" {
		t.Errorf("%q", a.body)
	}
	anybody.get(signed.RequestURI() + "&download=true").want(200)
	for name, change := range map[string]func(url.Values){
		"another form":    func(q url.Values) { q.Set("format", "original") },
		"another version": func(q url.Values) { q.Set("v", "0") },
		"no version":      func(q url.Values) { q.Del("v") },
		"no form":         func(q url.Values) { q.Del("format"); q.Del("v") },
	} {
		q := signed.Query()
		change(q)
		if a := anybody.get(signed.Path + "?" + q.Encode()); a.status != 401 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

func requestURI(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.RequestURI()
}

func sameAddress(t *testing.T, a, b string) bool {
	t.Helper()
	first, err := url.Parse(a)
	must(t, err)
	second, err := url.Parse(b)
	must(t, err)
	return first.Path == second.Path && first.Query().Encode() == second.Query().Encode()
}
