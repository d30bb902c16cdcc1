package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/api/audit"
	"hark/api/rest"
	"hark/api/signin"
	"hark/api/sound"
	"hark/storage"
)

func TestAudit(t *testing.T) {
	h := newHarness(t)
	bob := h.user("Bob", storage.RoleMember)
	decode[signin.NewToken](bob.json("POST", "/v1/tokens", map[string]any{"name": "laptop", "scopes": []string{"read"}}).want(201))
	page := h.owner.get("/v1/audit?limit=1", "User-Agent", "test").want(200)
	list := decode[rest.Page[audit.AuditEntry]](page)
	if len(list.Items) != 1 || list.NextCursor == "" || !strings.Contains(page.header.Get("Link"), "cursor=") {
		t.Fatalf("%s", page.body)
	}
	e := list.Items[0]
	if e.Action != storage.AuditTokenCreated || e.Actor != (audit.AuditActor{Kind: storage.ActorUser, ID: bob.principal.UserID, Name: "Bob"}) || e.CredentialID != bob.principal.CredentialID ||
		e.Address != "127.0.0.1" || e.UserAgent != "Go-http-client/1.1" || e.Target == nil || e.Target.Kind != "token" || e.Details["scopes"] != "read" {
		t.Errorf("%+v", e)
	}
	if next := decode[rest.Page[audit.AuditEntry]](h.owner.get("/v1/audit?cursor=" + list.NextCursor).want(200)); len(next.Items) == 0 || next.Items[0].Seq != e.Seq-1 {
		t.Errorf("%+v", next)
	}
	query := url.Values{"actor": {bob.principal.UserID}, "action": {"token_created"}, "target": {e.Target.ID}, "from": {e.At}}
	if found := decode[rest.Page[audit.AuditEntry]](h.owner.get("/v1/audit?" + query.Encode()).want(200)); len(found.Items) != 1 || found.Items[0].Hash != e.Hash {
		t.Errorf("%+v", found)
	}
	query.Set("to", e.At)
	if none := h.owner.get("/v1/audit?" + query.Encode()).want(200); !strings.Contains(string(none.body), `"items":[]`) {
		t.Errorf("%s", none.body)
	}
	h.owner.get("/v1/audit?from=yesterday").problem(422, "validation_failed")
	h.owner.get("/v1/audit?cursor=x").problem(400, "bad_cursor")
	bob.get("/v1/audit").problem(403, "forbidden")
	bob.get("/v1/audit/export").problem(403, "forbidden")
}

// What was exported is a chain for whoever reads it: each hash is that of the one
// before and of what its line says.
func TestAuditExport(t *testing.T) {
	h := newHarness(t)
	for i := range 3 {
		h.owner.json("PATCH", "/v1/me", map[string]any{"name": fmt.Sprintf("Olga <%d>", i)}).want(200)
	}
	if head := h.owner.send("HEAD", "/v1/audit/export", nil).want(200); head.header.Get("Content-Type") != "application/jsonl" {
		t.Errorf("%v", head.header)
	}
	export := h.owner.get("/v1/audit/export").want(200)
	if !strings.Contains(export.header.Get("Content-Disposition"), "audit.jsonl") || !strings.Contains(string(export.body), "Olga <2>") {
		t.Errorf("%v: %s", export.header, export.body)
	}
	previous, last := storage.AuditRoot, audit.AuditEntry{}
	for lines := bufio.NewScanner(bytes.NewReader(export.body)); lines.Scan(); {
		last = audit.AuditEntry{}
		must(t, json.Unmarshal(lines.Bytes(), &last))
		at, err := time.Parse(time.RFC3339, last.At)
		must(t, err)
		entry := storage.AuditEntry{
			Seq: last.Seq, At: at, Action: last.Action, Actor: storage.Actor(last.Actor), CredentialID: last.CredentialID, Address: last.Address, Agent: last.UserAgent,
			Details: last.Details,
		}
		if last.Target != nil {
			entry.Target = storage.Target{Kind: last.Target.Kind, ID: last.Target.ID}
		}
		entry.Target.ConversationID = last.ConversationID
		if entry.HashAfter(previous) != last.Hash {
			t.Fatalf("line %d does not fit", last.Seq)
		}
		previous = last.Hash
	}
	check, err := h.db.VerifyAudit(t.Context(), h.owner.principal.WorkspaceID, previous)
	must(t, err)
	if !check.OK() || check.Head != previous || last.Action != storage.AuditExported || last.Actor.Name != "Olga <2>" {
		t.Errorf("%+v; last is %+v", check, last)
	}
}

