package main

import (
	"strings"
	"testing"

	"hark/api/audit"
	"hark/storage"
)

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
