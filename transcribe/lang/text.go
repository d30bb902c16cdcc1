package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bare is a printed word without the punctuation around it, in lower case.
func Bare(word string) string {
	return strings.ToLower(strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
}

// EndsSentence reports whether a printed word is the last of a sentence, or
// ends like one: see [Abbreviated].
func EndsSentence(word string) bool {
	word = strings.TrimRight(word, `"'”’)]`)
	return strings.HasSuffix(word, ".") && !strings.HasSuffix(word, "..") ||
		strings.HasSuffix(word, "?") || strings.HasSuffix(word, "!") ||
		strings.HasSuffix(word, "。") || strings.HasSuffix(word, "？") || strings.HasSuffix(word, "！")
}

// Abbreviated reports whether the full stop of a word is that of an
// abbreviation.
func Abbreviated(word string) bool {
	stem, ok := strings.CutSuffix(word, ".")
	if !ok {
		return false
	}
	switch strings.ToLower(stem) {
	case "mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "e.g", "i.e":
		return true
	}
	return utf8.RuneCountInString(stem) == 1 && stem != "I" || strings.Contains(stem, ".")
}

// FullStop gives a word that ends a sentence its full stop, unless it has some
// punctuation already or the sentence is in another script.
func FullStop(word string) string {
	if last, _ := utf8.DecodeLastRuneInString(word); unicode.IsDigit(last) || unicode.In(last, unicode.Latin) {
		return word + "."
	}
	return word
}

// IsCapitalised reports whether a word begins with a capital.
func IsCapitalised(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	return unicode.IsUpper(first)
}

// Capitalise gives a word a capital.
func Capitalise(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	if !unicode.IsLower(first) {
		return word
	}
	return string(unicode.ToUpper(first)) + word[size:]
}

// IsUnspaced reports whether a text is in a script without spaces between
// words.
func IsUnspaced(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
	})
}
