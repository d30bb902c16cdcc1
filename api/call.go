package api

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"github.com/labstack/echo/v4"

	"hark/storage"
)

// call is what is known about one request. It is made by observe, completed by
// authenticate, and read by handlers and the access log, all on the request's
// own goroutine.
type call struct {
	id   string
	base string // before the paths that the caller is told
	echo echo.Context

	actor  storage.Actor     // zero until authenticated
	secret string            // the credential they came with; never logged
	kind   storage.TokenKind // its kind; empty for a signed address
	err    error             // private cause of a problem that was answered
}

type callKey struct{}

// callFrom returns the call that ctx belongs to, or nil outside of one.
func callFrom(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// saneRequestID is what may be taken over from a caller into headers and logs.
var saneRequestID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,99}$`)

// beginCall names the request, by the caller's own name for it if that is sane.
func (s *Server) beginCall(c echo.Context) *call {
	id := c.Request().Header.Get("X-Request-Id")
	if !saneRequestID.MatchString(id) {
		id = storage.NewID()
	}
	begun := &call{id: id, base: s.base, echo: c}
	c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), callKey{}, begun)))
	c.Response().Header().Set("X-Request-Id", id)
	return begun
}

// response is where the answer goes, for deadlines and flushes.
func (c *call) response() http.ResponseWriter { return c.echo.Response() }

// here is the address of the request, as the caller wrote it.
func (c *call) here() *url.URL {
	here := *c.echo.Request().URL
	here.Path = c.base + here.Path
	return &here
}
