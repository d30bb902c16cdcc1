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

// testWorkspaces makes a second workspace, which the other commands then ask for.
func testWorkspaces(t *testing.T, c *commands) {
	before := decodeJSON[[]shownWorkspace](t, c.run(t, "workspace", "list", "--json").want(t, 0))
	if len(before) != 1 {
		t.Fatalf("%+v", before)
	}
	first := before[0].ID
	c.run(t, "workspace", "create", "Choir").want(t, 2)
	c.run(t, "workspace", "create", "Choir", "--owner", "ada@").want(t, 1)
	c.run(t, "workspace", "create", " ", "--owner", "Ada").want(t, 1)
	made := strings.Fields(c.run(t, "workspace", "create", "Choir", "--owner", "ada@example.org").want(t, 0).stdout)
	if len(made) != 2 || !strings.Contains(made[1], "/sign-in?code=hark_") {
		t.Fatalf("printed %q", made)
	}
	if said := c.run(t, "user", "list").want(t, 1).stderr; !strings.Contains(said, "--workspace") || !strings.Contains(said, "Choir") {
		t.Errorf("said %q", said)
	}
	owners := c.run(t, "user", "list", "--workspace", "choir").want(t, 0).stdout
	if strings.Count(owners, "\n") != 1 || !strings.Contains(owners, "ada@example.org") || !strings.Contains(owners, "owner") {
		t.Errorf("owners %q", owners)
	}

	// Whose address has an account is the same person, by the name that they have; others are new.
	club := decodeJSON[madeWorkspace](t, c.run(t, "workspace", "create", "Club", "--owner", "ADA@example.org", "--json").want(t, 0))
	if club.Owner.Email != "ada@example.org" {
		t.Errorf("made %+v", club)
	}
	crewed := decodeJSON[madeWorkspace](t, c.run(t, "workspace", "create", "Crew", "--owner", "Grace", "--json").want(t, 0))
	if crewed.Name != "Crew" || crewed.Owner.Name != "Grace" || crewed.Owner.Email != "" || !strings.Contains(crewed.Owner.SignInURL, "/sign-in?code=hark_") {
		t.Errorf("made %+v", crewed)
	}
	if crew := c.run(t, "user", "list", "--workspace", "Crew").want(t, 0).stdout; !strings.Contains(crew, "Grace") {
		t.Errorf("crew %q", crew)
	}
	if all := c.run(t, "workspace", "list").want(t, 0).stdout; strings.Count(all, "\n") != 4 {
		t.Errorf("listed %q", all)
	}
	if log := c.run(t, "audit", "list", "--workspace", "Club").want(t, 0).stdout; !strings.Contains(log, "workspace_created") || !strings.Contains(log, "operator ") {
		t.Errorf("audit log %q", log)
	}
	if log := c.run(t, "audit", "list", "--workspace", first).want(t, 0).stdout; strings.Contains(log, "Club") || strings.Contains(log, "ada@example.org") {
		t.Errorf("audit log %q", log)
	}
}
