package sound

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// span is a part of a representation: length bytes from offset.
type span struct{ offset, length int64 }

// contentRange is the Content-Range of s in a representation of size bytes.
func (s span) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(s.offset, 10) + "-" + strconv.FormatInt(s.offset+s.length-1, 10) + "/" + strconv.FormatInt(size, 10)
}

// errBehindEnd is a range that begins behind the last byte.
var errBehindEnd = errors.New("range lies behind the end")

// parseRange reads a Range header (RFC 9110, section 14.2) for a representation
// of size bytes. ok is false when the whole is to be sent: when there is no
// range, one in another unit, one that is malformed, or several, which a
// server may always answer with the whole.
func parseRange(header string, size int64) (part span, ok bool, err error) {
	unit, set, found := strings.Cut(header, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(unit), "bytes") || strings.Contains(set, ",") {
		return span{}, false, nil
	}
	first, last, found := strings.Cut(strings.TrimSpace(set), "-")
	if !found {
		return span{}, false, nil
	}
	if first == "" {
		return parseSuffix(last, size)
	}
	from, valid := parseOffset(first)
	if !valid {
		return span{}, false, nil
	}
	to := size - 1
	if last != "" {
		if to, valid = parseOffset(last); !valid || to < from {
			return span{}, false, nil
		}
	}
	if from >= size {
		return span{}, false, errBehindEnd
	}
	return span{offset: from, length: min(to, size-1) - from + 1}, true, nil
}

// parseSuffix reads the n of "-n": the last n bytes.
func parseSuffix(n string, size int64) (span, bool, error) {
	length, valid := parseOffset(n)
	if !valid {
		return span{}, false, nil
	}
	length = min(length, size)
	if length == 0 {
		return span{}, false, errBehindEnd
	}
	return span{offset: size - length, length: length}, true, nil
}

// parseOffset reads digits and nothing else. What no int64 holds is more than
// any size, and so cut to the largest.
func parseOffset(s string) (int64, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return 1<<63 - 1, true
	}
	return n, err == nil
}

// rangeHolds reports whether the range is of the representation that the
// caller has part of (If-Range, RFC 9110, section 13.1.5). A time must be
// exactly ours, and weak tags never hold.
func rangeHolds(ifRange, etag string, modified time.Time) bool {
	if ifRange == "" || ifRange == etag {
		return true
	}
	at, err := http.ParseTime(ifRange)
	return err == nil && at.Equal(modified.UTC().Truncate(time.Second))
}
