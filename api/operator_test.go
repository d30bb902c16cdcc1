package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hark/api/health"
)

// TestOperators has /metrics and the parts of /readyz asked for by all sorts of
// callers.
func TestOperators(t *testing.T) {
	const token = "a-token-of-operators"
	h := newHarness(t, options{
		config: func(c *Config) { c.MetricsToken = token },
		deps: func(d *Deps) {
			d.Ready = map[string]func(context.Context) error{
				"objects": func(context.Context) error { return health.Degraded("the bucket is read-only", errors.New("403")) },
			}
		},
	})
	own := health.Endpoints{Registry: h.deps.Registry, Logger: h.deps.Logger, Ready: h.deps.Ready, Own: true}.Handler()
	for name, c := range map[string]struct {
		handler       http.Handler
		from          string
		header, value string
		let           bool
	}{
		"on this machine":                   {h.api, "127.0.0.1:1", "", "", true},
		"on this machine, IPv6":             {h.api, "[::1]:1", "", "", true},
		"mapped":                            {h.api, "[::ffff:127.0.0.1]:1", "", "", true},
		"through a proxy here":              {h.api, "127.0.0.1:1", "X-Forwarded-For", "192.0.2.1", false},
		"through a proxy here, as RFC 7239": {h.api, "127.0.0.1:1", "Forwarded", "for=127.0.0.1", false},
		"from elsewhere":                    {h.api, "192.0.2.1:1", "", "", false},
		"from elsewhere, said to be here":   {h.api, "192.0.2.1:1", "X-Forwarded-For", "127.0.0.1", false},
		"with the token":                    {h.api, "192.0.2.1:1", "Authorization", "Bearer " + token, true},
		"with another":                      {h.api, "192.0.2.1:1", "Authorization", "Bearer " + token + "x", false},
		"with none":                         {h.api, "192.0.2.1:1", "Authorization", "Bearer ", false},
		"with a user's":                     {h.api, "192.0.2.1:1", "Authorization", "Bearer " + h.owner.token, false},
		"on their own listener":             {own, "192.0.2.1:1", "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(path string) *httptest.ResponseRecorder {
				req := httptest.NewRequest(http.MethodGet, path, nil)
				req.Host, req.RemoteAddr = "hark.test", c.from
				if c.header != "" {
					req.Header.Set(c.header, c.value)
				}
				answer := httptest.NewRecorder()
				c.handler.ServeHTTP(answer, req)
				return answer
			}
			metrics, ready := ask("/metrics"), ask("/readyz")
			if let := metrics.Code == http.StatusOK && strings.Contains(metrics.Body.String(), "hark_"); let != c.let {
				t.Errorf("/metrics: %d", metrics.Code)
			}
			if !c.let && (metrics.Code != http.StatusUnauthorized || !strings.Contains(metrics.Body.String(), "HARK_METRICS_TOKEN")) {
				t.Errorf("/metrics: %d %s", metrics.Code, metrics.Body)
			}
			if told := strings.Contains(ready.Body.String(), "read-only"); ready.Code != http.StatusOK || told != c.let {
				t.Errorf("/readyz: %d %s", ready.Code, ready.Body)
			}
			if health := ask("/healthz"); health.Code != http.StatusOK {
				t.Errorf("/healthz: %d", health.Code)
			}
		})
	}
}
