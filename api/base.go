package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// basePath is what the path of a public address may be: segments that look the
// same in an address, a cookie and a page, wherever they are written.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// belowBase takes the path of the public address off a request's. A proxy may
// take it off by itself, or pass it on: both are answered alike, which is clear
// as no address of ours begins like the public path ([Server.checkBase]). The
// path alone, without the slash that should follow, becomes empty.
func (s *Server) belowBase(r *http.Request) *http.Request {
	if s.base == "" {
		return r
	}
	path, ok := strings.CutPrefix(r.URL.Path, s.base)
	if !ok || path != "" && path[0] != '/' {
		return r
	}
	below := r.WithContext(r.Context())
	below.URL = new(url.URL)
	*below.URL = *r.URL
	below.URL.Path, below.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, s.base)
	return below
}

// checkBase refuses a public path that begins like an address of our own.
func (s *Server) checkBase() error {
	first := firstSegment(s.base)
	for _, route := range s.echo.Routes() {
		if first != "" && first == firstSegment(route.Path) {
			return fmt.Errorf("public address: its path begins with /%s, as an address of Hark's own does", first)
		}
	}
	return nil
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

// CheckPublicURL says what is wrong with a public address, without repeating it,
// as it may hold a password by mistake.
func CheckPublicURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("is not an address that begins with http:// or https://")
	}
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil || !basePath.MatchString(strings.TrimRight(u.EscapedPath(), "/")) {
		return nil, errors.New("has more than a host and a path of letters, digits, dots, dashes and underscores, such as https://example.org/hark")
	}
	return u, nil
}
