package signin

import (
	"errors"
	"net/http"
	"strings"

	"hark/api/rest"
)

// sessionCookie is the name of the session's cookie over http. Over https it
// has the prefix of RFC 6265bis, section 4.1.3.2: such a cookie was set by this
// very host, and neither by a neighbour under the same domain nor over http.
// Below a path it names that, so that each of several Harks on a host has its
// own, and the prefix is the one for cookies of a path.
const (
	sessionCookie = "hark_session"
	deviceCookie  = "hark_device"
	hostPrefix    = "__Host-"
	securePrefix  = "__Secure-"
)

// CookieName is the name of the session's cookie below a public address.
func CookieName(public rest.PublicURL) string { return cookieName(public, sessionCookie) }

func cookieName(public rest.PublicURL, name string) string {
	below := strings.ReplaceAll(public.Base, "/", "-")
	switch {
	case !public.Secure():
		return name + below
	case below == "":
		return hostPrefix + name
	}
	return securePrefix + name + below
}

var errTwoCookies = errors.New("two session cookies")

// sessionOf takes the session's secret out of a request; it is empty when there
// is none. Of two cookies nobody can tell which is the person's own.
func (e *Endpoints) sessionOf(req *http.Request) (string, error) {
	cookies := req.CookiesNamed(CookieName(e.deps.PublicURL))
	switch len(cookies) {
	case 0:
		return "", nil
	case 1:
		return cookies[0].Value, nil
	}
	return "", errTwoCookies
}

// newSessionCookie holds a session for maxAge seconds; a negative maxAge
// clears it.
func (e *Endpoints) newSessionCookie(secret string, maxAge int) http.Cookie {
	return e.newCookie(sessionCookie, secret, maxAge)
}

func (e *Endpoints) newCookie(name, value string, maxAge int) http.Cookie {
	return http.Cookie{
		Name:     cookieName(e.deps.PublicURL, name),
		Value:    value,
		Path:     e.deps.PublicURL.Base + "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   e.deps.PublicURL.Secure(),
		SameSite: http.SameSiteLaxMode,
	}
}
