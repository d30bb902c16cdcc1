package codec

import (
	"bytes"
	"encoding/binary"

	"hark/media/transcript"
)

// Words reads the words of a transcript's blob one after the other. The zero
// value has none.
type Words struct {
	text  []byte
	times numbers
	last  int64 // start of the word read last, in ms
}

// Open begins to read a blob. The error is ErrDamaged.
func Open(body []byte) (Words, error) {
	text, times, _, _, err := split(body)
	return Words{text: text, times: numbers{rest: times}}, err
}

// Text is the words that were not read yet, separated by single spaces.
func (r *Words) Text() []byte { return r.text }

// Damaged says whether what was read is no transcript.
func (r *Words) Damaged() bool { return r.times.bad }

// Next returns the next word; false at the end or when the blob is damaged.
func (r *Words) Next() (w transcript.Word, ok bool) {
	if len(r.text) == 0 || r.times.bad {
		return w, false
	}
	word, rest, _ := bytes.Cut(r.text, []byte(" "))
	r.text = rest
	start := r.times.varint()
	length := r.times.varint()
	confidence := r.times.uvarint()
	if r.times.bad {
		return w, false
	}
	r.last += start
	return transcript.Word{
		Text: string(word), StartMS: r.last, EndMS: r.last + length,
		Confidence: float64(min(confidence, confidenceSteps)) / confidenceSteps,
	}, true
}

// Skip passes over n words.
func (r *Words) Skip(n int) {
	for range n {
		_, rest, _ := bytes.Cut(r.text, []byte(" "))
		r.text = rest
		r.last += r.times.varint()
		r.times.varint()
		r.times.varint() // of the confidence, whose bytes end as a signed number's do
	}
}

// numbers reads numbers of variable length.
type numbers struct {
	rest []byte
	bad  bool // what was read is damaged; all further numbers are 0
}

func (r *numbers) varint() int64   { return next(r, binary.Varint) }
func (r *numbers) uvarint() uint64 { return next(r, binary.Uvarint) }

func next[T int64 | uint64](r *numbers, read func([]byte) (T, int)) T {
	v, k := read(r.rest)
	if k <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[k:]
	return v
}
