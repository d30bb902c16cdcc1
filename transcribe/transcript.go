// Package transcribe says what was said: a [Transcript] of segments and words,
// each with its place in the sound, and how it is printed as WebVTT, SRT, text
// and JSON.
//
// The engines that make transcripts live below: sherpa (in process) and openai
// (any compatible server); models fetches what the in-process engine needs;
// pipeline runs one message from its stored bytes to its transcript.
package transcribe

import (
	"strings"
)

// Transcript is what an engine heard in one clip.
//
// Invariants: segments do not overlap and are ordered by StartMS; a clip in
// which nobody speaks has no segments, which is a result and not an error.
type Transcript struct {
	Language string    `json:"language,omitempty" doc:"BCP 47 tag of the language spoken; empty where the engine does not say" example:"en"`
	Engine   string    `json:"engine" doc:"engine that made it" example:"sherpa"`
	Model    string    `json:"model" doc:"model that made it" example:"moonshine-base-en"`
	Segments []Segment `json:"segments" doc:"utterances in order of time"`
}

// Segment is a stretch of speech, about a sentence.
//
// Invariants: 0 <= StartMS <= EndMS; Text is the words joined by single
// spaces; Words is never empty.
type Segment struct {
	StartMS int64  `json:"start_ms" doc:"start, in milliseconds from the beginning of the clip" example:"200"`
	EndMS   int64  `json:"end_ms" doc:"end, in milliseconds from the beginning of the clip" example:"3140"`
	Text    string `json:"text" doc:"what was said, with case and punctuation" example:"Ask not what your country can do for you."`
	Words   []Word `json:"words" doc:"the words of the text with their times"`
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
