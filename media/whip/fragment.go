package whip

import (
	"fmt"
	"strings"
)

const (
	maxFragment   = 32 << 10
	maxCandidates = 32 // of a client, in a fragment
)

// fragment is what an SDP fragment says (RFC 8840, section 9).
type fragment struct {
	ufrag, pwd string // empty when not said
}

// parseFragment reads a fragment. Lines that are not about ICE are passed over,
// as RFC 8840 asks. Candidates are counted only: an ICE lite agent sends to
// none of them (see the package's documentation).
func parseFragment(text string) (fragment, error) {
	malformed := func(format string, args ...any) (fragment, error) {
		return fragment{}, &FragmentError{Malformed: true, Message: fmt.Sprintf(format, args...)}
	}
	if len(text) > maxFragment {
		return malformed("The fragment is longer than %d KiB.", maxFragment>>10)
	}
	var f fragment
	said, candidates := false, 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z' {
			return malformed("A line of the fragment is not SDP.")
		}
		key, value, _ := strings.Cut(line[2:], ":")
		if line[0] != 'a' {
			continue
		}
		switch key {
		case "ice-ufrag":
			if !differs(&f.ufrag, value) || !iceChars(value, 4) {
				return malformed("The fragment's ice-ufrag makes no sense.")
			}
		case "ice-pwd":
			if !differs(&f.pwd, value) || !iceChars(value, 22) {
				return malformed("The fragment's ice-pwd makes no sense.")
			}
		case "candidate":
			if candidates++; candidates > maxCandidates {
				return malformed("The fragment has more than %d candidates.", maxCandidates)
			}
		case "end-of-candidates":
		default:
			continue
		}
		said = true
	}
	if !said {
		return malformed("The fragment says nothing about ICE.")
	}
	return f, nil
}

// differs sets a value that may be said again, but not differently. It is false
// when it was.
func differs(old *string, value string) bool {
	if *old != "" && *old != value {
		return false
	}
	*old = value
	return true
}

// iceChars tells whether s is made of at least least ice-chars (RFC 8839,
// section 5.4).
func iceChars(s string, least int) bool {
	if len(s) < least || len(s) > 256 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/':
		default:
			return false
		}
	}
	return true
}
