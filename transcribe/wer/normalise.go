package wer

import (
	"strings"
	"unicode"
)

// Normalise brings a text to the words that are compared: lower case, no
// punctuation, hyphens and dashes as spaces, apostrophes within a word kept,
// figures spelt in their likeliest reading, and a few abbreviations in full.
func Normalise(text string) []string { return flatten(tokenise(text)) }

// sameWord lists spellings that say the same and are written either way.
var sameWord = map[string]string{
	"mr": "mister", "mrs": "missus", "dr": "doctor", "jr": "junior", "sr": "senior",
	"ok": "okay", "vs": "versus", "etc": "et cetera", "thru": "through",
	"alright": "all right", "o'clock": "oclock",
}

// token is one printed word and the ways to say it, likeliest first. Only
// figures have more than one.
type token struct {
	readings [][]string
}

func (t token) ambiguous() bool { return len(t.readings) > 1 }

func flatten(tokens []token) []string {
	words := make([]string, 0, len(tokens))
	for _, t := range tokens {
		words = append(words, t.readings[0]...)
	}
	return words
}

// tokenise splits a text into tokens.
func tokenise(text string) []token {
	var tokens []token
	for _, field := range strings.FieldsFunc(spread(strings.ToLower(text)), unicode.IsSpace) {
		if readings := readFigure(strings.Trim(field, ".,:'")); readings != nil {
			tokens = append(tokens, token{readings})
			continue
		}
		for _, word := range splitFigures(bare(field)) {
			if readings := readFigure(word); readings != nil {
				tokens = append(tokens, token{readings})
			} else if word != "" {
				if full, ok := sameWord[word]; ok {
					word = full
				}
				tokens = append(tokens, token{[][]string{strings.Fields(word)}})
			}
		}
	}
	return tokens
}

// spread parts what one reads as words of their own, and makes one apostrophe
// of the several that are printed.
func spread(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '’', '‘', '`', 'ʼ':
			return '\''
		case '-', '–', '—', '‑', '−', '/', '_', '…', '(', ')', '[', ']', '"', '“', '”', '?', '!', ';':
			return ' '
		}
		return r
	}, strings.NewReplacer("&", " and ", "%", " percent ", "@", " at ", "...", " ").Replace(text))
}

// bare drops everything but letters, digits and the apostrophes within a word.
func bare(field string) string {
	field = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == '\'' {
			return r
		}
		return -1
	}, field)
	return strings.Trim(field, "'")
}

// splitFigures parts digits from letters: "b2b" is read "b two b". Ordinals
// ("2nd") stay whole.
func splitFigures(word string) []string {
	if readFigure(word) != nil || !strings.ContainsFunc(word, isDigit) {
		return []string{word}
	}
	var parts []string
	start := 0
	for i, r := range word {
		if i > start && isDigit(r) != isDigit(rune(word[start])) {
			parts = append(parts, word[start:i])
			start = i
		}
	}
	return append(parts, word[start:])
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
