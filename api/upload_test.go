package api

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hark/api/intake"
	"hark/api/messages"
	"hark/api/problem"
	"hark/storage"
)

// TestRefusals is the table of what is not taken, each with its status and a
// sentence for the sender.
func TestRefusals(t *testing.T) {
	h := newHarness(t)
	stranger := h.stranger()
	mine, theirs := h.owner.conversation(), stranger.conversation()
	post := func(c *client, conversation string, body []byte, headers ...string) *answer {
		return c.send(http.MethodPost, "/v1/conversations/"+conversation+"/messages", bytes.NewReader(body), headers...)
	}
	revoked := h.user("Rita", storage.RoleMember)
	must(t, h.db.RevokeToken(t.Context(), revoked.principal, revoked.principal.CredentialID))
	nobody := *h.owner
	nobody.token = ""

	jpeg := append([]byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01"), make([]byte, 5000)...)
	promises := append(wavHeader(4_294_967_000, 8000), make([]byte, 0)...)
	m4a := append([]byte("\x00\x00\x00\x1CftypM4A \x00\x00\x02\x00M4A isomiso2"), box("mdat", make([]byte, 4000))...)
	mp3 := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x0A0123456789"), make([]byte, 4000)...)
	long := wavHeader(500_000, 100) // 100 samples a second: 2,500 s in 500 kB
	long = append(long, make([]byte, 500_000)...)

	sonarc := append(wavHeader(2000, 8000), make([]byte, 2000)...)
	binary.LittleEndian.PutUint16(sonarc[20:], 0x21)

	for name, c := range map[string]struct {
		answer *answer
		status int
		code   string
	}{
		"empty body":                       {post(h.owner, mine, nil), 400, "empty_recording"},
		"text file":                        {post(h.owner, mine, []byte("Dear diary, nothing was said today.\n")), 415, "not_audio"},
		"a JPEG named .mp3":                {post(h.owner, mine, jpeg, "Content-Type", "audio/mpeg", "Content-Disposition", `attachment; filename="song.mp3"`), 415, "not_audio"},
		"a WAV that promises 4 GB":         {post(h.owner, mine, promises), 422, "damaged_recording"},
		"a WAV that nobody decodes":        {post(h.owner, mine, sonarc), 415, "not_audio"},
		"a truncated m4a":                  {post(h.owner, mine, m4a), 422, "damaged_recording"},
		"an MP3 of no frames":              {post(h.owner, mine, mp3), 422, "damaged_recording"},
		"longer than the limit":            {post(h.owner, mine, long), 422, "too_long"},
		"an unknown conversation":          {post(h.owner, storage.NewID(), sine(time.Second)), 404, "not_found"},
		"another workspace's conversation": {post(h.owner, theirs, sine(time.Second)), 404, "not_found"},
		"no conversation's id":             {post(h.owner, "general", sine(time.Second)), 404, "not_found"},
		"no token":                         {post(&nobody, mine, sine(time.Second)), 401, "unauthorized"},
		"a revoked token":                  {post(revoked, mine, sine(time.Second)), 401, "unauthorized"},
		"a body over the limit":            {post(h.owner, mine, append(wavHeader(2<<20, 8000), make([]byte, 2<<20)...)), 413, "too_large"},
		"a reply to nothing":               {h.owner.send("POST", "/v1/conversations/"+mine+"/messages?reply_to="+storage.NewID(), bytes.NewReader(sine(time.Second))), 422, "validation_failed"},
		"a query that is not known":        {h.owner.send("POST", "/v1/conversations/"+mine+"/messages?titel=x", bytes.NewReader(sine(time.Second))), 422, "validation_failed"},
		"a form without a boundary":        {post(h.owner, mine, []byte("abcd"), "Content-Type", "multipart/form-data"), 400, "bad_request"},
		"a form without a recording":       {post(h.owner, mine, []byte("--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx\r\n--b--\r\n"), "Content-Type", "multipart/form-data; boundary=b"), 422, "validation_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			c.answer.t = t
			p := c.answer.problem(c.status, c.code)
			if !strings.HasSuffix(p.Detail, ".") || strings.Contains(p.Detail, "%!") {
				t.Errorf("no sentence: %q", p.Detail)
			}
			t.Log(p.Detail)
		})
	}
	if n := h.objs.count(); n != 0 {
		t.Errorf("%d objects remain of what was refused", n)
	}
}

