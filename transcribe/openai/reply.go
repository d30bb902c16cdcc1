package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// reply is an answer in the form verbose_json, as servers send it: any part
// may be missing, and none of its numbers is believed before it is repaired.
type reply struct {
	Text     *string       `json:"text"`
	Language string        `json:"language"` // a name ("english") or a tag ("en")
	Words    []wireWord    `json:"words"`
	Segments []wireSegment `json:"segments"`
}

// wireSegment is Whisper's unit: some seconds of speech.
type wireSegment struct {
	Text         string     `json:"text"`
	Start        number     `json:"start"` // seconds from the start of the chunk, as all times
	End          number     `json:"end"`
	AvgLogprob   number     `json:"avg_logprob"`
	NoSpeechProb number     `json:"no_speech_prob"`
	Words        []wireWord `json:"words"` // faster-whisper puts words here
}

type wireWord struct {
	Word        string `json:"word"`
	Start       number `json:"start"`
	End         number `json:"end"`
	Probability number `json:"probability"`
}

// number is a JSON number that may be missing, null, in quotes or nonsense.
type number struct {
	value float64 // finite
	ok    bool
}

// UnmarshalJSON never fails: what is no number is a number that is missing.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(bytes.Trim(b, `"`)), 64)
	*n = number{v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)}
	return nil
}

// parseReply reads an answer. Fields of the wrong type count as missing, and
// the NaN and Infinity that Python writes, which is not JSON, as null.
func parseReply(body []byte) (*reply, error) {
	r, err := unmarshal(body)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		r, err = unmarshal(nullNonNumbers(body))
	}
	if err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w", err)
	}
	if r.Text == nil && r.Words == nil && r.Segments == nil {
		return nil, errors.New("the answer has no text")
	}
	return r, nil
}

func unmarshal(body []byte) (*reply, error) {
	var r reply
	err := json.Unmarshal(body, &r)
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		err = nil // the rest was read
	}
	return &r, err
}

// nullNonNumbers writes null in place of NaN, Infinity and -Infinity outside
// of strings.
func nullNonNumbers(b []byte) []byte {
	out := make([]byte, 0, len(b))
	inString := false
	for i := 0; i < len(b); i++ {
		if !inString {
			if n := nonNumber(b[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				continue
			}
		}
		switch {
		case b[i] == '"':
			inString = !inString
		case b[i] == '\\' && inString && i+1 < len(b):
			out = append(out, b[i])
			i++
		}
		out = append(out, b[i])
	}
	return out
}

// nonNumber is the length of the word at the start of b that stands for a
// number that is none; 0 when there is no such word.
func nonNumber(b []byte) int {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(b, []byte(word)) {
			return len(word)
		}
	}
	return 0
}

// text is the whole text, from wherever the server put it.
func (r *reply) text() string {
	if r.Text != nil && strings.TrimSpace(*r.Text) != "" {
		return *r.Text
	}
	return joinWords(r.Words)
}

// text is the segment's text.
func (s *wireSegment) text() string {
	if strings.TrimSpace(s.Text) != "" {
		return s.Text
	}
	return joinWords(s.Words)
}

func joinWords(words []wireWord) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Word
	}
	return strings.Join(texts, " ")
}
