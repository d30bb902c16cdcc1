package sqldb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"hark/transcribe"
)

// A transcript's segments are kept in one blob, in which a search finds the
// words around a hit and their times without decoding the rest:
//
//	version  byte, 1
//	text     uvarint length; all words, separated by single spaces
//	times    uvarint length; for each word: varint start in ms after the start
//	         of the one before, varint length in ms, uvarint confidence * 10,000
//	segments for each: uvarint number of words, varint start and varint length in ms
//
// Confidence is kept to four decimals, 0 meaning none. A segment's text is its
// words joined by spaces (see transcribe.Segment), so it is not kept apart.
const segmentsVersion = 1

const confidenceSteps = 10_000

var errBody = errors.New("transcript body is damaged")

// packSegments makes the blob of segments that keep transcribe's invariants.
func packSegments(segments []transcribe.Segment) ([]byte, error) {
	var text, times, tail []byte
	var before int64
	for _, s := range segments {
		if len(s.Words) == 0 {
			return nil, errors.New("transcript has a segment without words")
		}
		for _, w := range s.Words {
			if w.Text == "" || strings.ContainsAny(w.Text, " \t\r\n") {
				return nil, fmt.Errorf("transcript has a word %q, which is not one word", w.Text)
			}
			if len(text) > 0 {
				text = append(text, ' ')
			}
			text = append(text, w.Text...)
			times = binary.AppendVarint(times, w.StartMS-before)
			times = binary.AppendVarint(times, w.EndMS-w.StartMS)
			times = binary.AppendUvarint(times, uint64(math.Round(min(max(w.Confidence, 0), 1)*confidenceSteps)))
			before = w.StartMS
		}
		tail = binary.AppendUvarint(tail, uint64(len(s.Words)))
		tail = binary.AppendVarint(tail, s.StartMS)
		tail = binary.AppendVarint(tail, s.EndMS-s.StartMS)
	}
	body := make([]byte, 0, len(text)+len(times)+len(tail)+16)
	body = append(body, segmentsVersion)
	body = append(binary.AppendUvarint(body, uint64(len(text))), text...)
	body = append(binary.AppendUvarint(body, uint64(len(times))), times...)
	return append(body, tail...), nil
}

// splitBody returns the parts of a blob.
func splitBody(body []byte) (text, times, segments []byte, err error) {
	if len(body) == 0 || body[0] != segmentsVersion {
		return nil, nil, nil, errBody
	}
	text, rest, ok := cutLength(body[1:])
	if !ok {
		return nil, nil, nil, errBody
	}
	times, rest, ok = cutLength(rest)
	if !ok {
		return nil, nil, nil, errBody
	}
	return text, times, rest, nil
}

// cutLength cuts off what a uvarint length in front of it says.
func cutLength(b []byte) (part, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// wordReader reads the words of a blob one after the other.
type wordReader struct {
	text, times []byte
	last        int64 // start of the word read last, in ms
	bad         bool  // what was read is damaged
}

// next returns the next word; false at the end or when the blob is damaged.
func (r *wordReader) next() (w transcribe.Word, ok bool) {
	if len(r.text) == 0 || r.bad {
		return w, false
	}
	word, rest, _ := bytes.Cut(r.text, []byte(" "))
	r.text = rest
	start := r.varint()
	length := r.varint()
	confidence, k := binary.Uvarint(r.times)
	if r.bad || k <= 0 {
		r.bad = true
		return w, false
	}
	r.times = r.times[k:]
	r.last += start
	return transcribe.Word{
		Text: string(word), StartMS: r.last, EndMS: r.last + length,
		Confidence: float64(min(confidence, confidenceSteps)) / confidenceSteps,
	}, true
}

// skip passes over n words.
func (r *wordReader) skip(n int) {
	for range n {
		_, rest, _ := bytes.Cut(r.text, []byte(" "))
		r.text = rest
		r.last += r.varint()
		r.varint()
		r.varint() // of the confidence, whose bytes end as a signed number's do
	}
}

func (r *wordReader) varint() int64 {
	v, k := binary.Varint(r.times)
	if k <= 0 {
		r.bad = true
		return 0
	}
	r.times = r.times[k:]
	return v
}

// unpackSegments is the inverse of packSegments.
func unpackSegments(body []byte) ([]transcribe.Segment, error) {
	text, times, tail, err := splitBody(body)
	if err != nil {
		return nil, err
	}
	words := wordReader{text: text, times: times}
	var segments []transcribe.Segment
	for len(tail) > 0 {
		n, k := binary.Uvarint(tail)
		if k <= 0 || n == 0 || n > uint64(len(times)) {
			return nil, errBody
		}
		bounds := wordReader{times: tail[k:]}
		start, length := bounds.varint(), bounds.varint()
		if bounds.bad {
			return nil, errBody
		}
		tail = bounds.times
		s := transcribe.Segment{StartMS: start, EndMS: start + length, Words: make([]transcribe.Word, 0, n)}
		for range n {
			w, ok := words.next()
			if !ok {
				return nil, errBody
			}
			s.Words = append(s.Words, w)
		}
		s.Text = transcribe.NewSegment(s.Words).Text
		segments = append(segments, s)
	}
	return segments, nil
}
