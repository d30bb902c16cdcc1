package limit

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Rate is how much may be taken: N at once, and N in each Per. The zero Rate is
// no limit.
type Rate struct {
	N   int
	Per time.Duration // a second, a minute, an hour or a day
}

var units = []struct {
	name string
	per  time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// maxN is the highest N, more than any person asks for.
const maxN = 1_000_000

var errRate = errors.New("expected a number and s, m, h or d, such as 60/m, or off")

// UnmarshalText reads a rate such as 60/m; off is none.
func (r *Rate) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*r = Rate{}
		return nil
	}
	number, unit, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxN {
		return errRate
	}
	for _, u := range units {
		if u.name == unit {
			*r = Rate{N: n, Per: u.per}
			return nil
		}
	}
	return errRate
}

// String prints a rate as UnmarshalText reads it.
func (r Rate) String() string {
	for _, u := range units {
		if r.N > 0 && u.per == r.Per {
			return strconv.Itoa(r.N) + "/" + u.name
		}
	}
	return "off"
}
