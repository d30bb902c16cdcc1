package storage

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxName is how many characters the name of a person or a workspace may have.
const MaxName = 80

// The names that a first workspace and its owner have until somebody chooses
// others.
const (
	UnchosenWorkspace = "Hark"
	UnchosenOwner     = "Owner"
)

// GeneralTitle is what the conversation is called that comes with a workspace.
const GeneralTitle = "General"

// maxMarks bounds the accents on one letter: more of them reach over the lines
// around. Names in the scripts of the world have three at the most.
const maxMarks = 4

// CleanName brings the name of a person or a workspace to the form in which it
// is kept: composed, on one line with single spaces, without control characters
// and without what cannot be seen and could make one name look like another.
// Emoji stay. It fails with an [InvalidError] when nothing is left to see, or
// too much.
func CleanName(name string) (string, error) {
	name = norm.NFC.String(visible(Printable(name)))
	name = strings.Join(strings.Fields(name), " ")
	if strings.IndexFunc(name, hasInk) < 0 {
		return "", &InvalidError{Field: "name", Problem: "must not be empty"}
	}
	if n := utf8.RuneCountInString(name); n > MaxName {
		return "", &InvalidError{Field: "name", Problem: fmt.Sprintf("must be %d characters or fewer, and has %d", MaxName, n)}
	}
	return name, nil
}

// visible drops what takes no place in a line and joins nothing, and the marks
// on a letter that are too many.
func visible(name string) string {
	marks := 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u00ad', r == '\u034f', r == '\u061c', r == '\u180e', r == '\u200b', r >= '\u2060' && r <= '\u2064':
			return -1
		case r >= '\ufff9' && r <= '\ufffc':
			return -1
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
			if marks++; marks > maxMarks {
				return -1
			}
		default:
			marks = 0
		}
		return r
	}, name)
}

// hasInk says whether a character can be seen.
func hasInk(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800': // fillers and the empty Braille cell count as letters and symbols
		return false
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) || unicode.IsPunct(r)
}
