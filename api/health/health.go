// Package health answers what those who run Hark ask of a node: whether it is
// alive (/healthz), whether it can do its work (/readyz), and its metrics
// (/metrics).
//
// cmd gives it a check for each part that must work. All are asked at once,
// each time that somebody asks; the worst answer is the node's.
package health

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hark/api/listen"
)

// Paths are what [Endpoints] answer.
var Paths = []string{"/healthz", "/readyz", "/metrics"}

// Endpoints answer [Paths]. They are part of every server, and all that a node
// answers which only works.
//
// Everybody may know whether the node is well. Metrics, and which part is not
// well and why, are for operators: those who ask on this machine, with Token,
// or on a listener of their own.
type Endpoints struct {
	Registry *prometheus.Registry
	Logger   *slog.Logger

	Token string // empty: no token is accepted
	Own   bool   // the listener is for operators alone

	// Ready names what must work for this node to be of use, with a check that
	// answers within its context and returns nil, [Degraded], [NotReady] or any
	// other error. Nil means always ready.
	Ready map[string]func(context.Context) error
}

// Handler returns what answers.
func (e Endpoints) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", e.healthz)
	mux.HandleFunc("GET /readyz", e.readyz)
	mux.Handle("GET /metrics", e.operatorsOnly(promhttp.HandlerFor(e.Registry, promhttp.HandlerOpts{Registry: e.Registry})))
	return mux
}

// HTTPServer returns an http.Server for e alone.
func (e Endpoints) HTTPServer(addr string) *http.Server {
	return listen.HTTPServer(addr, e.Handler(), e.Logger)
}

// healthz says that the process answers, whatever its parts de.
func (e Endpoints) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether this node can do its work and, to operators, which part
// keeps it.
func (e Endpoints) readyz(w http.ResponseWriter, r *http.Request) {
	found := e.checkParts(r.Context())
	for name, err := range found {
		if err != nil {
			e.Logger.WarnContext(r.Context(), "part is not well", "part", name, "state", stateOf(err), "error", err)
		}
	}
	answer, status := readinessOf(found), http.StatusOK
	if answer.Status == stateNotReady {
		status = http.StatusServiceUnavailable
	}
	if !e.isOperator(r) {
		answer.Parts = nil
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a caller who left needs no answer
}
