package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"hark/api/intake"
	"hark/api/limit"
	"hark/api/messages"
	"hark/storage"
)

func TestLimits(t *testing.T) {
	per := limit.Rate{N: 3, Per: time.Hour}
	h := newHarness(t, options{config: func(c *Config) {
		c.Limits = limit.Config{Searches: per, Tokens: per, Conversations: per, Members: per, Retries: per, Renames: per, Streams: 2}
	}})
	mia := h.user("Mia", storage.RoleMember)
	talk := mia.conversation()
	m := mia.record(talk)
	people := make([]string, 4)
	for i := range people {
		people[i] = h.user(string(rune('A'+i)), storage.RoleMember).principal.UserID
	}
	for class, c := range map[limit.Class]struct {
		method, path string
		body         func(i int) any
		left         int // how often it may be done, where something was used before
	}{
		limit.Searches:      {"GET", "/v1/search?q=x", func(int) any { return nil }, 3},
		limit.Tokens:        {"POST", "/v1/tokens", func(int) any { return map[string]any{"name": "x"} }, 3},
		limit.Conversations: {"POST", "/v1/conversations", func(int) any { return map[string]any{"kind": "channel", "title": "x"} }, 2},
		limit.Members: {"POST", "/v1/conversations/" + talk + "/members", func(i int) any {
			return map[string]any{"user_id": people[i]}
		}, 3},
		limit.Renames: {"PATCH", "/v1/me", func(i int) any { return map[string]any{"name": people[i]} }, 3},
		limit.Retries: {"POST", "/v1/messages/" + m.ID + "/retry", func(int) any { return nil }, 3},
	} {
		t.Run(string(class), func(t *testing.T) {
			for i := range c.left {
				a := mia.json(c.method, c.path, c.body(i))
				if a.status == http.StatusTooManyRequests || !strings.HasPrefix(a.header.Get("RateLimit"), `"`+string(class)+`";r=`) {
					t.Errorf("call %d: %d %v", i, a.status, a.header)
				}
				if want := `"` + string(class) + `";q=3;w=3600`; a.header.Get("RateLimit-Policy") != want {
					t.Errorf("policy %q; want %q", a.header.Get("RateLimit-Policy"), want)
				}
			}
			a := mia.json(c.method, c.path, c.body(c.left))
			p := a.problem(http.StatusTooManyRequests, "rate_limited")
			if p.Limit != string(class) || !strings.HasPrefix(a.header.Get("RateLimit"), `"`+string(class)+`";r=0;t=`) || a.header.Get("Retry-After") == "" {
				t.Errorf("refused with %+v, %v", p, a.header)
			}
			if a := h.owner.json(c.method, c.path, c.body(0)); a.status == http.StatusTooManyRequests {
				t.Errorf("another person is refused: %s", a.body)
			}
		})
	}
	// A conversation is made with no more people than may be added.
	zoe := h.user("Zoe", storage.RoleMember)
	if p := zoe.json("POST", "/v1/conversations", map[string]any{"kind": "channel", "title": "x", "member_ids": people[:3]}).
		want(http.StatusCreated); len(p.header.Values("RateLimit-Policy")) != 2 || !strings.Contains(strings.Join(p.header.Values("RateLimit"), ", "), `"conversations";r=2;t=1200, "members";r=0;t=3600`) {
		t.Errorf("of the two limits is told: %q, %q", p.header.Values("RateLimit-Policy"), p.header.Values("RateLimit"))
	}
	p := zoe.json("POST", "/v1/conversations", map[string]any{"kind": "channel", "title": "x", "member_ids": people[:1]}).
		problem(http.StatusTooManyRequests, "rate_limited")
	if p.Limit != string(limit.Members) {
		t.Errorf("refused with %+v", p)
	}
}

