package rest

import (
	"net/http"
	"testing"
	"time"
)

func TestFresh(t *testing.T) {
	const etag = `"abc"`
	modified := time.Date(2026, 3, 1, 9, 30, 0, 123e6, time.UTC)
	const same, later, earlier = "Sun, 01 Mar 2026 09:30:00 GMT", "Sun, 01 Mar 2026 09:30:01 GMT", "Sun, 01 Mar 2026 09:29:59 GMT"
	for _, c := range []struct {
		noneMatch, modifiedSince string
		want                     bool
	}{
		{"", "", false},
		{etag, "", true},
		{`W/"abc"`, "", true},
		{`"x", "abc"`, "", true},
		{"*", "", true},
		{`"x"`, later, false}, // the tag counts, not the time
		{"", same, true},
		{"", later, true},
		{"", earlier, false},
		{"", "yesterday", false},
	} {
		header := http.Header{"If-None-Match": {c.noneMatch}, "If-Modified-Since": {c.modifiedSince}}
		if got := Fresh(header, etag, modified); got != c.want {
			t.Errorf("Fresh(%q, %q) = %v", c.noneMatch, c.modifiedSince, got)
		}
	}
}
