package transcripts

import (
	"mime"
	"strconv"
	"strings"
)

// chooseForm picks what an Accept header (RFC 9110, section 12.5.1) likes best
// of the media types that are offered; of equals, the first offered. It
// returns -1 when none will do. No header means anything will.
func chooseForm(accept string, offered []string) int {
	if strings.TrimSpace(accept) == "" {
		return 0
	}
	best, bestQuality := -1, 0.0
	for i, mediaType := range offered {
		if q := quality(accept, mediaType); q > bestQuality {
			best, bestQuality = i, q
		}
	}
	return best
}

// quality is how much an Accept header likes a media type, 0 to 1, by the most
// specific range that covers it.
func quality(accept, mediaType string) float64 {
	found, specificity := 0.0, -1
	for part := range strings.SplitSeq(accept, ",") {
		accepted, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		s := covers(accepted, mediaType)
		if s <= specificity {
			continue
		}
		found, specificity = 1, s
		if q, given := params["q"]; given {
			if found, err = strconv.ParseFloat(q, 64); err != nil || !(found >= 0 && found <= 1) {
				found = 0
			}
		}
	}
	return found
}

// covers is 2 for the media type itself, 1 for its family, 0 for all, and -1
// for a range that does not cover it.
func covers(accepted, mediaType string) int {
	family, _, _ := strings.Cut(mediaType, "/")
	switch accepted {
	case mediaType:
		return 2
	case family + "/*":
		return 1
	case "*/*":
		return 0
	}
	return -1
}
