package api

import (
	"errors"
	"net/http"
	"strings"
)

// sessionCookie is the name of the session's cookie over http. Over https it
// has the prefix of RFC 6265bis, section 4.1.3.2: such a cookie was set by this
// very host, and neither by a neighbour under the same domain nor over http.
// Below a path it names that, so that each of several Harks on a host has its
// own, and the prefix is the one for cookies of a path.
const (
	sessionCookie       = "hark_session"
	hostSessionCookie   = "__Host-" + sessionCookie
	secureSessionCookie = "__Secure-" + sessionCookie
)

// strictTransport has browsers come over https for a year (RFC 6797). Hosts
// below are left to whoever runs them.
const strictTransport = "max-age=31536000"

// secure reports whether people reach Hark over https.
func (s *Server) secure() bool { return s.public.Scheme == "https" }

func (s *Server) cookieName() string {
	below := strings.ReplaceAll(s.base, "/", "-")
	switch {
	case !s.secure():
		return sessionCookie + below
	case below == "":
		return hostSessionCookie
	}
	return secureSessionCookie + below
}

var errTwoCookies = errors.New("two session cookies")

// sessionOf takes the session's secret out of a request; it is empty when there
// is none. Of two cookies nobody can tell which is the person's own.
func (s *Server) sessionOf(req *http.Request) (string, error) {
	cookies := req.CookiesNamed(s.cookieName())
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
func (s *Server) newSessionCookie(secret string, maxAge int) http.Cookie {
	return http.Cookie{
		Name:     s.cookieName(),
		Value:    secret,
		Path:     s.base + "/",
		MaxAge:   maxAge,
		HttpOnly: true,
		Secure:   s.secure(),
		SameSite: http.SameSiteLaxMode,
	}
}
