// Package lang holds what depends on a language: the words by which sentences
// are joined and parted, what recognisers make up in it, and the names and tags
// of languages. The rest of transcribe asks [Of] for the [Rules] of what was
// heard; a language without rules of its own gets those that need no word list.
package lang

import "strings"

// Primary is the language of a BCP 47 tag without script and region, in lower
// case: "en" of "en-GB". Recognisers know no more.
func Primary(tag string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	return strings.ToLower(strings.TrimSpace(primary))
}

// Tag is the BCP 47 tag of a language that is given as a tag or by its English
// name; empty for what is neither.
func Tag(language string) string {
	language = strings.ToLower(strings.TrimSpace(language))
	for _, entry := range strings.Split(names, ",") {
		tag, name, _ := strings.Cut(strings.TrimSpace(entry), " ")
		if language == name || Primary(language) == tag {
			return tag
		}
	}
	return ""
}

// Rules are what is known of one language. The zero value knows no words.
type Rules struct {
	continuing words // see Continues
	lowered    words // see Lower
	invented   words // see Invented
}

// Of returns the rules of a BCP 47 tag.
func Of(tag string) *Rules {
	if Primary(tag) == "en" {
		return english
	}
	return &Rules{}
}

// words is a set of words, or of phrases, in lower case.
type words map[string]bool

func wordSet(list string) words {
	set := words{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// Continues reports whether a word rarely begins a sentence and often goes on
// with one, so that a full stop before it, at a cut, was most likely invented
// by a recogniser that heard no more.
func (r *Rules) Continues(word string) bool { return r.continuing[Bare(word)] }

// Lowers reports whether a word is written with a capital only where a sentence
// begins, so that the capital can be taken off safely.
func (r *Rules) Lowers(word string) bool { return r.lowered[Bare(word)] }

// Lower is a word without the capital of a sentence's beginning.
func (r *Rules) Lower(word string) string {
	if !r.Lowers(word) {
		return word
	}
	return strings.ToLower(word)
}

// Invented reports whether a phrase of bare words is one that recognisers make
// up when they are given noise.
func (r *Rules) Invented(phrase string) bool { return r.invented[phrase] }
