package main

import (
	"strconv"
	"strings"
	"testing"

	"hark/api/audit"
	"hark/storage"
)

// testUsage has somebody on the server see and bound what the workspace takes, and have
// recorded who listens.
func testUsage(t *testing.T, c *commands) {
	before := decodeJSON[usageView](t, c.run(t, "workspace", "usage", "--json").want(t, 0))
	if before.Members < 1 || before.Own.StoredBytes != 0 {
		t.Errorf("got %+v", before)
	}
	c.run(t, "workspace", "quota").want(t, 2, "--stored-bytes")
	c.run(t, "workspace", "quota", "--stored-bytes=-1").want(t, 1, "0 for none")
	set := decodeJSON[usageView](t, c.run(t, "workspace", "quota", "--stored-bytes", "5000000000", "--jobs-waiting", "7", "--json").want(t, 0))
	if set.Own.StoredBytes != 5e9 || set.Own.JobsWaiting != 7 || set.StoredBytes != before.StoredBytes {
		t.Errorf("got %+v", set)
	}
	if printed := c.run(t, "workspace", "quota", "--stored-bytes", "0", "--jobs-waiting", "0").want(t, 0).stdout; strings.Count(printed, "no quota of its own") != 3 {
		t.Errorf("printed %q", printed)
	}
	for _, state := range []string{"on", "off"} {
		c.run(t, "audit", "listening", state).want(t, 0)
		if got := decodeJSON[audit.AuditSettings](t, c.run(t, "audit", "listening", "--json").want(t, 0)); got.Listening != (state == "on") {
			t.Errorf("%s: %+v", state, got)
		}
	}
	c.run(t, "audit", "listening", "maybe").want(t, 2)
	changes := decodeJSON[[]audit.AuditEntry](t, c.run(t, "audit", "list", "--limit", "6", "--json").want(t, 0))
	if len(changes) != 6 || changes[0].Action != storage.AuditListeningChanged || changes[5].Action != storage.AuditQuotaChanged || changes[5].Actor.Kind != storage.ActorOperator {
		t.Errorf("recorded are %+v", changes)
	}
}

// testAudit has somebody on the server change things, and reads who it was.
func testAudit(t *testing.T, c *commands) {
	c.run(t, "workspace", "rename", "Harbour").want(t, 0)
	entries := decodeJSON[[]audit.AuditEntry](t, c.run(t, "audit", "list", "--limit", "1", "--json").want(t, 0))
	if len(entries) != 1 {
		t.Fatalf("got %+v", entries)
	}
	if e := entries[0]; e.Action != storage.AuditWorkspaceRenamed || e.Actor.Kind != storage.ActorOperator || e.Actor.Name == "" || e.UserAgent != "hark workspace rename" {
		t.Errorf("got %+v", e)
	}
	renamed := c.run(t, "audit", "list", "--action", "workspace_renamed", "--target", entries[0].Target.ID, "--from", entries[0].At).want(t, 0).stdout
	if strings.Count(renamed, "\n") != 1 || !strings.Contains(renamed, "operator ") {
		t.Errorf("printed %q", renamed)
	}
	c.run(t, "audit", "list", "--limit", "0").want(t, 2)
	c.run(t, "audit", "list", "--before", "-1").want(t, 2)
	if older := decodeJSON[[]audit.AuditEntry](t, c.run(t, "audit", "list", "--limit", "2", "--before", strconv.FormatInt(entries[0].Seq, 10), "--json").want(t, 0)); len(older) != 2 || older[0].Seq != entries[0].Seq-1 {
		t.Errorf("before %d are %+v", entries[0].Seq, older)
	}

	head := entries[0].Hash
	if got := c.run(t, "audit", "verify").want(t, 0).stdout; !strings.Contains(got, head) {
		t.Errorf("printed %q, not the head %s", got, head)
	}
	lines := strings.Split(strings.TrimSpace(c.run(t, "audit", "export").want(t, 0).stdout), "\n")
	if last := lines[len(lines)-1]; int64(len(lines)) != entries[0].Seq+1 || !strings.Contains(last, `"audit_exported"`) {
		t.Errorf("%d lines, the last is %s", len(lines), last)
	}
	c.run(t, "audit", "verify", "--expect", strings.ToUpper(head)).want(t, 0)
	check := decodeJSON[auditCheckView](t, c.run(t, "audit", "verify", "--json", "--expect", strings.Repeat("ab", 32)).want(t, 1, "expected hash"))
	if check.OK || check.Broken != 0 || check.Entries != entries[0].Seq+1 || check.Expected == nil || *check.Expected {
		t.Errorf("got %+v", check)
	}
}
