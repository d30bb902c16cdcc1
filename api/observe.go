package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// observe stands around every request: it names it, answers its error, keeps a
// panic from spreading, counts it and writes it to the access log.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		call := s.beginCall(c)
		s.setDefaultHeaders(c)
		s.boundBody(c)
		endAnswer := linger(c)
		sendHeld := s.hold(c)
		aborted := true
		defer func() {
			took := time.Since(began)
			s.metrics.observe(c, took)
			s.logCall(call, took, aborted)
			if !aborted {
				endAnswer()
			}
		}()
		if err := guard(next, c); err != nil {
			s.answer(c, err)
		}
		sendHeld()
		aborted = false
		return nil
	}
}

// boundBody gives a body that no handler reads a time to come: net/http waits
// for the rest of a small one before it answers, for ever if it is let.
func (s *Server) boundBody(c echo.Context) {
	if c.Request().ContentLength != 0 {
		_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(s.cfg.StallTimeout))
	}
}

// guard runs next and makes an error of a panic, unless the answer has begun:
// then only breaking the connection tells the caller that it is not whole.
func guard(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if asErr, ok := v.(error); ok && errors.Is(asErr, http.ErrAbortHandler) {
			panic(v)
		}
		err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		if c.Response().Committed {
			callFrom(c.Request().Context()).err = err
			panic(http.ErrAbortHandler)
		}
	}()
	return next(c)
}

// setDefaultHeaders sets what holds for every answer that does not say
// otherwise: nothing of it is cached, sniffed, framed or run.
func (s *Server) setDefaultHeaders(c echo.Context) {
	h := c.Response().Header()
	if s.secure() {
		h.Set("Strict-Transport-Security", strictTransport)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
}

// answer sends err as a problem, unless an answer has begun.
func (s *Server) answer(c echo.Context, err error) {
	ctx := c.Request().Context()
	problem := problemOf(err).stamped(ctx)
	if call := callFrom(ctx); call != nil {
		call.err = problem.cause
	}
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	for name, values := range problem.headers {
		h[name] = values
	}
	h.Set("Content-Type", problemMediaType)
	c.Response().WriteHeader(problem.Status)
	if err := c.Echo().JSONSerializer.Serialize(c, problem, ""); err != nil {
		s.Logger.DebugContext(ctx, "problem not sent", "request", problem.RequestID, "error", err)
	}
}

// logCall writes the access log. Addresses are logged as their route, without
// query: queries hold codes, signatures and what people search for.
func (s *Server) logCall(c *call, took time.Duration, aborted bool) {
	req, res := c.echo.Request(), c.echo.Response()
	attrs := []slog.Attr{
		slog.String("request", c.id),
		slog.String("method", req.Method),
		slog.String("route", routeOf(c.echo)),
		slog.Int("status", res.Status),
		slog.Int64("bytes", res.Size),
		slog.Duration("took", took),
		slog.String("remote", c.echo.RealIP()),
	}
	if id := c.echo.Param("id"); id != "" {
		attrs = append(attrs, slog.String("id", limitLog(id)))
	}
	if c.actor.UserID != "" {
		attrs = append(attrs, slog.String("user", c.actor.UserID), slog.String("workspace", c.actor.WorkspaceID))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if c.err != nil {
		attrs = append(attrs, slog.String("error", c.err.Error()))
	}
	s.Logger.LogAttrs(req.Context(), logLevel(c.echo, aborted), "request", attrs...)
}

func logLevel(c echo.Context, aborted bool) slog.Level {
	switch path := c.Path(); {
	case aborted || c.Response().Status >= 500:
		return slog.LevelError
	case path == "/healthz" || path == "/readyz" || path == "/metrics":
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// routeOf is the pattern that the request matched; a bounded set of names.
func routeOf(c echo.Context) string {
	if path := c.Path(); path != "" {
		return path
	}
	return "none"
}

// limitLog keeps what a caller made up from filling or forging log lines.
func limitLog(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), 64)], "?")
}
