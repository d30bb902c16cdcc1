package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"hark/api/health"
)

func TestHealth(t *testing.T) {
	away := errors.New("dial tcp 10.0.0.7:5432: connection refused")
	h := newHarness(t, options{deps: func(d *Deps) {
		d.Ready = map[string]func(context.Context) error{
			"objects":  func(context.Context) error { return nil },
			"database": func(context.Context) error { return away },
		}
	}})
	nobody := h.browser()
	nobody.get("/healthz").want(200)
	a := nobody.get("/readyz").want(503)
	if got := strings.TrimSpace(string(a.body)); got != `{"status":"not ready","parts":{"database":{"status":"not ready"},"objects":{"status":"ok"}}}` {
		t.Errorf("%s", got)
	}
	if !strings.Contains(h.log.String(), away.Error()) {
		t.Error("the cause is not logged")
	}
	away = health.Degraded("decoding is not confined", errors.New("landlock: operation not supported"))
	a = nobody.get("/readyz").want(200)
	if got := strings.TrimSpace(string(a.body)); got != `{"status":"degraded","parts":{"database":{"status":"degraded","reason":"decoding is not confined"},"objects":{"status":"ok"}}}` {
		t.Errorf("%s", got)
	}
	away = nil
	nobody.get("/readyz").want(200)
	nobody.send("HEAD", "/healthz", nil).want(200)
}

func TestMetrics(t *testing.T) {
	h := newHarness(t)
	h.owner.record(h.owner.conversation())
	h.owner.get("/v1/messages/nothing")
	h.owner.get("/made/up")
	h.owner.send("BREW", "/v1/me", nil)
	page := string(h.browser().get("/metrics").want(200).body)
	for _, want := range []string{
		`hark_http_requests_total{method="POST",route="/v1/conversations/:id/messages",status="201"} 1`,
		`hark_http_requests_total{method="GET",route="/v1/messages/:id",status="404"} 1`,
		`hark_http_requests_total{method="other",`,
		`hark_http_request_duration_seconds_count{method="POST",route="/v1/conversations"} 1`,
		"hark_http_received_audio_bytes_total 16044",
		"hark_http_uploads_in_flight 0",
		"hark_http_event_streams 0",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, "made/up") || strings.Contains(page, "BREW") {
		t.Error("callers make up series")
	}
}

func TestRouterProblems(t *testing.T) {
	h := newHarness(t)
	h.owner.get("/v1/nothing").problem(404, "not_found")
	h.owner.get("/nothing").problem(404, "not_found")
	method := h.owner.send("PUT", "/v1/conversations", nil)
	method.problem(405, "method_not_allowed")
	if allow := method.header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow: %q", allow)
	}
}

func TestRequestID(t *testing.T) {
	h := newHarness(t)
	if p := h.owner.get("/nothing", "X-Request-Id", "trace-7f.3").problem(404, "not_found"); p.RequestID != "trace-7f.3" {
		t.Errorf("%+v", p)
	}
	for _, insane := range []string{"", "a b", "<script>", strings.Repeat("x", 200), "ü", "-x"} {
		if p := h.owner.get("/nothing", "X-Request-Id", insane).problem(404, "not_found"); uuid.Validate(p.RequestID) != nil {
			t.Errorf("%q became %q", insane, p.RequestID)
		}
	}
	if log := h.log.String(); !strings.Contains(log, `"request":"trace-7f.3"`) {
		t.Error("the request is not logged under its id")
	}
}

func TestAccessLog(t *testing.T) {
	h := newHarness(t)
	h.owner.get("/v1/me?debug=" + h.owner.token)
	log := h.log.String()
	if !strings.Contains(log, `"route":"/v1/me"`) || !strings.Contains(log, `"user":"`+h.owner.principal.UserID+`"`) {
		t.Errorf("%s", log)
	}
	if strings.Contains(log, h.owner.token) {
		t.Error("a secret is in the log")
	}
}

func TestPages(t *testing.T) {
	h := newHarness(t)
	for path, contentType := range map[string]string{
		"/docs": "text/html; charset=UTF-8", "/openapi.json": "application/json", "/page.css": "text/css; charset=utf-8",
	} {
		a := h.browser().get(path).want(200)
		if got := a.header.Get("Content-Type"); got != contentType || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s is %s", path, got)
		}
		if bytes.Contains(a.body, []byte("<script")) || bytes.Contains(a.body, []byte("style=")) {
			t.Errorf("%s would break its own policy", path)
		}
	}
}

func TestConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no address":    {SigningKey: make([]byte, 32)},
		"no scheme":     {SigningKey: make([]byte, 32), PublicURL: "hark.example.org"},
		"wrong scheme":  {SigningKey: make([]byte, 32), PublicURL: "ftp://hark.example.org"},
		"short key":     {SigningKey: make([]byte, 8), PublicURL: "https://hark.example.org"},
		"nothing there": {},
	} {
		if _, err := New(Deps{}, cfg); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if srv := describedServer(t).HTTPServer("127.0.0.1:0"); srv.ReadHeaderTimeout == 0 || srv.Handler == http.Handler(nil) {
		t.Error("a server without bounds")
	}
}