// Who tries links that are none, or none any more, is recorded.
func TestAuditOfFailedSignIns(t *testing.T) {
	h := newHarness(t)
	h.browser().form("/sign-in", url.Values{"code": {"hark_guessed"}}).want(410)
	failed := decode[rest.Page[audit.AuditEntry]](h.owner.get("/v1/audit?action=sign_in_failed").want(200)).Items
	if len(failed) != 1 || failed[0].Actor.Kind != storage.ActorNobody || failed[0].Address != "127.0.0.1" || failed[0].Target != nil {
		t.Errorf("%+v", failed)
	}
	expired := h.signInCode()
	h.browser().form("/sign-in", url.Values{"code": {expired}}).want(303)
	h.browser().form("/sign-in", url.Values{"code": {expired}}).want(410)
	last := decode[rest.Page[audit.AuditEntry]](h.owner.get("/v1/audit?limit=1&action=sign_in_failed").want(200)).Items[0]
	if last.Target == nil || last.Target.ID != h.owner.principal.UserID {
		t.Errorf("%+v", last)
	}
	if whole := h.owner.get("/v1/audit/export").want(200); strings.Contains(string(whole.body), "hark_") {
		t.Error("a code is in the log")
	}
}

// Entries of the list name people as they are called now, and lead to what is there
// and whoever asks may see; the first page counts them.
func TestAuditListNames(t *testing.T) {
	h := newHarness(t)
	bob, ann := h.user("Bob", storage.RoleMember), h.user("Ann", storage.Admin)
	talk := h.owner.conversation(bob)
	said := bob.record(talk)
	gone := bob.record(talk)
	h.owner.send("DELETE", "/v1/messages/"+gone.ID, nil).want(204)
	h.owner.json("PATCH", "/v1/audit/settings", map[string]any{"listening": true}).want(200)
	h.owner.get("/v1/messages/" + said.ID + "/audio?format=original").want(200)
	bob.json("PATCH", "/v1/me", map[string]any{"name": "Robert"}).want(200)

	find := func(c *client, query string) audit.AuditListEntry {
		t.Helper()
		list := decode[audit.AuditList](c.get("/v1/audit?limit=1&" + query).want(200))
		if len(list.Items) != 1 || list.Total == nil {
			t.Fatalf("%s: %+v", query, list)
		}
		return list.Items[0]
	}
	played := find(h.owner, "action=message_played")
	if !played.MessageSeen || played.Conversation == nil || played.Conversation.Title != "Field notes" || played.Target.ID != said.ID || played.Details["form"] != "original" || played.Details["author_id"] != bob.principal.UserID {
		t.Errorf("%+v", played)
	}
	if len(played.People) != 2 || played.People[0].Name != "Olga" || played.People[1].Name != "Robert" {
		t.Errorf("%+v", played.People)
	}
	if e := find(ann, "action=message_played"); e.MessageSeen || e.Conversation != nil { // who is not in the conversation
		t.Errorf("%+v", e)
	}
	if e := find(h.owner, "action=message_deleted"); e.MessageSeen || e.Conversation == nil || e.Target.ID != gone.ID {
		t.Errorf("%+v", e)
	}
	h.owner.send("DELETE", "/v1/conversations/"+talk, nil).want(204)
	if e := find(h.owner, "action=message_played"); e.MessageSeen || e.Conversation != nil {
		t.Errorf("%+v", e)
	}
	if body := string(h.owner.get("/v1/audit/export").want(200).body); strings.Contains(body, "Field notes") || strings.Contains(body, `"people"`) {
		t.Error("the export has more than is hashed")
	}
}

