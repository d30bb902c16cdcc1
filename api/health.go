package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTimeout bounds each check, so that a part that hangs is one that is not
// ready.
const readyTimeout = 3 * time.Second

// routeOperations lays out what those who run Hark ask.
func (s *Server) routeOperations() {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.echo.Add(method, "/healthz", s.healthz)
		s.echo.Add(method, "/readyz", s.readyz)
	}
	s.echo.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{Registry: s.Registry})))
}

// healthz says that the process answers, whatever its parts do.
func (s *Server) healthz(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// readiness is the answer of /readyz: "ok" or "not ready" for each part. Why a
// part is not ready is for the log, as it may hold addresses.
type readiness struct {
	Status string            `json:"status"`
	Parts  map[string]string `json:"parts"`
}

// readyz says whether this node can do its work, and which part keeps it.
func (s *Server) readyz(c echo.Context) error {
	answer := readiness{Status: "ok", Parts: map[string]string{}}
	status := http.StatusOK
	for name, err := range s.checkParts(c.Request().Context()) {
		answer.Parts[name] = "ok"
		if err != nil {
			answer.Parts[name], answer.Status, status = "not ready", "not ready", http.StatusServiceUnavailable
			s.Logger.WarnContext(c.Request().Context(), "not ready", "part", name, "error", err)
		}
	}
	return c.JSON(status, answer)
}

// checkParts asks all parts at once.
func (s *Server) checkParts(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	type verdict struct {
		name string
		err  error
	}
	verdicts := make(chan verdict, len(s.Ready))
	for name, check := range s.Ready {
		go func() { verdicts <- verdict{name, check(ctx)} }()
	}
	found := make(map[string]error, len(s.Ready))
	for range s.Ready {
		select {
		case v := <-verdicts:
			found[v.name] = v.err
		case <-ctx.Done():
		}
	}
	for name := range s.Ready {
		if _, answered := found[name]; !answered {
			found[name] = context.DeadlineExceeded
		}
	}
	return found
}
