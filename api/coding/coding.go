// Package coding compresses answers: it chooses a content coding by what the
// caller accepts (RFC 9110, section 12.5.3), and packs a body that is whole.
//
// What is known when the program is built is packed then, and chosen from here.
// Streams are not packed: what is held back until it is worth compressing comes
// too late.
package coding

import (
	"strconv"
	"strings"
)

// The codings by their names (RFC 8878, RFC 1952, RFC 7932).
const (
	Zstd   = "zstd"
	Gzip   = "gzip"
	Brotli = "br" // chosen only; packed when the program is built
)

const identity = "identity"

// Choose returns the coding that an Accept-Encoding header likes best of those
// that are offered; of equals, the first offered. It returns "" when the body
// is best sent as it is, which is also for callers who forbid everything: an
// answer that they did not want says more than none.
func Choose(accept string, offered ...string) string {
	if accept == "" {
		return ""
	}
	best, most := "", 0.0
	for _, name := range offered {
		if q, _ := quality(accept, name); q > most {
			best, most = name, q
		}
	}
	if plain, named := quality(accept, identity); named && plain > most {
		return ""
	}
	return best
}

// quality is how much the header likes a coding, 0 to 1, and whether it names
// it. "*" stands for all that it does not name, save identity.
func quality(accept, name string) (q float64, named bool) {
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding == "x-gzip" {
			coding = Gzip // RFC 9110, section 8.4.1.3
		}
		switch {
		case coding == name:
			return weight(params), true
		case coding == "*" && name != identity:
			q = weight(params)
		}
	}
	return q, false
}

// weight reads the q of a coding (RFC 9110, section 12.4.2); 1 without one, and
// 0, which forbids, for what is none.
func weight(params string) float64 {
	name, value, given := strings.Cut(params, "=")
	if !given {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(name), "q") || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