// Totals are exact where times alone leave entries out.
func TestAuditTotals(t *testing.T) {
	h := newHarness(t)
	for i := range 5 {
		h.owner.json("PATCH", "/v1/me", map[string]any{"name": fmt.Sprint("Olga ", i)}).want(200)
	}
	all := decode[audit.AuditList](h.owner.get("/v1/audit").want(200))
	count := func(query url.Values) int64 {
		t.Helper()
		list := decode[audit.AuditList](h.owner.get("/v1/audit?" + query.Encode()).want(200))
		if list.TotalIsCapped || *list.Total != int64(len(list.Items)) {
			t.Errorf("%v: %d of %d", query, len(list.Items), *list.Total)
		}
		return *list.Total
	}
	oldest, newest := all.Items[len(all.Items)-1], all.Items[0]
	after, err := time.Parse(time.RFC3339, newest.At)
	must(t, err)
	if n := count(nil); n != newest.Seq {
		t.Errorf("%d in all, of %d", n, newest.Seq)
	}
	if n := count(url.Values{"action": {"user_renamed"}}); n != 5 {
		t.Errorf("%d of one kind", n)
	}
	for _, query := range []url.Values{{"to": {oldest.At}}, {"from": {after.Add(time.Second).Format(time.RFC3339)}}, {"actor": {storage.NewID()}}} {
		if n := count(query); n != 0 {
			t.Errorf("%v leaves %d", query, n)
		}
	}
	count(url.Values{"from": {newest.At}})
	count(url.Values{"from": {oldest.At}, "to": {newest.At}})
	next := decode[audit.AuditList](h.owner.get("/v1/audit?limit=1&cursor=" + decode[audit.AuditList](h.owner.get("/v1/audit?limit=1").want(200)).NextCursor).want(200))
	if next.Total != nil {
		t.Errorf("the second page counts %d", *next.Total)
	}
}

// What is no filter is refused, and so is what is no cursor, however large.
func TestAuditRefusesNonsense(t *testing.T) {
	h := newHarness(t)
	for _, query := range []string{
		"from=2026-02-30T00:00:00Z", "to=0", "limit=0", "limit=101", "limit=x", "actor=" + strings.Repeat("a", 65), "action=" + strings.Repeat("a", 65),
		"kind=sign_in", "action=a&action=b", "action=%00", "actor=%ff", "cursor=" + strings.Repeat("A", 513),
	} {
		h.owner.get("/v1/audit?"+query).problem(422, "validation_failed")
	}
	good := decode[audit.AuditList](h.owner.get("/v1/audit?limit=1").want(200)).NextCursor
	for _, cursor := range []string{"%27", strings.Repeat("A", 512), strings.Repeat("%F0%9F%8E%99", 100), good[1:], good + "A", strings.ToUpper(good)} {
		h.owner.get("/v1/audit?limit=1&cursor="+cursor).problem(400, "bad_cursor")
	}
	h.owner.get("/v1/audit?limit=1&action=sign_in&cursor="+good).problem(400, "bad_cursor") // another list's
	for _, action := range []string{"none", "'; DROP TABLE audit; --", "%25", "_"} {
		if list := decode[audit.AuditList](h.owner.get("/v1/audit?action=" + url.QueryEscape(action)).want(200)); len(list.Items) != 0 || *list.Total != 0 {
			t.Errorf("%s finds %+v", action, list.Items)
		}
	}
}

// An entry is a line, whatever people call themselves and their programs.
func TestAuditExportIsLines(t *testing.T) {
	h := newHarness(t)
	name := "=HYPERLINK(\"x\")\u2028\u2029\r\n{\"seq\":1}"
	h.owner.json("PATCH", "/v1/me", map[string]any{"name": "Olga"}).want(200)
	h.owner.json("POST", "/v1/tokens", map[string]any{"name": name})
	h.owner.send("PATCH", "/v1/me", strings.NewReader(`{"name": "=1+1\u2028,\"x\""}`), "Content-Type", "application/json", "User-Agent", "curl \"quoted\" {\u2028}").want(200)
	export := h.owner.get("/v1/audit/export").want(200)
	if export.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", export.header)
	}
	var seq int64
	for line := range bytes.Lines(export.body) {
		var entry audit.AuditEntry
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if seq++; entry.Seq != seq {
			t.Fatalf("line %d is of entry %d", seq, entry.Seq)
		}
	}
}

