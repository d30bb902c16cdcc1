package front

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// What pages of other origins may send and read (Fetch Standard, section 3.3).
// They come with a token in the Authorization header. Cookies are never taken
// from them: no answer says Access-Control-Allow-Credentials, and what changes
// something by a cookie is checked by identify as ever.
const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
	corsHeaders = "Authorization, Content-Type, ETag, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, Range, X-Request-Id"
	corsExposed = "Location, ETag, Link, Hark-Message-Id, Accept-Post, Accept-Patch, Idempotent-Replayed, Retry-After, RateLimit, RateLimit-Policy, Content-Disposition, Content-Range, X-Request-Id"
	corsMaxAge  = "7200" // seconds; browsers take no more
)

// cors lets pages of the configured origins use the calls under /v1, and
// answers what their browsers ask before.
func (f *Front) cors(next echo.HandlerFunc) echo.HandlerFunc {
	if len(f.cfg.CORSOrigins) == 0 {
		return next
	}
	return func(c echo.Context) error {
		req, header := c.Request(), c.Response().Header()
		if !strings.HasPrefix(req.URL.Path, "/v1/") {
			return next(c)
		}
		header.Add("Vary", "Origin")
		origin := req.Header.Get("Origin")
		if origin == "" || !f.mayCall(origin) {
			return next(c)
		}
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", corsExposed)
		if req.Method != http.MethodOptions || req.Header.Get("Access-Control-Request-Method") == "" {
			return next(c)
		}
		header.Set("Access-Control-Allow-Methods", corsMethods)
		header.Set("Access-Control-Allow-Headers", corsHeaders)
		header.Set("Access-Control-Max-Age", corsMaxAge)
		return c.NoContent(http.StatusNoContent)
	}
}

func (f *Front) mayCall(origin string) bool {
	return slices.Contains(f.cfg.CORSOrigins, origin) || slices.Contains(f.cfg.CORSOrigins, "*")
}

// CheckOrigin says what is wrong with an origin of [Config].CORSOrigins.
func CheckOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin || strings.ToLower(origin) != origin {
		return fmt.Errorf("%q is not an origin such as https://recorder.example.org, in small letters and without a path, or * for all", origin)
	}
	return nil
}
