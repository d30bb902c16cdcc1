package intake

import (
	"strings"
	"time"
)

// wantedTime is what [ParseTime] takes, for senders whose value it does not.
const wantedTime = "a time with its offset, such as 2026-03-01T09:30:00Z or 2026-03-01T10:30:00+01:00 (RFC 3339); " +
	"in an address or a form the + is written %2B"

// ParseTime reads a time of RFC 3339 out of an address or a form. A plus sign
// that the sender left unescaped came out as a space there; before an offset it
// can have been nothing else. A space or a small t between date and time, and a
// small z, are what section 5.6 allows too; an offset without its colon is what
// ISO 8601 does.
func ParseTime(value string) (time.Time, error) {
	const date = len(time.DateOnly)
	if len(value) > date && strings.ContainsRune("t ", rune(value[date])) {
		value = value[:date] + "T" + value[date+1:]
	}
	if stem, ok := strings.CutSuffix(value, "z"); ok {
		value = stem + "Z"
	}
	if space := strings.LastIndexByte(value, ' '); space > date {
		value = value[:space] + "+" + value[space+1:]
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05Z0700", value)
	}
	return at, err
}