// A client that goes in the middle of an export is not waited for, and what it asked
// for is recorded; a filter applies to what is sent, and to nothing else.
func TestAuditExportToWhoVanishes(t *testing.T) {
	h := newHarness(t)
	var entries []storage.AuditEntry
	for i := range 30_000 {
		entries = append(entries, storage.AuditEntry{
			At: time.UnixMilli(int64(i)), Action: storage.AuditMessagePlayed, Actor: storage.Actor{Kind: storage.ActorUser, ID: h.owner.principal.UserID, Name: "Olga"},
			Details: map[string]string{"form": strings.Repeat("x", 300)},
		})
	}
	must(t, h.db.ImportAudit(t.Context(), h.owner.principal, entries))
	ctx, vanish := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", h.http.URL+"/v1/audit/export?action=message_played", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+h.owner.token)
	resp, err := h.owner.http.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	vanish()
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("the export ended as if it was whole")
	}
	h.http.CloseClientConnections()
	h.http.Close() // which waits for what is answered
	list, _, err := h.db.Audit(t.Context(), h.owner.principal, storage.AuditFilter{Action: storage.AuditExported}, storage.Page{})
	must(t, err)
	if len(list) != 1 || list[0].Details["action"] != "message_played" {
		t.Errorf("%+v", list)
	}
}

// Who plays and downloads what is recorded where the workspace wants it, once an hour,
// and nobody else's.
func TestAuditOfListening(t *testing.T) {
	h := newHarness(t)
	bob, gus := h.user("Bob", storage.RoleMember), h.user("Gus", storage.Guest)
	talk := h.owner.conversation(bob)
	said := bob.record(talk)
	h.finish(said.ID, "some words")
	audio, transcript := "/v1/messages/"+said.ID+"/audio", "/v1/messages/"+said.ID+"/transcript"
	recorded := func() (short []string) {
		t.Helper()
		for _, action := range []string{"message_played", "message_downloaded"} {
			for _, e := range decode[audit.AuditList](h.owner.get("/v1/audit?action=" + action).want(200)).Items {
				short = append(short, e.Actor.Name+" "+action+" "+e.Details["form"])
			}
		}
		return short
	}
	bob.get(audio + "?format=original").want(200)
	if got := recorded(); len(got) != 0 {
		t.Fatalf("not asked for: %v", got)
	}
	bob.json("PATCH", "/v1/audit/settings", map[string]any{"listening": true}).problem(403, "forbidden")
	for range 2 { // the second time it is so already
		h.owner.json("PATCH", "/v1/audit/settings", map[string]any{"listening": true}).want(200)
	}
	for _, c := range []*client{bob, gus} {
		if !decode[audit.AuditSettings](c.get("/v1/audit/settings").want(200)).Listening {
			t.Errorf("%s is not told", c.principal.UserName)
		}
	}
	bob.send("HEAD", audio+"?format=original", nil).want(200)
	gus.get(audio+"?format=original").problem(404, "not_found")
	bob.get(audio+"?format=rendition&v=gone").problem(410, "representation_gone")
	bob.get(transcript + ".json").want(200)
	bob.send("HEAD", transcript+".txt", nil).want(200)
	if got := recorded(); len(got) != 0 {
		t.Fatalf("recorded are %v", got)
	}
	signed, err := url.Parse(decode[sound.AudioURL](h.owner.get("/v1/messages/" + said.ID + "/audio-url?format=original").want(200)).URL)
	must(t, err)
	for range 3 {
		bob.get(audio+"?format=original", "Range", "bytes=0-99").want(206)
		bob.get(audio + "?format=original&download=true").want(200)
		h.browser().get(signed.RequestURI()).want(200)
	}
	h.owner.get(audio).want(200) // by a redirect
	h.owner.get(transcript + ".vtt").want(200)
	want := []string{"Olga message_played original", "Bob message_played original", "Olga message_downloaded vtt", "Bob message_downloaded original"}
	if got := recorded(); !slices.Equal(got, want) {
		t.Errorf("recorded are %q; want %q", got, want)
	}
	h.owner.json("PATCH", "/v1/audit/settings", map[string]any{"listening": false}).want(200)
	bob.get(transcript + ".srt").want(200)
	if got := recorded(); len(got) != len(want) {
		t.Errorf("recorded are %q", got)
	}
	if changes := decode[audit.AuditList](h.owner.get("/v1/audit?action=listening_changed").want(200)).Items; len(changes) != 2 || changes[1].Details["recorded"] != "true" {
		t.Errorf("%+v", changes)
	}
}
