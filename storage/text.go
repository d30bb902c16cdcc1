package storage

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a sender may say.
const (
	MaxTitle     = 200                  // characters
	MaxReplyAtMS = 7 * 24 * 3600 * 1000 // a week of sound
	maxFilename  = 255                  // bytes: what file systems take as a name
)

// CleanTitle brings a title to the form in which it is kept: valid UTF-8 on
// one line, with no control characters and no space around it.
func CleanTitle(title string) (string, error) {
	title = strings.TrimSpace(Printable(title))
	if n := utf8.RuneCountInString(title); n > MaxTitle {
		return "", &InvalidError{Field: "title", Problem: fmt.Sprintf("must be %d characters or fewer, and has %d", MaxTitle, n)}
	}
	return title, nil
}

// CleanFilename brings a sender's file name to the form in which it is kept
// and shown: the last part of any path (of whatever system), valid UTF-8, no
// control characters, no leading dots that would hide it, at most 255 bytes
// with its extension saved. It may come out empty.
func CleanFilename(name string) string {
	name = Printable(name)
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
	return CutBytes(stem, maxFilename-len(ext)) + ext
}

// Printable drops what has no place in a line of text: control characters,
// the marks that turn the direction of what follows (they can make one name
// look like another), and bytes that are not UTF-8. Line breaks become spaces.
func Printable(s string) string {
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

// CutBytes cuts s to at most limit bytes, between runes.
func CutBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// Ellipsis stands where a text was cut.
const Ellipsis = "…"

// Cut is the beginning of a line of text: as many whole words as limit
// characters have room for, and an ellipsis if there is more. Only a word that
// has no room at all is cut, between two of what people take for characters.
func Cut(text string, limit int) string {
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	end := limit
	for end > 0 && runes[end] != ' ' {
		end--
	}
	if end == 0 {
		for end = limit; end > 1 && clings(runes, end); {
			end--
		}
	}
	return WithEllipsis(string(runes[:end]))
}

// WithEllipsis says of a text that it goes on: a word is followed by the
// ellipsis at once, the end of a sentence by a space before it.
func WithEllipsis(text string) string {
	last, _ := utf8.DecodeLastRuneInString(text)
	if unicode.IsPunct(last) {
		return text + " " + Ellipsis
	}
	return text + Ellipsis
}

// clings says whether runes[i] and the one before are one character to people:
// a letter with its accent, an emoji with its colour, a family, a flag.
func clings(runes []rune, i int) bool {
	const joiner = '\u200d'
	isFlag := func(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }
	switch r, before := runes[i], runes[i-1]; {
	case unicode.IsMark(r), r == joiner, before == joiner, r >= 0x1f3fb && r <= 0x1f3ff, r >= 0xe0020 && r <= 0xe007f:
		return true
	case isFlag(r) && isFlag(before):
		n := 0 // flags are pairs
		for n < i && isFlag(runes[i-1-n]) {
			n++
		}
		return n%2 == 1
	}
	return false
}
