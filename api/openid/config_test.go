package openid

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hark/storage"
)

func TestParse(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := Parse(`[
		{"id": "keycloak", "issuer": "https://sso.example.org/realms/main", "client_id": "hark", "client_secret_file": "` + secret + `"},
		{"id": "entra", "name": "Microsoft", "issuer": "https://login.example.com/tenant/v2.0", "client_id": "6731de76", "client_secret": "x", "groups_claim": "roles",
		 "roles": {"Hark.Admin": "admin"}, "default_role": "guest", "join": {"domains": ["example.org"], "groups": ["Hark.User"]}, "workspace": "w"},
		{"id": "here", "issuer": "http://localhost:9000", "client_id": "hark"}
	]`)
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %+v", err, all)
	}
	if c := all[0]; c.Name != "keycloak" || c.ClientSecret != "from a file" || c.GroupsClaim != "groups" || c.DefaultRole != storage.RoleMember || len(c.Scopes) != 3 || c.wantsGroups() {
		t.Errorf("%+v", c)
	}
	if c := all[1]; c.Name != "Microsoft" || c.GroupsClaim != "roles" || c.DefaultRole != storage.Guest || c.Roles["Hark.Admin"] != storage.Admin || !c.wantsGroups() {
		t.Errorf("%+v", c)
	}
	if none, err := Parse(" \n"); err != nil || none != nil {
		t.Errorf("%v, %v", none, err)
	}
}

// Every value that is wrong is named, with its provider, and no secret is told.
func TestParseRefuses(t *testing.T) {
	const good = `"id": "op", "issuer": "https://sso.example.org", "client_id": "hark", "client_secret": "topsecret"`
	for given, want := range map[string]string{
		`{` + good + `}`:                                             "must be a JSON array",
		`[{` + good + `}`:                                            "must be a JSON array",
		`[{` + good + `, "id": "two"}]`:                              "must be a JSON array",
		`[{` + good + `}, {` + good + `}]`:                           "op: id: another provider has it",
		`[{` + good + `, "client_secrets": "x"}]`:                    "unknown field",
		`[{` + good + `, "client_secret_file": "/x"}]`:               "leave one out",
		`[{"id": "op"}]`:                                             "client_id: is missing",
		`[{"id": "O P", "client_id": "x", "issuer": "https://x"}]`:   "id: must be",
		`[{"id": "op", "client_id": "x", "issuer": "http://sso.x"}]`: "issuer: must begin with https://",
		`[{"id": "op", "client_id": "x", "issuer": "sso.x"}]`:        "issuer: must",
		`[{"id": "op", "client_id": "x", "issuer": "https://x", "client_secret_file": "/nowhere"}]`: "client_secret_file: open /nowhere",
		`[{` + good + `, "scopes": ["profile"]}]`:                                                   "must contain openid",
		`[{` + good + `, "roles": {"g": "boss"}}]`:                                                  `"boss" of group "g" is no role`,
		`[{` + good + `, "default_role": "admin"}]`:                                                 "default_role: must be member or guest",
		`[{` + good + `, "join": {"domains": ["@example.org"]}}]`:                                   `"@example.org" is no domain`,
		`[{` + good + `, "ca": "/nowhere"}]`:                                                        "ca: open /nowhere",
		`[{` + good + `, "name": "a\tb"}]`:                                                          "name: must be",
	} {
		_, err := Parse(given)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

func TestAdmits(t *testing.T) {
	ada := storage.Vouched{Email: "ada@Example.org", EmailVerified: true}
	unverified := ada
	unverified.EmailVerified = false
	for name, c := range map[string]struct {
		join   Join
		who    storage.Vouched
		groups []string
		want   bool
	}{
		"nobody":               {Join{}, ada, []string{"staff"}, false},
		"everyone":             {Join{Everyone: true}, storage.Vouched{}, nil, true},
		"a domain":             {Join{Domains: []string{"example.ORG"}}, ada, nil, true},
		"a domain, unverified": {Join{Domains: []string{"example.org"}}, unverified, nil, false},
		"a domain below":       {Join{Domains: []string{"org"}}, ada, nil, false},
		"no address":           {Join{Domains: []string{"example.org"}}, storage.Vouched{EmailVerified: true}, nil, false},
		"a group":              {Join{Groups: []string{"a", "staff"}}, unverified, []string{"staff"}, true},
		"another group":        {Join{Groups: []string{"staff"}}, ada, []string{"Staff", "staff-2"}, false},
	} {
		if c.join.admits(c.who, c.groups) != c.want {
			t.Errorf("%s: not %v", name, c.want)
		}
	}
}

// What the README shows can be used as it stands there.
func TestReadmeExample(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "### Single sign-on")
	_, example, _ := strings.Cut(section, "```json\n")
	example, _, _ = strings.Cut(example, "```")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := Parse(strings.ReplaceAll(example, "/run/secrets/hark-oidc", secret))
	if err != nil || len(all) != 1 || all[0].Roles["hark-admins"] != storage.Admin || !strings.Contains(section, CallbackPath+all[0].ID) {
		t.Errorf("%v, %+v", err, all)
	}
}
