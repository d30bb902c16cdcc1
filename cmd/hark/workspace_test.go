package main

import (
	"strings"
	"testing"

	"hark/storage"
)

// testWorkspace shows the workspace and changes it by the commands.
func testWorkspace(t *testing.T, c *commands) {
	if said := c.run(t, "workspace", "show").want(t, 0).stdout; !strings.Contains(said, "create_channels") || strings.Count(said, "\n") != 6 {
		t.Errorf("shown is %q", said)
	}
	changed := c.run(t, "workspace", "set", "--create-channels", "admins", "--json").want(t, 0)
	if set := decodeJSON[shownWorkspace](t, changed); set.Rules.CreateChannels != storage.ByAdmins || set.Rules.SeeDirectory != storage.ByMembers {
		t.Errorf("set is %+v", set)
	}
	if shown := c.run(t, "workspace", "show", "--json").want(t, 0).stdout; shown != changed.stdout {
		t.Errorf("shown is %s, not %s", shown, changed.stdout)
	}
	c.run(t, "workspace", "set").want(t, 2)
	c.run(t, "workspace", "set", "--see-directory", "everyone").want(t, 2)
	entries := c.run(t, "audit", "list", "--action", "workspace_rule_changed").want(t, 0).stdout
	if strings.Count(entries, "\n") != 1 || !strings.Contains(entries, "operator ") {
		t.Errorf("audit log %q", entries)
	}
}
