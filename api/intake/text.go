package intake

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilename is what file systems take as a name, in bytes.
const maxFilename = 255

// CleanTitle brings a title to the form in which it is kept: valid UTF-8 on
// one line, with no control characters and no space around it.
func CleanTitle(title string) (string, error) {
	title = strings.TrimSpace(printable(title))
	if n := utf8.RuneCountInString(title); n > maxTitle {
		return "", &FieldError{Field: FieldTitle, Problem: fmt.Sprintf("must be %d characters or fewer, and has %d", maxTitle, n)}
	}
	return title, nil
}

// CleanFilename brings a sender's file name to the form in which it is kept
// and shown: the last part of any path (of whatever system), valid UTF-8, no
// control characters, no leading dots that would hide it, at most 255 bytes
// with its extension saved. It may come out empty.
func CleanFilename(name string) string {
	name = printable(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimLeft(strings.TrimSpace(name), ". ")
	if len(name) <= maxFilename {
		return name
	}
	stem, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i >= 0 && len(name)-i <= 16 {
		stem, ext = name[:i], name[i:]
	}
	return cutBytes(stem, maxFilename-len(ext)) + ext
}

// printable drops what has no place in a line of text: control characters,
// the marks that turn the direction of what follows (they can make one name
// look like another), and bytes that are not UTF-8. Line breaks become spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), isDirectionMark(r), r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func isDirectionMark(r rune) bool {
	return r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// cutBytes cuts s to at most limit bytes, between runes.
func cutBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// humanBytes prints a number of bytes as people say it.
func humanBytes(n int64) string {
	const unit = 1024
	names := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for v >= unit && i < len(names)-1 {
		v /= unit
		i++
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") + " " + names[i]
}
