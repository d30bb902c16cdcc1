package signin

import (
	"strings"
	"testing"

	"hark/api/rest"
)

const somewhere = "01a204c2-4dc4-7140-b091-ce2f79242aa2"

// TestLanding: a sign-in leads to pages of the app alone.
func TestLanding(t *testing.T) {
	for _, base := range []string{"", "/voice/hark"} {
		e := &Endpoints{deps: Deps{PublicURL: rest.PublicURL{Base: base}}}
		for _, place := range []string{
			"/m/" + somewhere + "?t=1200", "/c/" + somewhere, "/c/" + somewhere + "?at=" + somewhere, "/settings", "/settings/members", "/settings/invitations", "/settings/audit?from=2026-03-01", "/settings/usage", "/search?q=a%20b&from=x%2F..%2Fy",
		} {
			for _, to := range []string{place, base + place} {
				if got := e.landing(to); got != base+place {
					t.Errorf("%q leads to %q below %q", to, got, base)
				}
			}
		}
		for _, to := range []string{
			"", "/", base + "/", "//evil.example", `/\evil.example`, `\\evil.example`, "///evil.example/m/" + somewhere, "https://evil.example/", "http://hark.test" + base + "/m/" + somewhere,
			"javascript:alert(1)", "data:text/html,x", "%2F%2Fevil.example", "/%2Fevil.example", "/%5Cevil.example", "/m/../..//evil.example", "/m/" + somewhere + "/../../..//evil.example",
			"/m/" + somewhere + "@evil.example", "/m/" + somewhere + "#x", "/m/" + somewhere + "?\r\nSet-Cookie:a=b", "/m/" + somewhere + "\n", " /settings", "\t//evil.example", "/docs", "/v1/me", "/sign-in?code=x",
			"/voice/hark/voice/hark/settings", "/search?q=" + strings.Repeat("a", maxLanding), "/settings/", "/settings/others", "/m/" + somewhere + `?"><script>`,
		} {
			if got := e.landing(to); got != base+"/" {
				t.Errorf("%q leads to %q below %q", to, got, base)
			}
		}
	}
}
