package front

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// trimSlash leads from an address with a slash at its end to the one without,
// which is the only one that is answered. What comes is reduced to one path
// below our own, so that the redirect never leaves this host: "//evil.example/"
// names another to a browser. The app is at the one address with a slash.
func (f *Front) trimSlash(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if u.Path == "/" || u.Path != "" && !strings.HasSuffix(u.Path, "/") {
			return next(c)
		}
		to := f.cfg.PublicURL.Base + "/" + strings.Trim(u.EscapedPath(), `/\`)
		if u.RawQuery != "" {
			to += "?" + u.RawQuery
		}
		return c.Redirect(http.StatusPermanentRedirect, to)
	}
}
