package transcript

import (
	"strings"
	"unicode"
)

// clean makes a word fit to be printed in a line-based format: whatever could
// start a new line, end the file for some reader, or turn the writing
// direction of what follows is taken out, and white space becomes one space.
// Joiners and marks stay, as emoji and many scripts are spelt with them. The
// result may be empty.
func clean(word string) string {
	if isPlain(word) {
		return word
	}
	word = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.IsControl(r), turnsDirection(r), r == '\ufeff':
			return -1
		}
		return r // invalid UTF-8 arrives, and is written, as U+FFFD
	}, word)
	return strings.Join(strings.Fields(word), " ")
}

// isPlain reports whether word is printable ASCII without spaces, as most are.
func isPlain(word string) bool {
	for i := range len(word) {
		if word[i] <= ' ' || word[i] > '~' {
			return false
		}
	}
	return true
}

// turnsDirection reports whether r is one of Unicode's bidirectional
// embeddings, overrides and isolates (UAX 9): unclosed, they would rule over
// text that follows. The harmless marks U+200E and U+200F are not among them.
func turnsDirection(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// width counts the characters of s that take up room in a line.
func width(s string) int {
	var n int
	for _, r := range s {
		if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			n++
		}
	}
	return n
}
