package rest

import "testing"

func TestParsePublicURL(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://example.org": true, "https://example.org/": true, "http://127.0.0.1:8080/hark": true, "https://example.org/a/b-c.d/": true,
		"": false, "example.org": false, "ftp://example.org": false, "https://example.org/?a": false, "https://example.org/#a": false,
		"https://user@example.org": false, "https://example.org/a%2Fb": false, "https://example.org/a//b": false, "https://example.org/../a": false, `https://example.org/"><script>`: false,
	} {
		if _, err := ParsePublicURL(address); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
}
