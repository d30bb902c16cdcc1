package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// object is an answer of any command.
type object = map[string]any

// testJSON asks every command about people for JSON, and every one of its answers is one
// object or array. Secrets are in what makes them alone; a refusal is on standard error,
// with its exit code, and nothing on standard output.
func testJSON(t *testing.T, c *commands) {
	asked := map[string]bool{}
	run := func(command string, args ...string) ran {
		t.Helper()
		asked[command] = true
		return c.run(t, slices.Concat(strings.Fields(command), []string{"--json"}, args)...)
	}
	one := func(command string, args ...string) object {
		t.Helper()
		return decodeJSON[object](t, run(command, args...).want(t, 0))
	}
	many := func(command string, args ...string) []object {
		t.Helper()
		return decodeJSON[[]object](t, run(command, args...).want(t, 0))
	}
	has := func(o object, want object) {
		t.Helper()
		for key, value := range want {
			if o[key] != value {
				t.Errorf("%s is %v, not %v, in %v", key, o[key], value, o)
			}
		}
	}
	link := func(o object) {
		t.Helper()
		if url, _ := o["sign_in_url"].(string); !strings.Contains(url, "/sign-in?code=hark_") {
			t.Errorf("no link in %v", o)
		}
	}

	jo := one("user add", "--role=guest", "Jo")
	link(jo)
	has(jo, object{"kind": "person", "name": "Jo", "role": "guest"})
	link(one("user sign-in", "Jo"))
	has(one("user rename", "Jo", "Joe"), object{"id": jo["id"], "name": "Joe"})
	has(one("user set-email", "Joe", "joe@example.org"), object{"id": jo["id"], "email": "joe@example.org"})
	link(one("user reset-password", "Joe"))
	has(one("user disable", "Joe"), object{"id": jo["id"], "disabled": true})
	has(one("user enable", "Joe"), object{"id": jo["id"], "disabled": nil})
	for _, bad := range []ran{run("user add", "Joe"), run("user rename", "Nobody", "x")} {
		if bad.want(t, 1); bad.stdout != "" || bad.stderr == "" {
			t.Errorf("refused with %q and %q", bad.stdout, bad.stderr)
		}
	}
	run("user add", "--role=king", "x").want(t, 2)

	token := one("token create", "--user=Joe", "--scope=read")
	if secret, _ := token["secret"].(string); !strings.HasPrefix(secret, "hark_") || token["kind"] != "api" {
		t.Errorf("token %v", token)
	}
	if list := many("token list", "--user=Joe"); len(list) == 0 || list[len(list)-1]["id"] != token["id"] || list[len(list)-1]["secret"] != nil {
		t.Errorf("tokens %v", list)
	}
	has(one("token revoke", "--user=Joe", token["id"].(string)), object{"id": token["id"]})

	bell := one("integration add", "--description=Rings", "-c", "General", "Bell")
	has(bell, object{"kind": "integration", "name": "Bell", "role": "guest", "description": "Rings", "created_by": nil})
	its := one("integration token", "--scope=record", "Bell")
	if secret, _ := its["secret"].(string); !strings.HasPrefix(secret, "hark_") {
		t.Errorf("token %v", its)
	}
	if list := many("integration tokens", "Bell"); len(list) != 1 || list[0]["id"] != its["id"] || list[0]["secret"] != nil {
		t.Errorf("tokens %v", list)
	}
	has(one("integration revoke", "Bell", its["id"].(string)), object{"id": its["id"]})
	has(one("integration disable", "bell"), object{"id": bell["id"], "disabled": true})
	run("integration token", "Bell").want(t, 1, "hark integration enable")
	has(one("integration enable", bell["id"].(string)), object{"id": bell["id"], "disabled": nil})
	run("integration token", "--scope=admin", "Bell").want(t, 1, "scopes")
	run("integration add", "--role=owner", "x").want(t, 2)
	if list := many("integration list"); len(list) != 1 || list[0]["id"] != bell["id"] {
		t.Errorf("integrations %v", list)
	}
	for _, list := range [][]object{many("user list"), decodeJSON[[]object](t, run("user list").want(t, 0))} {
		if slices.ContainsFunc(list, func(o object) bool { return o["name"] == "Bell" }) {
			t.Errorf("an integration among the people: %v", list)
		}
	}
	run("user sign-in", "Bell").want(t, 1, "hark user list")
	run("user rename", bell["id"].(string), "Boss").want(t, 1)

	invitation := one("invite create")
	if list := many("invite list"); len(list) == 0 || list[0]["id"] != invitation["id"] || list[0]["link"] != nil {
		t.Errorf("invitations %v", list)
	}
	has(one("invite revoke", invitation["id"].(string)), object{"id": invitation["id"]})

	has(one("workspace rename", "Boat house"), object{"name": "Boat house"})
	one("workspace show")
	one("workspace set", "--create-channels=members")
	one("workspace usage")
	one("workspace quota", "--jobs-waiting=0")

	if list := many("audit list", "--limit=3"); len(list) != 3 {
		t.Errorf("entries %v", list)
	}
	has(one("audit verify"), object{"ok": true})
	one("audit listening")
	lines := 0
	for line := range strings.Lines(run("audit export").want(t, 0).stdout) {
		var entry object
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry["hash"] == nil {
			t.Errorf("%v in %q", err, line)
		}
		lines++
	}
	if lines < 10 {
		t.Errorf("%d lines are exported", lines)
	}

	there := 0
	for _, leaf := range new(cli).parser().Model.Leaves(true) {
		path := leaf.Path()
		group, _, _ := strings.Cut(strings.TrimPrefix(path, "hark "), " ")
		if !slices.Contains([]string{"user", "token", "integration", "invite", "workspace", "audit"}, group) {
			continue
		}
		if !slices.ContainsFunc(leaf.Flags, func(f *kong.Flag) bool { return f.Name == "json" }) {
			t.Errorf("%s has no --json", path)
		}
		command := strings.TrimPrefix(leaf.FullPath(), "hark ")
		if command == "workspace list" || command == "workspace create" { // testWorkspaces has these: with another workspace, all have to say which
			continue
		}
		there++
		if !asked[command] {
			t.Errorf("say in this test what %q prints", command)
		}
	}
	if there != len(asked) {
		t.Errorf("%d of %d commands were asked", len(asked), there)
	}
}
