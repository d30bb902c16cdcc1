package rest

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"hark/api/problem"
)

// Stream is an answer that its endpoint writes itself.
type Stream struct{ Body func(huma.Context) }

// Answer sends err as a problem, unless an answer has begun.
func (a *API) Answer(c echo.Context, err error) {
	ctx := c.Request().Context()
	p := named(ctx, a.problem(err))
	if call := CallFrom(ctx); call != nil {
		call.Err = p.Unwrap()
	}
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	for name, values := range p.GetHeaders() {
		header[name] = values
	}
	header.Set("Content-Type", problem.MediaType)
	c.Response().WriteHeader(p.Status)
	if err := c.Echo().JSONSerializer.Serialize(c, p, ""); err != nil {
		a.cfg.Logger.DebugContext(ctx, "problem not sent", "request", p.RequestID, "error", err)
	}
}

func (a *API) problem(err error) *problem.Problem { return problem.From(err, a.cfg.Problems...) }

// named returns p with the request that it answers.
func named(ctx context.Context, p *problem.Problem) *problem.Problem {
	if call := CallFrom(ctx); call != nil {
		return p.For(call.ID, call.Base)
	}
	return p
}

// asProblem gives every error that huma answers our form and the request's id.
func (a *API) asProblem(ctx huma.Context, _ string, v any) (any, error) {
	if err, ok := v.(error); ok {
		return named(ctx.Context(), a.problem(err)), nil
	}
	return v, nil
}

// Shorten keeps what a caller made up from filling or forging log lines: it is
// the first 64 bytes of s, as UTF-8.
func Shorten(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), 64)], "?")
}
