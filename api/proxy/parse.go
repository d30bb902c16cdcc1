package proxy

import (
	"net/http"
	"net/netip"
	"strings"
)

// hop is what a proxy says of who asked it.
type hop struct {
	addr netip.Addr // not valid where it is hidden or no address
	host string     // that they asked; empty if not said
}

// forwardedFor reads X-Forwarded-For, the nearest hop last.
func forwardedFor(h http.Header) []hop {
	var hops []hop
	for _, value := range h.Values("X-Forwarded-For") {
		for node := range strings.SplitSeq(value, ",") {
			hops = append(hops, hop{addr: parseNode(strings.TrimSpace(node))})
		}
	}
	return hops
}

// lastHost is the host that the nearest proxy was asked.
func lastHost(h http.Header) string {
	values := h.Values("X-Forwarded-Host")
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return sane(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]))
}

// parseForwarded reads Forwarded (RFC 7239, section 4), the nearest hop last.
// From an element that cannot be read on, to the left, nothing is known: it
// stands as a hop without an address.
func parseForwarded(values []string) []hop {
	var hops []hop
	for _, value := range values {
		for element := range splitSeq(value, ',') {
			if strings.TrimSpace(element) != "" { // lists may have empty elements (RFC 9110, section 5.6.1.2)
				hops = append(hops, parseElement(element))
			}
		}
	}
	return hops
}

func parseElement(element string) hop {
	var found hop
	for pair := range splitSeq(element, ';') {
		name, value, given := strings.Cut(strings.TrimSpace(pair), "=")
		if !given {
			continue
		}
		text, ok := unquote(value)
		if !ok {
			return hop{}
		}
		switch strings.ToLower(name) {
		case "for":
			found.addr = parseNode(text)
		case "host":
			found.host = sane(text)
		}
	}
	return found
}

// parseNode reads an address with or without a port, an IPv6 one in brackets or
// bare. What hides itself ("unknown", "_name") is no address.
func parseNode(node string) netip.Addr {
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(node, "["), "]")); err == nil {
		return plainAddr(addr)
	}
	if at, err := netip.ParseAddrPort(node); err == nil {
		return plainAddr(at.Addr())
	}
	if name, _, ok := strings.Cut(node, ":"); ok { // an obfuscated port (RFC 7239, section 6.2)
		if addr, err := netip.ParseAddr(name); err == nil {
			return plainAddr(addr)
		}
	}
	return netip.Addr{}
}

// sane returns what can be a host, or nothing.
func sane(host string) string {
	if len(host) > 255 {
		return ""
	}
	for i := range len(host) {
		c := host[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`/\@?#"<>,;%`, c) >= 0 {
			return ""
		}
	}
	return host
}

// splitSeq splits at a separator that is not in a quoted string.
func splitSeq(s string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++
			case c == separator && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// unquote reads a token or a quoted string (RFC 9110, section 5.6.4).
func unquote(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, `"`) {
		return s, !strings.Contains(s, `"`)
	}
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		switch s[i] {
		case '"':
			return "", false
		case '\\':
			if i++; i == len(s)-1 {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}
