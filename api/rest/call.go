package rest

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"github.com/labstack/echo/v4"

	"hark/storage"
)

// Call is what is known about one request. It is begun by package front,
// completed by the guards of its endpoint, and read by handlers and the access
// log, all on the request's own goroutine.
type Call struct {
	ID   string
	Base string // of the public address: before the paths that are given to the caller
	Echo echo.Context

	Principal storage.Principal // zero until authenticated
	Kind      storage.TokenKind // of their credential; empty for a signed address
	Err       error             // private cause of a problem that was answered
}

type callKey struct{}

// CallFrom returns the call that ctx belongs to, or nil outside of one.
func CallFrom(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}

// saneRequestID is what may be taken over from a caller into headers and logs.
var saneRequestID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,99}$`)

// BeginCall names the request, by the caller's own name for it if that is sane.
func BeginCall(c echo.Context, base string) *Call {
	id := c.Request().Header.Get("X-Request-Id")
	if !saneRequestID.MatchString(id) {
		id = storage.NewID()
	}
	begun := &Call{ID: id, Base: base, Echo: c}
	ctx := context.WithValue(c.Request().Context(), callKey{}, begun)
	ctx = storage.WithOrigin(ctx, storage.Origin{Address: c.RealIP(), Agent: c.Request().UserAgent()})
	c.SetRequest(c.Request().WithContext(ctx))
	c.Response().Header().Set("X-Request-Id", id)
	return begun
}

// Request is what is asked.
func (c *Call) Request() *http.Request { return c.Echo.Request() }

// Response is where the answer goes, for deadlines and flushes.
func (c *Call) Response() http.ResponseWriter { return c.Echo.Response() }

// Here is the address of the request, as the caller wrote it.
func (c *Call) Here() *url.URL {
	here := *c.Request().URL
	here.Path = c.Base + here.Path
	return &here
}