func TestStreamsOfOnePerson(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.Limits.Streams = 2 }})
	mia := h.user("Mia", storage.RoleMember)
	first := mia.listen("")
	mia.listen("")
	p := mia.get("/v1/events").problem(http.StatusTooManyRequests, "too_many_streams")
	if p.Limit != string(limit.Streams) {
		t.Errorf("refused with %+v", p)
	}
	mia.send("HEAD", "/v1/events", nil).want(http.StatusOK) // which holds nothing
	h.owner.listen("")
	first.cancel()
	await(t, "the place that was given back", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.http.URL+"/v1/events", nil)
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+mia.token)
		resp, err := mia.http.Do(req)
		must(t, err)
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// A quota that is used up is told by name, before a byte of sound is read, and
// by every way in.
func TestQuotas(t *testing.T) {
	second := int64(len(sine(time.Second)))
	for quota, c := range map[intake.Quota]struct {
		quotas storage.Quotas
		status int
		code   string
	}{
		intake.BytesPerDay: {storage.Quotas{BytesPerDay: second}, http.StatusTooManyRequests, "rate_limited"},
		intake.JobsWaiting: {storage.Quotas{Waiting: 1}, http.StatusTooManyRequests, "rate_limited"},
		intake.StoredBytes: {storage.Quotas{Stored: second}, http.StatusInsufficientStorage, "quota_reached"},
	} {
		t.Run(string(quota), func(t *testing.T) {
			h := newHarness(t, options{config: func(cfg *Config) { cfg.Intake.Quotas = c.quotas }})
			talk := h.owner.conversation()
			h.owner.record(talk)
			for _, way := range []string{"messages", "whip"} {
				a := h.owner.send("POST", "/v1/conversations/"+talk+"/"+way, strings.NewReader("v=0"), "Content-Type", "application/sdp")
				p := a.problem(c.status, c.code)
				if p.Limit != string(quota) || (c.status == http.StatusTooManyRequests) != (a.header.Get("Retry-After") != "") {
					t.Errorf("%s: refused with %+v, %v", way, p, a.header)
				}
			}
			mia := h.user("Mia", storage.RoleMember)
			theirs := mia.send("POST", "/v1/conversations/"+mia.conversation()+"/messages", strings.NewReader("no sound"))
			if want := map[bool]int{true: c.status, false: http.StatusUnsupportedMediaType}[quota == intake.StoredBytes]; theirs.status != want {
				t.Errorf("another person gets %d; want %d: %s", theirs.status, want, theirs.body)
			}
		})
	}
}

// What was kept before is answered by its message also when nothing more may be
// sent, and when what it replied to is gone: whoever sends it again did not hear
// that it was kept.
func TestSentAgainWithoutRoom(t *testing.T) {
	second := int64(len(sine(time.Second)))
	for name, quotas := range map[string]storage.Quotas{
		"bytes per day": {BytesPerDay: second}, "jobs waiting": {Waiting: 1}, "stored bytes": {Stored: second},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, options{config: func(cfg *Config) { cfg.Intake.Quotas = quotas }})
			talk := h.owner.conversation()
			kept := h.owner.record(talk, "Idempotency-Key", "1")
			again := h.owner.send("POST", "/v1/conversations/"+talk+"/messages", bytes.NewReader(sine(time.Second)), "Idempotency-Key", "1").want(http.StatusCreated)
			if m := decode[messages.Message](again); m.ID != kept.ID || again.header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("sent again it is %s, not %s: %v", m.ID, kept.ID, again.header)
			}
		})
	}
	h := newHarness(t)
	talk := h.owner.conversation()
	first := h.owner.record(talk)
	path := "/v1/conversations/" + talk + "/messages?reply_to=" + first.ID
	reply := decode[messages.Message](h.owner.send("POST", path, bytes.NewReader(sine(time.Second)), "Idempotency-Key", "2").want(http.StatusCreated))
	h.owner.send("DELETE", "/v1/messages/"+first.ID, nil).want(http.StatusNoContent)
	again := decode[messages.Message](h.owner.send("POST", path, bytes.NewReader(sine(time.Second)), "Idempotency-Key", "2").want(http.StatusCreated))
	if again.ID != reply.ID {
		t.Errorf("sent again it is %s, not %s", again.ID, reply.ID)
	}
}

// A recording is no larger than what is left of a quota, whether its length is
// told before or not, and what fits is taken still.
func TestQuotaBoundsRecording(t *testing.T) {
	second := int64(len(sine(time.Second)))
	for name, c := range map[string]struct {
		quotas storage.Quotas
		status int
		code   string
	}{
		"bytes per day": {storage.Quotas{BytesPerDay: 2*second - 1, Stored: 9 * second}, http.StatusTooManyRequests, "rate_limited"},
		"stored bytes":  {storage.Quotas{Stored: 2*second - 1, BytesPerDay: 9 * second}, http.StatusInsufficientStorage, "quota_reached"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, options{config: func(cfg *Config) { cfg.Intake.Quotas = c.quotas }})
			talk := h.owner.conversation()
			path, larger := "/v1/conversations/"+talk+"/messages", sine(3*time.Second)
			form := "--b\r\nContent-Disposition: form-data; name=\"audio\"; filename=\"a.wav\"\r\n\r\n" + string(larger) + "\r\n--b--\r\n"
			for way, body := range map[string]io.Reader{
				"told before": bytes.NewReader(larger), "not told": io.MultiReader(bytes.NewReader(larger)), "form": strings.NewReader(form),
			} {
				mediaType := "audio/wav"
				if way == "form" {
					mediaType = "multipart/form-data; boundary=b"
				}
				p := h.owner.send("POST", path, body, "Content-Type", mediaType).problem(c.status, c.code)
				if !strings.Contains(p.Detail, " left of ") || p.Limit == "" {
					t.Errorf("%s: %+v", way, p)
				}
			}
			if n := h.objs.count(); n != 0 {
				t.Errorf("%d objects are left of what was refused", n)
			}
			h.owner.record(talk)
			if p := h.owner.send("POST", path, bytes.NewReader(sine(time.Second))).problem(c.status, c.code); !strings.Contains(p.Detail, " left of ") {
				t.Errorf("the second: %+v", p)
			}
		})
	}
}
