// Package wer measures transcripts against what was really said: word error
// rate and word-time error.
//
// Both texts are brought to one form by [Normalise] (lower case, no
// punctuation, hyphens as spaces, figures spelt), aligned word by word by
// [Align], and counted. [Score] does all three, and reads a figure in the way
// that suits the other text: "1961" counts as right for "nineteen sixty one"
// and for "one nine six one" alike, because a figure doesn't say how it was
// spoken. [ReadManifest] reads a folder of clips with their words,
// and [ReadCases] one of recordings that are hard to hear or to read, which
// [Case.Judge] compares with what was made of them.
//
// English only: other languages are compared as they are spelt, with their
// figures left alone only insofar as both texts write them alike.
package wer

import "slices"

// Counts says how a hypothesis differs from its reference. Counts of several
// clips add up: the rate of a set is that of the sum, so that each word of
// the set weighs the same.
type Counts struct {
	Words         int // words of the reference
	Substitutions int // words heard as others
	Deletions     int // words missed
	Insertions    int // words invented
}

// Errors is the number of words that are wrong, missed or invented.
func (c Counts) Errors() int { return c.Substitutions + c.Deletions + c.Insertions }

// Rate is the word error rate: errors for each word of the reference, 0 when
// nothing is wrong, and over 1 when more was invented than was said. Words
// invented where nothing was said count as one error for each.
func (c Counts) Rate() float64 {
	return float64(c.Errors()) / float64(max(c.Words, 1))
}

// Add adds another clip's counts.
func (c Counts) Add(d Counts) Counts {
	return Counts{
		Words:         c.Words + d.Words,
		Substitutions: c.Substitutions + d.Substitutions,
		Deletions:     c.Deletions + d.Deletions,
		Insertions:    c.Insertions + d.Insertions,
	}
}

// Score compares a hypothesis with its reference, both as printed text.
func Score(reference, hypothesis string) Counts {
	ref, hyp := tokenise(reference), tokenise(hypothesis)
	if !slices.ContainsFunc(append(slices.Clone(ref), hyp...), token.ambiguous) {
		return Count(flatten(ref), flatten(hyp))
	}
	refWords := flatten(ref)
	hypWords := settle(hyp, refWords)
	refWords = settle(ref, hypWords)
	return Count(refWords, hypWords)
}

// settle picks for each figure the reading that gives the fewest errors
// against the other text, one figure after the other.
func settle(tokens []token, other []string) []string {
	chosen := slices.Clone(tokens)
	for i, t := range chosen {
		if !t.ambiguous() {
			continue
		}
		best, fewest := 0, -1
		for r, reading := range t.readings {
			chosen[i] = token{readings: [][]string{reading}}
			errors := Count(other, flatten(chosen)).Errors()
			if fewest < 0 || errors < fewest {
				best, fewest = r, errors
			}
		}
		chosen[i] = token{readings: [][]string{t.readings[best]}}
	}
	return flatten(chosen)
}
