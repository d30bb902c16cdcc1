package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"hark/api/rest"
	"hark/api/usage"
	"hark/storage"
)

// Usage is told by the figures that recordings are let in by, for the workspace and for
// each person.
func TestUsage(t *testing.T) {
	second := int64(len(sine(time.Second)))
	h := newHarness(t, options{config: func(cfg *Config) { cfg.Intake.Quotas = storage.Quotas{Stored: 10 * second, Waiting: 9} }})
	bob := h.user("Bob", storage.RoleMember)
	h.user("Gus", storage.Guest)
	talk := h.owner.conversation(bob)
	h.owner.record(talk)
	said := bob.record(talk)
	bob.record(talk)
	h.finish(said.ID, "some words") // a rendition of 11 bytes, 1 s long
	u := decode[usage.WorkspaceUsage](h.owner.get("/v1/usage").want(200))
	want := usage.WorkspaceUsage{StoredBytes: 3*second + 11, SoundMS: u.SoundMS, Members: 3, Guests: 1, Quotas: usage.Quotas{StoredBytes: 10 * second, JobsWaiting: 9}, Server: usage.Quotas{StoredBytes: 10 * second, JobsWaiting: 9}}
	if u != want || u.SoundMS < 1000 {
		t.Errorf("%+v; want %+v", u, want)
	}
	found := decode[rest.Page[usage.MemberUsage]](h.owner.get("/v1/usage/members?q=bo").want(200)).Items
	if len(found) != 1 || found[0].Name != "Bob" || found[0].StoredBytes != 2*second+11 || found[0].BytesToday != 2*second || found[0].JobsWaiting != 1 || found[0].SoundMS < 1000 {
		t.Errorf("%+v", found)
	}
	var names []string
	for page := decode[rest.Page[usage.MemberUsage]](h.owner.get("/v1/usage/members?limit=1").want(200)); ; page = decode[rest.Page[usage.MemberUsage]](h.owner.get("/v1/usage/members?limit=1&cursor=" + page.NextCursor).want(200)) {
		names = append(names, page.Items[0].Name)
		if page.NextCursor == "" {
			break
		}
	}
	if got := strings.Join(names, ", "); got != "Gus, Bob, Olga" {
		t.Errorf("%s", got)
	}
	h.owner.get("/v1/usage/members?cursor=x").problem(400, "bad_cursor")
	bob.get("/v1/usage").problem(403, "forbidden")
}

// Owners bound their workspace within what the server allows, and what they set holds
// at once; nobody sets more.
func TestSetQuotas(t *testing.T) {
	second := int64(len(sine(time.Second)))
	h := newHarness(t, options{config: func(cfg *Config) { cfg.Intake.Quotas = storage.Quotas{Stored: 10 * second} }})
	ann := h.user("Ann", storage.Admin)
	talk := h.owner.conversation()
	h.owner.record(talk)
	set := func(body map[string]any) usage.WorkspaceUsage {
		t.Helper()
		return decode[usage.WorkspaceUsage](h.owner.json("PATCH", "/v1/usage", body).want(200))
	}
	if u := set(map[string]any{"stored_bytes": second}); u.Own.StoredBytes != second || u.Quotas.StoredBytes != second || u.Server.StoredBytes != 10*second {
		t.Errorf("%+v", u)
	}
	refused := h.owner.send("POST", "/v1/conversations/"+talk+"/messages", strings.NewReader("x")).problem(http.StatusInsufficientStorage, "quota_reached")
	if refused.Limit != "stored_bytes" {
		t.Errorf("%+v", refused)
	}
	if p := h.owner.json("PATCH", "/v1/usage", map[string]any{"stored_bytes": 10*second + 1}).problem(422, "validation_failed"); p.Errors[0].Field != "body.stored_bytes" || !strings.Contains(p.Detail, "this server allows") {
		t.Errorf("%+v", p)
	}
	for _, body := range []string{`{"stored_bytes": -1}`, `{"stored_bytes": 1.5}`, `{"stored_bytes": "1"}`, `{"stored_bytes": 1e30}`, `{"Stored_Bytes": 1}`, `{"members": 1}`, `[]`} {
		if a := h.owner.send("PATCH", "/v1/usage", strings.NewReader(body), "Content-Type", "application/json"); a.status != 422 && a.status != 400 {
			t.Errorf("%s is answered with %d", body, a.status)
		}
	}
	ann.json("PATCH", "/v1/usage", map[string]any{"stored_bytes": 0}).problem(403, "forbidden")
	u := set(map[string]any{"stored_bytes": 0, "jobs_waiting": 1, "bytes_per_day": 99 * second})
	if (u.Own != usage.Quotas{JobsWaiting: 1, BytesPerDay: 99 * second}) || u.Quotas.StoredBytes != 10*second {
		t.Errorf("%+v", u)
	}
	if p := h.owner.send("POST", "/v1/conversations/"+talk+"/messages", strings.NewReader("x")).problem(429, "rate_limited"); p.Limit != "jobs_waiting" {
		t.Errorf("%+v", p)
	}
	if u := set(map[string]any{}); u.Own.JobsWaiting != 1 {
		t.Errorf("%+v", u)
	}
	entries := string(h.owner.get("/v1/audit?action=quota_changed").want(200).body)
	if strings.Count(entries, `"quota_changed"`) != 4 || !strings.Contains(entries, `"quota":"bytes_per_day"`) {
		t.Errorf("%s", entries)
	}
	other := h.stranger() // whose workspace has none of its own
	if u := decode[usage.WorkspaceUsage](other.get("/v1/usage").want(200)); u.Own != (usage.Quotas{}) || u.Members != 1 {
		t.Errorf("%+v", u)
	}
}
