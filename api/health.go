package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTimeout bounds each check, so that a part that hangs is one that is not
// ready.
const readyTimeout = 3 * time.Second

// operationsPaths are what [Operations] answers.
var operationsPaths = []string{"/healthz", "/readyz", "/metrics"}

// Operations answers what those who run Hark ask: /healthz, /readyz and
// /metrics. It is part of every [Server], and all that a node answers which
// only works.
type Operations struct {
	Registry *prometheus.Registry
	Logger   *slog.Logger

	// Ready names what must work for this node to be of use, with a check that
	// answers within its context. Nil means always ready.
	Ready map[string]func(context.Context) error
}

// Handler returns what answers.
func (o Operations) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", o.healthz)
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{Registry: o.Registry}))
	return mux
}

// routeOperations lays out what those who run Hark ask.
func (s *Server) routeOperations() {
	handler := echo.WrapHandler(Operations{Registry: s.Registry, Logger: s.Logger, Ready: s.Ready}.Handler())
	for _, path := range operationsPaths {
		s.echo.GET(path, handler)
		s.echo.HEAD(path, handler)
	}
}

// healthz says that the process answers, whatever its parts do.
func (o Operations) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness is the answer of /readyz: "ok" or "not ready" for each part. Why a
// part is not ready is for the log, as it may hold addresses.
type readiness struct {
	Status string            `json:"status"`
	Parts  map[string]string `json:"parts"`
}

// readyz says whether this node can do its work, and which part keeps it.
func (o Operations) readyz(w http.ResponseWriter, r *http.Request) {
	answer := readiness{Status: "ok", Parts: map[string]string{}}
	status := http.StatusOK
	for name, err := range o.checkParts(r.Context()) {
		answer.Parts[name] = "ok"
		if err != nil {
			answer.Parts[name], answer.Status, status = "not ready", "not ready", http.StatusServiceUnavailable
			o.Logger.WarnContext(r.Context(), "not ready", "part", name, "error", err)
		}
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller who left needs no answer
}

// checkParts asks all parts at once.
func (o Operations) checkParts(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	type verdict struct {
		name string
		err  error
	}
	verdicts := make(chan verdict, len(o.Ready))
	for name, check := range o.Ready {
		go func() { verdicts <- verdict{name, check(ctx)} }()
	}
	found := make(map[string]error, len(o.Ready))
	for range o.Ready {
		select {
		case v := <-verdicts:
			found[v.name] = v.err
		case <-ctx.Done():
		}
	}
	for name := range o.Ready {
		if _, answered := found[name]; !answered {
			found[name] = context.DeadlineExceeded
		}
	}
	return found
}
