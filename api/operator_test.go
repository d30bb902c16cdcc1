package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOperators has /metrics and the parts of /readyz asked for by all sorts of
// callers.
func TestOperators(t *testing.T) {
	const token = "a-token-of-operators"
	w := newWorld(t, options{
		config: func(c *Config) { c.MetricsToken = token },
		deps: func(d *Deps) {
			d.Ready = map[string]func(context.Context) error{
				"objects": func(context.Context) error { return Degraded("the bucket is read-only", errors.New("403")) },
			}
		},
	})
	own := Operations{Registry: w.api.Registry, Logger: w.api.Logger, Ready: w.api.Ready, Own: true}.Handler()
	for name, c := range map[string]struct {
		handler       http.Handler
		from          string
		header, value string
		let           bool
	}{
		"on this machine":                   {w.api, "127.0.0.1:1", "", "", true},
		"on this machine, IPv6":             {w.api, "[::1]:1", "", "", true},
		"mapped":                            {w.api, "[::ffff:127.0.0.1]:1", "", "", true},
		"through a proxy here":              {w.api, "127.0.0.1:1", "X-Forwarded-For", "192.0.2.1", false},
		"through a proxy here, as RFC 7239": {w.api, "127.0.0.1:1", "Forwarded", "for=127.0.0.1", false},
		"from elsewhere":                    {w.api, "192.0.2.1:1", "", "", false},
		"from elsewhere, said to be here":   {w.api, "192.0.2.1:1", "X-Forwarded-For", "127.0.0.1", false},
		"with the token":                    {w.api, "192.0.2.1:1", "Authorization", "Bearer " + token, true},
		"with another":                      {w.api, "192.0.2.1:1", "Authorization", "Bearer " + token + "x", false},
		"with none":                         {w.api, "192.0.2.1:1", "Authorization", "Bearer ", false},
		"with a user's":                     {w.api, "192.0.2.1:1", "Authorization", "Bearer " + w.owner.token, false},
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
	without := Operations{Registry: w.api.Registry, Logger: w.api.Logger}
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("Authorization", "Bearer ")
	if without.isOperator(req) {
		t.Error("no token is taken for one")
	}
}
