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
	"hark/storage"
)

// TestRefusals is the table of what is not taken, each with its status and a
// sentence for the sender.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	stranger := w.stranger()
	mine, theirs := w.owner.conversation(), stranger.conversation()
	post := func(c *client, conversation string, body []byte, headers ...string) *answer {
		return c.send(http.MethodPost, "/v1/conversations/"+conversation+"/messages", bytes.NewReader(body), headers...)
	}
	revoked := w.user("Rita", storage.RoleMember)
	must(t, w.db.RevokeToken(t.Context(), revoked.actor, revoked.actor.TokenID))
	nobody := *w.owner
	nobody.token = ""

	jpeg := append([]byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01"), make([]byte, 5000)...)
	promises := append(wavHeader(4_294_967_000, 8000), make([]byte, 0)...)
	m4a := append([]byte("\x00\x00\x00\x1CftypM4A \x00\x00\x02\x00M4A isomiso2"), box("mdat", make([]byte, 4000))...)
	mp3 := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x0A0123456789"), make([]byte, 4000)...)
	long := wavHeader(500_000, 100) // 100 samples a second: 2,500 s in 500 kB
	long = append(long, make([]byte, 500_000)...)

	for name, c := range map[string]struct {
		answer *answer
		status int
		code   string
	}{
		"empty body":                       {post(w.owner, mine, nil), 400, "empty_recording"},
		"text file":                        {post(w.owner, mine, []byte("Dear diary, nothing was said today.\n")), 415, "not_audio"},
		"a JPEG named .mp3":                {post(w.owner, mine, jpeg, "Content-Type", "audio/mpeg", "Content-Disposition", `attachment; filename="song.mp3"`), 415, "not_audio"},
		"a WAV that promises 4 GB":         {post(w.owner, mine, promises), 422, "damaged_recording"},
		"a truncated m4a":                  {post(w.owner, mine, m4a), 422, "damaged_recording"},
		"an MP3 of no frames":              {post(w.owner, mine, mp3), 422, "damaged_recording"},
		"longer than the limit":            {post(w.owner, mine, long), 422, "too_long"},
		"an unknown conversation":          {post(w.owner, storage.NewID(), sine(time.Second)), 404, "not_found"},
		"another workspace's conversation": {post(w.owner, theirs, sine(time.Second)), 404, "not_found"},
		"no conversation's id":             {post(w.owner, "general", sine(time.Second)), 404, "not_found"},
		"no token":                         {post(&nobody, mine, sine(time.Second)), 401, "unauthorized"},
		"a revoked token":                  {post(revoked, mine, sine(time.Second)), 401, "unauthorized"},
		"a body over the limit":            {post(w.owner, mine, append(wavHeader(2<<20, 8000), make([]byte, 2<<20)...)), 413, "too_large"},
		"a reply to nothing":               {w.owner.send("POST", "/v1/conversations/"+mine+"/messages?reply_to="+storage.NewID(), bytes.NewReader(sine(time.Second))), 422, "validation_failed"},
		"a query that is not known":        {w.owner.send("POST", "/v1/conversations/"+mine+"/messages?titel=x", bytes.NewReader(sine(time.Second))), 422, "validation_failed"},
		"a form without a boundary":        {post(w.owner, mine, []byte("abcd"), "Content-Type", "multipart/form-data"), 400, "bad_request"},
		"a form without a recording":       {post(w.owner, mine, []byte("--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx\r\n--b--\r\n"), "Content-Type", "multipart/form-data; boundary=b"), 422, "validation_failed"},
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
	if n := w.objs.count(); n != 0 {
		t.Errorf("%d objects remain of what was refused", n)
	}
}

func box(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(b, name...), body...)
}

