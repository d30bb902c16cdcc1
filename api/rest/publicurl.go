package rest

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// PublicURL is where callers reach this service, such as
// https://hark.example.org or https://example.org/hark.
type PublicURL struct {
	*url.URL
	Base string // its path without a slash at the end; before all paths that are given to callers
}

// basePath is what the path of a public address may be: segments that look the
// same in an address, a cookie and a page, wherever they are written.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// ParsePublicURL reads a public address, or says what is wrong with it without
// repeating it, as it may hold a password by mistake.
func ParsePublicURL(address string) (PublicURL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return PublicURL{}, errors.New("is not an address that begins with http:// or https://")
	}
	base := strings.TrimRight(u.EscapedPath(), "/")
	if u.RawQuery != "" || u.Fragment != "" || u.User != nil || !basePath.MatchString(base) {
		return PublicURL{}, errors.New("has more than a host and a path of letters, digits, dots, dashes and underscores, such as https://example.org/hark")
	}
	return PublicURL{URL: u, Base: base}, nil
}

// Address is the public address, without a slash at its end.
func (p PublicURL) Address() string { return p.Scheme + "://" + p.Host + p.Base }

// Secure reports whether people reach Hark over https.
func (p PublicURL) Secure() bool { return p.Scheme == "https" }
