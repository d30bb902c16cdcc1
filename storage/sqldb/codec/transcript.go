// Package codec keeps what is large and always read whole, or from its
// beginning, in one blob of a column: a transcript (transcripts.body) and the
// peaks of a waveform (messages.waveform). It knows no database.
//
// Limits: a blob of a newer version than this build writes is [ErrDamaged].
package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"hark/media/transcript"
	"hark/storage"
)

// A transcript is kept so that a search finds the words around a hit and their
// times without decoding the rest:
//
//	version  byte, 2; in 1 there were no gaps and no channels
//	text     uvarint length; all words, separated by single spaces
//	times    uvarint length; for each word: varint start in ms after the start
//	         of the one before, varint length in ms, uvarint confidence * 10,000
//	segments uvarint length; for each: uvarint number of words, varint start and
//	         varint length in ms, uvarint channel. (In 1: no length, no channel)
//	doubt    byte, 1 if the language is in doubt. (Not in 1, as what follows)
//	gaps     for each: uvarint reason, varint start and varint length in ms
//
// Confidence is kept to four decimals, 0 meaning none. A segment's text is its
// words joined by spaces (see transcript.Segment), so it is not kept apart.
const version = 2

const confidenceSteps = 10_000

// ErrDamaged is the error of a blob that Encode did not make.
var ErrDamaged = errors.New("transcript body is damaged")

// Encode makes the blob of a transcript that keeps package transcript's
// invariants: all of it but its language, engine and model.
func Encode(t *transcript.Transcript) ([]byte, error) {
	var text, times, segments []byte
	var before int64
	for _, s := range t.Segments {
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
		segments = binary.AppendUvarint(segments, uint64(len(s.Words)))
		segments = binary.AppendVarint(segments, s.StartMS)
		segments = binary.AppendVarint(segments, s.EndMS-s.StartMS)
		segments = binary.AppendUvarint(segments, uint64(max(s.Channel, 0)))
	}
	rest, err := encodeGaps(t)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, len(text)+len(times)+len(segments)+len(rest)+16)
	body = append(body, version)
	for _, part := range [][]byte{text, times, segments} {
		body = append(binary.AppendUvarint(body, uint64(len(part))), part...)
	}
	return append(body, rest...), nil
}

// gapReasons are numbered in blobs by their places here.
var gapReasons = transcript.GapReasons()

// encodeGaps encodes what follows the segments.
func encodeGaps(t *transcript.Transcript) ([]byte, error) {
	doubt := byte(0)
	if t.LanguageDoubt {
		doubt = 1
	}
	b := []byte{doubt}
	for _, gap := range t.Gaps {
		reason := slices.Index(gapReasons, gap.Reason)
		if reason < 0 {
			return nil, fmt.Errorf("transcript has a gap for reason %q, which is none", gap.Reason)
		}
		b = binary.AppendUvarint(b, uint64(reason))
		b = binary.AppendVarint(b, gap.StartMS)
		b = binary.AppendVarint(b, gap.EndMS-gap.StartMS)
	}
	return b, nil
}

// split returns the parts of a blob. rest is what follows the segments:
// nothing in version 1.
func split(body []byte) (text, times, segments, rest []byte, err error) {
	if len(body) == 0 || body[0] < 1 || body[0] > version {
		return nil, nil, nil, nil, ErrDamaged
	}
	text, rest, ok := cutLength(body[1:])
	if !ok {
		return nil, nil, nil, nil, ErrDamaged
	}
	if times, rest, ok = cutLength(rest); !ok {
		return nil, nil, nil, nil, ErrDamaged
	}
	if body[0] == 1 {
		return text, times, rest, nil, nil
	}
	if segments, rest, ok = cutLength(rest); !ok {
		return nil, nil, nil, nil, ErrDamaged
	}
	return text, times, segments, rest, nil
}

// cutLength cuts off what a uvarint length in front of it says.
func cutLength(b []byte) (part, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// firstWordsLimit is the length of what an untitled message is called by, in
// characters.
const firstWordsLimit = 60

// FirstWords reads how what is said begins, at most 60 characters, from the
// beginning of a blob, of which 320 bytes are enough; nothing from an empty one.
func FirstWords(beginning []byte) string {
	if len(beginning) == 0 {
		return ""
	}
	length, k := binary.Uvarint(beginning[1:])
	if k <= 0 {
		return ""
	}
	text := beginning[1+k:]
	text = text[:min(length, uint64(len(text)))]
	return storage.Cut(strings.ToValidUTF8(string(text), ""), firstWordsLimit)
}

// Decode is the inverse of Encode.
func Decode(body []byte) (t transcript.Transcript, err error) {
	text, times, segments, rest, err := split(body)
	if err != nil {
		return t, err
	}
	words := Words{text: text, times: numbers{rest: times}}
	for len(segments) > 0 {
		n, k := binary.Uvarint(segments)
		if k <= 0 || n == 0 || n > uint64(len(times)) {
			return t, ErrDamaged
		}
		r := numbers{rest: segments[k:]}
		start, length, channel := r.varint(), r.varint(), uint64(0)
		if body[0] > 1 {
			channel = r.uvarint()
		}
		if r.bad || channel > transcript.MostChannels {
			return t, ErrDamaged
		}
		segments = r.rest
		s := transcript.Segment{StartMS: start, EndMS: start + length, Words: make([]transcript.Word, 0, n), Channel: int(channel)}
		for range n {
			w, ok := words.Next()
			if !ok {
				return t, ErrDamaged
			}
			s.Words = append(s.Words, w)
		}
		s.Text = transcript.NewSegment(s.Words).Text
		t.Segments = append(t.Segments, s)
	}
	return t, unencodeGaps(rest, &t)
}

// unencodeGaps reads what follows the segments.
func unencodeGaps(b []byte, t *transcript.Transcript) error {
	if len(b) == 0 {
		return nil
	}
	t.LanguageDoubt = b[0] == 1
	r := numbers{rest: b[1:]}
	for len(r.rest) > 0 && !r.bad {
		reason, start, length := r.uvarint(), r.varint(), r.varint()
		if r.bad || reason >= uint64(len(gapReasons)) {
			return ErrDamaged
		}
		t.Gaps = append(t.Gaps, transcript.Gap{StartMS: start, EndMS: start + length, Reason: gapReasons[reason]})
	}
	return nil
}