func box(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(b, name...), body...)
}

func TestUpload(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	first := h.owner.record(conversation)
	path := "/v1/conversations/" + conversation + "/messages"

	t.Run("raw", func(t *testing.T) {
		a := h.owner.send("POST", path+"?title=+Noon+&reply_to="+first.ID+"&reply_at_ms=250&recorded_at=2026-03-01T10:30:00%2B01:00&filename=../a%2Fbridge.wav&priority=bulk",
			bytes.NewReader(sine(time.Second)), "Content-Type", "application/x-www-form-urlencoded").want(201)
		m := decode[messages.Message](a)
		if a.header.Get("Location") != "/v1/messages/"+m.ID || m.Title != "Noon" || m.ReplyTo != first.ID || *m.ReplyAtMS != 250 ||
			m.Original.Filename != "bridge.wav" || m.Original.MediaType != "audio/wav" || m.State != storage.Received ||
			!m.RecordedAt.Equal(time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)) || *m.DurationMS != 1000 {
			t.Errorf("%s", a.body)
		}
		stored := h.owner.get(m.Links.Audio).want(200)
		if !bytes.Equal(stored.body, sine(time.Second)) {
			t.Error("what is played is not what was sent")
		}
	})
	t.Run("form", func(t *testing.T) {
		body, contentType := formWith(sine(time.Second), "reply_to", first.ID, "|", "title", "Behind", "reply_at_ms", "99")
		a := h.owner.send("POST", path, bytes.NewReader(body), "Content-Type", contentType).want(201)
		m := decode[messages.Message](a)
		if m.Title != "Behind" || m.ReplyTo != first.ID || *m.ReplyAtMS != 99 || m.Original.Filename != "höre 🎙.wav" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("form refused behind the recording", func(t *testing.T) {
		before := h.objs.count()
		body, contentType := formWith(sine(time.Second), "|", "reply_to", storage.NewID())
		h.owner.send("POST", path, bytes.NewReader(body), "Content-Type", contentType).problem(422, "validation_failed")
		if h.objs.count() != before {
			t.Error("the object remains")
		}
	})
	t.Run("a form with another name for the recording", func(t *testing.T) {
		body := "--b\r\nContent-Disposition: form-data; name=\"voice\"; filename=\"v.wav\"\r\n\r\n" + string(sine(time.Second)) + "\r\n--b--\r\n"
		m := decode[messages.Message](h.owner.send("POST", path, strings.NewReader(body), "Content-Type", "multipart/form-data; boundary=b").want(201))
		if m.Original.Filename != "v.wav" || m.Original.Bytes != int64(len(sine(time.Second))) {
			t.Errorf("%+v", m.Original)
		}
	})
}

// TestUnusualUploads sends what is taken all the same.
func TestUnusualUploads(t *testing.T) {
	h := newHarness(t)
	path := "/v1/conversations/" + h.owner.conversation() + "/messages"

	t.Run("a header that lies", func(t *testing.T) {
		short := wavHeader(16_000, 8000) // of the two seconds it promises, one is there
		m := decode[messages.Message](h.owner.send("POST", path, bytes.NewReader(append(short, make([]byte, 8000)...))).want(201))
		days := append([]byte("ID3\x03\x00\x00\x00\x00\x01\x00"), make([]byte, 128)...)
		mp3 := append(days, liar()...)
		n := decode[messages.Message](h.owner.send("POST", path, bytes.NewReader(mp3)).want(201))
		if n.DurationMS != nil && *n.DurationMS > 60_000 {
			t.Errorf("%d ms are shown for %d bytes", *n.DurationMS, len(mp3))
		}
		if m.DurationMS == nil || *m.DurationMS > 1000 {
			t.Errorf("%+v", m)
		}
	})
	t.Run("an offset whose plus sign is not escaped", func(t *testing.T) {
		m := decode[messages.Message](h.owner.send("POST", path+"?recorded_at=2026-03-01T09:31:15+02:00", bytes.NewReader(sine(time.Second))).want(201))
		if !m.RecordedAt.Equal(time.Date(2026, 3, 1, 7, 31, 15, 0, time.UTC)) {
			t.Errorf("recorded at %v", m.RecordedAt)
		}
	})
	t.Run("a clock that is ahead", func(t *testing.T) {
		for name, ahead := range map[string]time.Duration{"a minute": time.Minute, "an hour": time.Hour, "a week": 7 * 24 * time.Hour} {
			at := path + "?recorded_at=" + storage.Now().Add(ahead).UTC().Format(time.RFC3339)
			first := h.owner.send("POST", at, bytes.NewReader(sine(time.Second)), "Idempotency-Key", "ahead by "+name).want(201)
			m := decode[messages.Message](first)
			if m.RecordedAt.After(storage.Now()) || m.RecordedAt.Before(m.CreatedAt.Add(-time.Minute)) {
				t.Errorf("%s ahead: recorded at %v, created at %v", name, m.RecordedAt, m.CreatedAt)
			}
			again := h.owner.send("POST", at, bytes.NewReader(sine(time.Second)), "Idempotency-Key", "ahead by "+name).want(201)
			if decode[messages.Message](again).ID != m.ID || again.header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s ahead: the same request made another message: %s", name, again.body)
			}
		}
	})
	t.Run("larger than a part", func(t *testing.T) {
		// Unknown length: no Content-Length, so the store gets a stream.
		a := h.owner.send("POST", path, struct{ *bytes.Reader }{bytes.NewReader(sine(time.Minute))}).want(201)
		if m := decode[messages.Message](a); m.Original.Bytes != int64(len(sine(time.Minute))) {
			t.Errorf("%s", a.body)
		}
	})
}

