package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operationsPaths are what [Operations] answers.
var operationsPaths = []string{"/healthz", "/readyz", "/metrics"}

// Operations answers what those who run Hark ask: /healthz, /readyz and
// /metrics. It is part of every [Server], and all that a node answers which
// only works.
//
// Everybody may know whether the node is well. Metrics, and which part is not
// well and why, are for operators: those who ask on this machine, with Token,
// or on a listener of their own.
type Operations struct {
	Registry *prometheus.Registry
	Logger   *slog.Logger

	Token string // empty: no token opens the doors
	Own   bool   // the listener is for operators alone

	// Ready names what must work for this node to be of use, with a check that
	// answers within its context and returns nil, [Degraded], [NotReady] or any
	// other error. Nil means always ready.
	Ready map[string]func(context.Context) error
}

// Handler returns what answers.
func (o Operations) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", o.healthz)
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", o.operatorsOnly(promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{Registry: o.Registry})))
	return mux
}

// routeOperations lays out what those who run Hark ask.
func (s *Server) routeOperations() {
	handler := echo.WrapHandler(Operations{Registry: s.Registry, Logger: s.Logger, Token: s.cfg.MetricsToken, Ready: s.Ready}.Handler())
	for _, path := range operationsPaths {
		s.getAndHead(path, handler)
	}
}

// healthz says that the process answers, whatever its parts do.
func (o Operations) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether this node can do its work and, to operators, which part
// keeps it.
func (o Operations) readyz(w http.ResponseWriter, r *http.Request) {
	found := o.checkParts(r.Context())
	for name, err := range found {
		if err != nil {
			o.Logger.WarnContext(r.Context(), "part is not well", "part", name, "state", stateOf(err), "error", err)
		}
	}
	answer, status := readinessOf(found), http.StatusOK
	if answer.Status == stateNotReady {
		status = http.StatusServiceUnavailable
	}
	if !o.isOperator(r) {
		answer.Parts = nil
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller who left needs no answer
}
