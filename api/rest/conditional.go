package rest

import (
	"net/http"
	"strings"
	"time"
)

// Fresh reports whether a caller's copy is still good (RFC 9110, section
// 13.2.2): If-None-Match by the tag, or else If-Modified-Since by the time.
func Fresh(header http.Header, etag string, modified time.Time) bool {
	if header.Get("If-None-Match") != "" {
		return TagMatches(header, etag)
	}
	since, err := http.ParseTime(header.Get("If-Modified-Since"))
	return err == nil && !modified.Truncate(time.Second).After(since)
}

// TagMatches reports whether If-None-Match names a strong tag, by the weak
// comparison (RFC 9110, section 8.8.3.2).
func TagMatches(header http.Header, etag string) bool {
	for _, tags := range header.Values("If-None-Match") {
		for tag := range strings.SplitSeq(tags, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}