func TestStoreAway(t *testing.T) {
	h := newHarness(t)
	conversation := h.owner.conversation()
	h.objs.fail = errStoreAway
	a := h.owner.send("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(sine(time.Second)))
	a.problem(503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no word of when to try again")
	}
	if strings.Contains(string(a.body), errStoreAway.Error()) {
		t.Error("the private cause is told")
	}
	if !strings.Contains(h.log.String(), errStoreAway.Error()) {
		t.Error("the private cause is not logged")
	}
}

// TestOutcomeUnknown loses the database in mid-commit: the message may be
// there, so its sound must stay for the sweep to decide.
func TestOutcomeUnknown(t *testing.T) {
	h := newHarness(t, options{deps: func(d *Deps) { d.Records.Intake = unsure{d.Records.Intake} }})
	conversation := h.owner.conversation()
	h.owner.send("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(sine(time.Second))).problem(500, "internal")
	if h.objs.count() != 1 {
		t.Error("the object is gone")
	}
	if !strings.Contains(h.log.String(), errConnectionLost.Error()) {
		t.Error("the cause is not logged")
	}
}

// TestNoSpace fills the disk under a sender, who is told so.
func TestNoSpace(t *testing.T) {
	err := fmt.Errorf("store clip: %w: %w", intake.ErrUnavailable, storage.ErrNoSpace)
	if p := problem.From(err, messages.Problem); p.Status != http.StatusInsufficientStorage || p.Code != "no_space" || p.GetHeaders().Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
}

// liar is an MP3 of ten frames whose Xing header counts a million.
func liar() []byte {
	frame := append([]byte{0xFF, 0xFB, 0x50, 0xC4}, make([]byte, 204)...) // 64 kbit/s, 44.1 kHz, mono
	xing := bytes.Clone(frame)
	copy(xing[4+17:], "Xing\x00\x00\x00\x01\x00\x0F\x42\x40")
	return append(xing, bytes.Repeat(frame, 10)...)
}
