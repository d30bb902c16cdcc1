// Package transcript is what was said in a clip: a [Transcript] of segments and
// words, each with its place in the sound, and how it is printed as WebVTT, SRT
// and text.
package transcript

import (
	"strings"
)

// Transcript is what an engine heard in one clip.
//
// Invariants: segments are ordered by StartMS, and those of one channel do not
// overlap; a clip in which nobody speaks has no segments, which is a result and
// not an error. Gaps are ordered by StartMS and do not overlap.
type Transcript struct {
	Language string    `json:"language,omitempty" doc:"BCP 47 tag of the language spoken; empty where the engine does not say" example:"en"`
	Engine   string    `json:"engine" doc:"engine that made it" example:"local"`
	Model    string    `json:"model" doc:"model that made it" example:"moonshine-base-en"`
	Segments []Segment `json:"segments" doc:"utterances in order of time"`
	Gaps     []Gap     `json:"gaps,omitempty" doc:"stretches of the clip in which more was said than the segments tell"`

	// LanguageDoubt says that the model's own figures tell that it did not
	// understand what was said: it may be in another language.
	LanguageDoubt bool `json:"language_doubt,omitempty" doc:"whether the clip may be in another language than the transcript"`
}

// MostChannels is the highest number of a segment's channel.
const MostChannels = 2

// Gap is a stretch of a clip whose words are not known though there may be
// some: where somebody spoke it is never silence.
//
// Invariants: 0 <= StartMS < EndMS; Reason is one of the reasons below.
type Gap struct {
	StartMS int64     `json:"start_ms" doc:"start, in milliseconds from the beginning of the clip" example:"3100"`
	EndMS   int64     `json:"end_ms" doc:"end, in milliseconds from the beginning of the clip" example:"11200"`
	Reason  GapReason `json:"reason" enum:"not_understood,not_decoded" doc:"not_understood: somebody speaks, and the engine could not tell what; not_decoded: the recording is damaged there"`
}

// GapReason says why the words of a [Gap] are not known.
type GapReason string

// The reasons.
const (
	NotUnderstood GapReason = "not_understood" // sure speech that the recogniser could not tell
	NotDecoded    GapReason = "not_decoded"    // sound that could not be decoded
)

// GapReasons returns all reasons. Their order is kept: they are stored by number.
func GapReasons() []GapReason { return []GapReason{NotUnderstood, NotDecoded} }

// Segment is a stretch of speech, about a sentence.
//
// Invariants: 0 <= StartMS <= EndMS; Text is the words joined by single
// spaces; Words is never empty; Channel is 0, 1 or 2.
type Segment struct {
	StartMS int64  `json:"start_ms" doc:"start, in milliseconds from the beginning of the clip" example:"200"`
	EndMS   int64  `json:"end_ms" doc:"end, in milliseconds from the beginning of the clip" example:"3140"`
	Text    string `json:"text" doc:"what was said, with case and punctuation" example:"Ask not what your country can do for you."`
	Words   []Word `json:"words" doc:"the words of the text with their times"`
	Channel int    `json:"channel,omitempty" enum:"1,2" doc:"channel of the clip in which it was said, 1 being the first or left one; left out where the channels were heard together" example:"1"`
}

// Word is one word as it is printed, punctuation included.
//
// Invariants: no white space in Text; 0 <= StartMS <= EndMS; words of a
// segment are ordered by StartMS and lie within it.
type Word struct {
	Text       string  `json:"text" doc:"the word as printed, with its punctuation" example:"country"`
	StartMS    int64   `json:"start_ms" doc:"start, in milliseconds from the beginning of the clip" example:"1210"`
	EndMS      int64   `json:"end_ms" doc:"end, in milliseconds from the beginning of the clip" example:"1630"`
	Confidence float64 `json:"confidence,omitempty" doc:"the engine's probability for the word, above 0 to 1; left out where the engine gives none" example:"0.97"`
}

// NewSegment makes a segment of words, spanning from the first to the last.
// It panics when words is empty.
func NewSegment(words []Word) Segment {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Text
	}
	return Segment{
		StartMS: words[0].StartMS,
		EndMS:   words[len(words)-1].EndMS,
		Text:    strings.Join(texts, " "),
		Words:   words,
	}
}

// Words returns all words of the transcript in order.
func (t *Transcript) Words() []Word {
	var n int
	for _, s := range t.Segments {
		n += len(s.Words)
	}
	words := make([]Word, 0, n)
	for _, s := range t.Segments {
		words = append(words, s.Words...)
	}
	return words
}

// Text returns the segments' texts joined by spaces; empty when nothing was said.
func (t *Transcript) Text() string {
	texts := make([]string, len(t.Segments))
	for i, s := range t.Segments {
		texts[i] = s.Text
	}
	return strings.Join(texts, " ")
}
