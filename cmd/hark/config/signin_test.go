package config

import (
	"strings"
	"testing"
)

func TestSignInConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		given Secret
		count int
		want  string // that is said of what is refused
	}{
		"none": {"", 0, ""},
		"two": {`[{"id": "a", "issuer": "https://a.example", "client_id": "hark", "client_secret": "topsecret"},
			{"id": "b", "issuer": "https://b.example", "client_id": "hark"}]`, 2, ""},
		"no JSON":       {"topsecret", 0, "must be a JSON array of providers"},
		"no client":     {`[{"id": "a", "issuer": "https://a.example", "client_secret": "topsecret"}]`, 0, "provider a: client_id: is missing"},
		"unknown field": {`[{"id": "a", "issuer": "https://a.example", "client_id": "x", "client_secrets": "topsecret"}]`, 0, "client_secrets"},
	} {
		cfg, said := SignInConfig{OpenID: tc.given}, ""
		cfg.check(func(key, format string, args ...any) { said += key + " " + args[0].(error).Error() })
		if !strings.Contains(said, tc.want) || (said == "") != (tc.want == "") || strings.Contains(said, "topsecret") || tc.want != "" && !strings.HasPrefix(said, "HARK_OIDC ") {
			t.Errorf("%s: said is %q", name, said)
		}
		if all, err := cfg.Providers(); tc.want == "" && (err != nil || len(all) != tc.count) {
			t.Errorf("%s: %v, %v", name, all, err)
		}
	}
}
