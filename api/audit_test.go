package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"hark/api/audit"
	"hark/api/rest"
	"hark/api/signin"
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
