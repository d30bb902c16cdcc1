package front

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// belowBase takes the path of the public address off a request's. A proxy may
// take it off by itself, or pass it on: both are answered alike, which is clear
// as no address of ours begins like the public path ([Front.CheckBase]). The
// path alone, without the slash that should follow, becomes empty.
func (f *Front) belowBase(r *http.Request) *http.Request {
	if f.cfg.PublicURL.Base == "" {
		return r
	}
	path, ok := strings.CutPrefix(r.URL.Path, f.cfg.PublicURL.Base)
	if !ok || path != "" && path[0] != '/' {
		return r
	}
	below := r.WithContext(r.Context())
	below.URL = new(url.URL)
	*below.URL = *r.URL
	below.URL.Path, below.URL.RawPath = path, strings.TrimPrefix(r.URL.RawPath, f.cfg.PublicURL.Base)
	return below
}

// CheckBase refuses a public path that begins like an address of our own. It is
// asked when all routes are there.
func (f *Front) CheckBase() error {
	first := firstSegment(f.cfg.PublicURL.Base)
	for _, route := range f.deps.API.Echo().Routes() {
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
