package front

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"hark/api/health"
	"hark/api/rest"
)

// observe stands around every request: it names it, answers its error, keeps a
// panic from spreading, counts it and writes it to the access log.
func (f *Front) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		call := rest.BeginCall(c, f.cfg.PublicURL.Base)
		f.setDefaultHeaders(c)
		f.boundBody(c)
		endAnswer := linger(c)
		sendHeld := f.hold(c)
		aborted := true
		defer func() {
			took := time.Since(began)
			f.observed(c, took)
			f.logCall(call, took, aborted)
			if !aborted {
				endAnswer()
			}
		}()
		if err := guard(next, c); err != nil && !f.deps.NotFound(c, err) {
			f.deps.API.Answer(c, err)
		}
		sendHeld()
		aborted = false
		return nil
	}
}

// boundBody gives a body that no handler reads a time to come: net/http waits
// for the rest of a small one before it answers, for ever if it is let.
func (f *Front) boundBody(c echo.Context) {
	if c.Request().ContentLength != 0 {
		_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(f.cfg.StallTimeout))
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
			rest.CallFrom(c.Request().Context()).Err = err
			panic(http.ErrAbortHandler)
		}
	}()
	return next(c)
}

// strictTransport has browsers come over https for a year (RFC 6797). Hosts
// below are left to whoever runs them.
const strictTransport = "max-age=31536000"

// markHeader is on every answer of ours, so that the app can tell it from what a
// proxy or the sign-in page of a network says in our place.
const markHeader = "Hark"

// setDefaultHeaders sets what holds for every answer that does not say
// otherwise: nothing of it is cached, sniffed, framed or run.
func (f *Front) setDefaultHeaders(c echo.Context) {
	header := c.Response().Header()
	if f.cfg.PublicURL.Secure() {
		header.Set("Strict-Transport-Security", strictTransport)
	}
	header.Set(markHeader, "1")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cache-Control", "private, no-store")
}

// logCall writes the access log. Addresses are logged as their route, without
// query: queries hold codes, signatures and what people search for.
func (f *Front) logCall(c *rest.Call, took time.Duration, aborted bool) {
	req, res := c.Echo.Request(), c.Echo.Response()
	attrs := []slog.Attr{
		slog.String("request", c.ID),
		slog.String("method", req.Method),
		slog.String("route", routeOf(c.Echo)),
		slog.Int("status", res.Status),
		slog.Int64("bytes", res.Size),
		slog.Duration("took", took),
		slog.String("remote", c.Echo.RealIP()),
	}
	if id := c.Echo.Param("id"); id != "" {
		attrs = append(attrs, slog.String("id", rest.Shorten(id)))
	}
	if c.Principal.UserID != "" {
		attrs = append(attrs, slog.String("user", c.Principal.UserID), slog.String("workspace", c.Principal.WorkspaceID))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if c.Err != nil {
		attrs = append(attrs, slog.String("error", c.Err.Error()))
	}
	f.deps.Logger.LogAttrs(req.Context(), logLevel(c.Echo, aborted), "request", attrs...)
}

func logLevel(c echo.Context, aborted bool) slog.Level {
	switch {
	case aborted || c.Response().Status >= 500:
		return slog.LevelError
	case slices.Contains(health.Paths, c.Path()):
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
