package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxToken bounds a token in bytes. What an engine writes is rarely longer,
// and both databases bound the length of what they index.
const maxToken = 64

// AppendTokens appends the tokens of text to dst: what is indexed, and what is
// looked for. Letters are lower-cased and lose their diacritics; everything
// but letters, digits and the marks of scripts that write vowels as marks
// separates tokens. An apostrophe within a word vanishes (don't is dont), a
// closing 's goes with it (John's is john), and elided articles stand alone
// (l'eau is l, eau).
//
// Tokens never contain white space, quotes or any other ASCII that is not a
// letter or a digit, so they need no quoting in either database.
func AppendTokens(dst []string, text string) []string {
	if isPlain(text) {
		if text == "" {
			return dst
		}
		return append(dst, cut(text))
	}
	s := splitter{dst: dst}
	if !isASCII(text) {
		s.compose = true
		text = norm.NFKD.String(text)
	}
	for _, r := range text {
		s.add(r)
	}
	s.end()
	return s.dst
}

// Tokens returns the tokens of text.
func Tokens(text string) []string { return AppendTokens(nil, text) }

// Begins returns what says of a name whether each of the words begins a part of it,
// whatever the case and the accents of either. Words without letters or digits must
// stand in it as they are. It is for one goroutine.
func Begins(words string) func(name string) bool {
	wanted := Tokens(words)
	if len(wanted) == 0 {
		words = strings.TrimSpace(words)
		return func(name string) bool { return strings.Contains(name, words) }
	}
	var parts []string
	return func(name string) bool {
		parts = AppendTokens(parts[:0], name)
		for _, word := range wanted {
			if !slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, word) }) {
				return false
			}
		}
		return true
	}
}

// isPlain says whether text is lower-case ASCII letters and digits only, which
// is its own token.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// splitter gathers runes into tokens.
type splitter struct {
	dst     []string
	word    []byte
	apos    int  // length of word at its last apostrophe; 0 means none
	compose bool // what is gathered is decomposed
}

func (s *splitter) add(r rune) {
	switch {
	case r < utf8.RuneSelf && ('a' <= r && r <= 'z' || '0' <= r && r <= '9'):
		s.word = append(s.word, byte(r))
	case 'A' <= r && r <= 'Z':
		s.word = append(s.word, byte(r)+'a'-'A')
	case isApostrophe(r):
		s.apostrophe()
	case isDiacritic(r):
	case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r) && len(s.word) > 0:
		s.word = append(s.word, foldLetter(r)...)
	default:
		s.end()
	}
}

func (s *splitter) apostrophe() {
	if len(s.word) <= 6 && elided[string(s.word)] {
		s.end()
		return
	}
	s.apos = len(s.word)
}

// end closes the token that is being gathered.
func (s *splitter) end() {
	if s.apos > 0 && s.apos == len(s.word)-1 && s.word[s.apos] == 's' {
		s.word = s.word[:s.apos]
	}
	if s.compose {
		s.word = norm.NFC.Bytes(s.word)
	}
	if len(s.word) > 0 {
		s.dst = append(s.dst, cut(string(s.word)))
	}
	s.word, s.apos = s.word[:0], 0
}

// elided holds the French and Italian words that lose their vowel before another word.
var elided = map[string]bool{
	"l": true, "d": true, "j": true, "n": true, "s": true, "qu": true, "jusqu": true, "lorsqu": true, "puisqu": true,
	"dell": true, "all": true, "nell": true, "sull": true, "dall": true, "un": true, "quell": true,
}

func isApostrophe(r rune) bool {
	switch r {
	case '\'', '’', '‘', 'ʼ', '＇', '`', '´':
		return true
	}
	return false
}

// isDiacritic tells marks that a reader may leave out (accents) from marks
// that a script cannot be read without (Indic vowel signs).
func isDiacritic(r rune) bool {
	return 0x300 <= r && r <= 0x36f || 0x1ab0 <= r && r <= 0x1aff || 0x1dc0 <= r && r <= 0x1dff || r == '\u200d' || r == '\u00ad'
}

// foldLetter lower-cases r and spells out what compatibility decomposition
// leaves whole.
func foldLetter(r rune) string {
	switch r = unicode.ToLower(r); r {
	case 'ß':
		return "ss"
	case 'ø':
		return "o"
	case 'ł':
		return "l"
	case 'đ', 'ð':
		return "d"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	case 'ı':
		return "i"
	case 'ς':
		return "σ"
	}
	return string(r)
}

// cut shortens a token to maxToken bytes, at a rune's edge.
func cut(token string) string {
	if len(token) <= maxToken {
		return token
	}
	return strings.ToValidUTF8(token[:maxToken], "")
}
