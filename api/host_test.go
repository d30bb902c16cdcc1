package api

import (
	"net/http"
	"strings"
	"testing"

	"hark/api/health"
	"hark/api/proxy"
	"hark/api/security"
)

// asking makes a request for a host by another name than its address.
func (c *client) asking(host, path string, headers ...string) *answer {
	c.t.Helper()
	own, caller := *c, *c.http
	caller.Transport = hostTransport{host: host, next: http.DefaultTransport}
	own.http = &caller
	return own.get(path, headers...)
}

type hostTransport struct {
	host string
	next http.RoundTripper
}

func (t hostTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Host = t.host
	return t.next.RoundTrip(r)
}

// TestHosts: who asks for a name that is not ours gets nothing, as a page does
// whose own name was made to lead here.
func TestHosts(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.PublicURL, c.Hosts = "https://Voice.example.org", []string{"api", "hark.lan"} }})
	m := h.owner.record(h.owner.conversation())
	for _, host := range []string{
		"voice.example.org", "VOICE.example.org:8443", "voice.example.org.", "127.0.0.1:8080", "192.168.1.5", "[::1]:8080", "[fe80::1]",
		"localhost:8080", "hark.localhost", "api:8080", "hark.lan",
	} {
		for _, path := range []string{"/v1/me", "/", "/docs", m.Links.Original} {
			h.owner.asking(host, path).want(200)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "voice.example.org.evil.example", "xvoice.example.org", "127.0.0.1.evil.example", "localhost.evil.example", "a", "1"} {
		for _, path := range []string{"/v1/me", "/", "/docs", "/sign-in?code=x", "/openapi.json", "/nowhere", "/v1/me/", m.Links.Original} {
			if p := h.owner.asking(host, path).problem(421, "misdirected_request"); !strings.Contains(p.Detail, "HARK_HOSTS") {
				t.Errorf("%s is not told what to do: %+v", host, p)
			}
		}
		for _, path := range health.Paths {
			h.owner.asking(host, path).want(421) // a page in this machine's browser
			if a := h.owner.asking(host, path, "X-Forwarded-For", "192.0.2.1"); a.status == 421 {
				t.Errorf("%s is not for probes", path)
			}
		}
	}
	if events := h.securityEvents(); len(events) == 0 || events[0]["event"] != string(security.HostRefused) {
		t.Errorf("the log has %v", events)
	}
	all := newHarness(t, options{config: func(c *Config) { c.Hosts = []string{"*"} }})
	all.owner.asking("any.example", "/v1/me").want(200)
}

// TestHostsBehindProxies: what a proxy was asked counts, if it is trusted.
func TestHostsBehindProxies(t *testing.T) {
	h := newHarness(t, options{config: func(c *Config) { c.TrustedProxies = proxy.Loopback() }})
	h.owner.asking("upstream", "/v1/me").want(421)
	h.owner.asking("upstream", "/v1/me", "X-Forwarded-Host", "hark.test").want(200)
	h.owner.asking("hark.test", "/v1/me", "X-Forwarded-Host", "evil.example").want(421)
	h.owner.get("/v1/me", "X-Forwarded-For", "192.0.2.1, 203.0.113.7").want(200)
	if log := h.log.String(); !strings.Contains(log, `"remote":"203.0.113.7"`) || strings.Contains(log, "192.0.2.1") {
		t.Error("the log does not hold the address that the proxy told")
	}

	untrusting := newHarness(t)
	untrusting.owner.asking("upstream", "/v1/me", "X-Forwarded-Host", "hark.test").want(421)
	untrusting.owner.get("/v1/me", "X-Forwarded-For", "203.0.113.7").want(200)
	if strings.Contains(untrusting.log.String(), "203.0.113.7") {
		t.Error("an address that anybody may claim is in the log")
	}
}

// TestProxyPassword: a proxy that asks for a password of its own hides neither
// the session nor that another site makes the browser ask.
func TestProxyPassword(t *testing.T) {
	h := newHarness(t)
	b := h.browser()
	b.form("/sign-in", map[string][]string{"code": {h.signInCode()}}).want(303)
	const basic = "Basic b2xnYTpzZXNhbWU="
	b.get("/v1/me", "Authorization", basic).want(200)
	b.send("POST", "/v1/conversations", strings.NewReader(`{"title": "A"}`), "Authorization", basic, "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin").want(201)
	b.send("POST", "/v1/conversations", strings.NewReader(`{"title": "A"}`), "Authorization", basic, "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site").problem(403, "cross_site")
	b.get("/v1/me", "Authorization", "Bearer made-up").problem(401, "unauthorized")
	b.get("/v1/me", "Authorization", "Bearer").problem(401, "unauthorized")
	h.browser().get("/v1/me", "Authorization", basic).problem(401, "unauthorized")
}