func TestUpload(t *testing.T) {
	w := newWorld(t)
	conversation := w.owner.conversation()
	first := w.owner.record(conversation)
	path := "/v1/conversations/" + conversation + "/messages"

	t.Run("raw", func(t *testing.T) {
		a := w.owner.send("POST", path+"?title=+Noon+&reply_to="+first.ID+"&reply_at_ms=250&recorded_at=2026-03-01T10:30:00%2B01:00&filename=../a%2Fbridge.wav&priority=bulk",
			bytes.NewReader(sine(time.Second)), "Content-Type", "application/x-www-form-urlencoded").want(201)
		m := decode[Message](a)
		if a.header.Get("Location") != "/v1/messages/"+m.ID || m.Title != "Noon" || m.ReplyTo != first.ID || *m.ReplyAtMS != 250 ||
			m.Original.Filename != "bridge.wav" || m.Original.MediaType != "audio/wav" || m.State != storage.Received ||
			!m.RecordedAt.Equal(time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)) || *m.DurationMS != 1000 {
			t.Errorf("%s", a.body)
		}
		stored := w.owner.get(m.Links.Audio).want(200)
		if !bytes.Equal(stored.body, sine(time.Second)) {
			t.Error("what is played is not what was sent")
		}
	})
	t.Run("form", func(t *testing.T) {
		body, contentType := formWith(sine(time.Second), "reply_to", first.ID, "|", "title", "Behind", "reply_at_ms", "99")
		a := w.owner.send("POST", path, bytes.NewReader(body), "Content-Type", contentType).want(201)
		m := decode[Message](a)
		if m.Title != "Behind" || m.ReplyTo != first.ID || *m.ReplyAtMS != 99 || m.Original.Filename != "höre 🎙.wav" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("form refused behind the recording", func(t *testing.T) {
		before := w.objs.count()
		body, contentType := formWith(sine(time.Second), "|", "reply_to", storage.NewID())
		w.owner.send("POST", path, bytes.NewReader(body), "Content-Type", contentType).problem(422, "validation_failed")
		if w.objs.count() != before {
			t.Error("the object remains")
		}
	})
	t.Run("larger than a part", func(t *testing.T) {
		// Unknown length: no Content-Length, so the store gets a stream.
		a := w.owner.send("POST", path, struct{ *bytes.Reader }{bytes.NewReader(sine(time.Minute))}).want(201)
		if m := decode[Message](a); m.Original.Bytes != int64(len(sine(time.Minute))) {
			t.Errorf("%s", a.body)
		}
	})
}

func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	conversation := w.owner.conversation()
	w.objs.fail = errStoreAway
	a := w.owner.send("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(sine(time.Second)))
	a.problem(503, "unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no word of when to try again")
	}
	if strings.Contains(string(a.body), errStoreAway.Error()) {
		t.Error("the private cause is told")
	}
	if !strings.Contains(w.log.String(), errStoreAway.Error()) {
		t.Error("the private cause is not logged")
	}
}

// TestOutcomeUnknown loses the database in mid-commit: the message may be
// there, so its sound must stay for the sweep to decide.
func TestOutcomeUnknown(t *testing.T) {
	w := newWorld(t, options{deps: func(d *Deps) { d.DB = brokenLedger{d.DB} }})
	conversation := w.owner.conversation()
	w.owner.send("POST", "/v1/conversations/"+conversation+"/messages", bytes.NewReader(sine(time.Second))).problem(500, "internal")
	if w.objs.count() != 1 {
		t.Error("the object is gone")
	}
	if !strings.Contains(w.log.String(), errConnectionLost.Error()) {
		t.Error("the cause is not logged")
	}
}

// TestQueueAway keeps messages while no job can be published.
func TestQueueAway(t *testing.T) {
	w := newWorld(t, options{deps: func(d *Deps) { d.Bus = deafBus{sharedBus} }})
	m := w.owner.record(w.owner.conversation())
	if due, err := w.db.DueJobs(t.Context(), 10); err != nil || len(due) != 1 {
		t.Errorf("%v, %v: the sweeper would not find the job of %s", due, err, m.ID)
	}
}

// TestNoSpace fills the disk under a sender, who is told so.
func TestNoSpace(t *testing.T) {
	err := fmt.Errorf("store clip: %w: %w", intake.ErrUnavailable, storage.ErrNoSpace)
	if p := problemOf(err); p.Status != http.StatusInsufficientStorage || p.Code != "no_space" || p.headers.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
}
