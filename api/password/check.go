package password

import (
	_ "embed" // the list
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"

	"hark/storage"
)

// How many characters a password may have.
const (
	MinLength = 10
	MaxLength = 128
)

// maxBytes is the most that is looked at: no character that is typed takes more than
// some of them.
const maxBytes = MaxLength * 16

//go:embed common.txt
var commonList string

// common has the passwords that many people have, by their folded form.
var common = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(line, "# ") {
			all[word] = true
		}
	}
	return all
})

// Check says what is wrong with a password that somebody wants to set, as a
// storage.InvalidError. own are words that anybody would try first: their address,
// their name and that of the workspace.
func Check(password string, own ...string) error {
	if len(password) > maxBytes || !utf8.ValidString(password) {
		return invalid(fmt.Sprintf("must be %d characters or fewer", MaxLength))
	}
	switch n := utf8.RuneCountInString(Normal(password)); {
	case n < MinLength:
		return invalid(fmt.Sprintf("must be %d characters or more", MinLength))
	case n > MaxLength:
		return invalid(fmt.Sprintf("must be %d characters or fewer", MaxLength))
	}
	folded := fold(password)
	for _, word := range own {
		local, _, _ := strings.Cut(word, "@")
		for _, one := range []string{word, local} {
			if one = fold(one); one != "" && builtOn(folded, one) {
				return invalid("must not be your address, your name or the workspace's")
			}
		}
	}
	if isCommon(folded) {
		return invalid("is one that many people have; choose another")
	}
	return nil
}

func invalid(problem string) error { return &storage.InvalidError{Field: "password", Problem: problem} }

// fold is a password as it is compared with words.
func fold(password string) string {
	return cases.Fold().String(strings.Join(strings.Fields(Normal(password)), ""))
}

// isCommon reports whether many people have a password, or one from which it differs
// by digits and signs at its end, or by being repeated.
func isCommon(folded string) bool {
	if common()[folded] {
		return true
	}
	stem := strings.TrimRightFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	if stem != "" && common()[stem] {
		return true
	}
	for n := 1; n <= len(folded)/2; n++ {
		if repeats(folded, folded[:n]) && (n < 5 || common()[folded[:n]]) {
			return true
		}
	}
	return false
}

// builtOn reports whether a password is a word, or the word with digits and signs at
// its end, or repeated.
func builtOn(folded, word string) bool {
	rest, found := strings.CutPrefix(folded, word)
	return found && (!strings.ContainsFunc(rest, unicode.IsLetter) || repeats(folded, word))
}

// repeats reports whether text is part several times.
func repeats(text, part string) bool {
	return len(text)%len(part) == 0 && strings.Repeat(part, len(text)/len(part)) == text
}
