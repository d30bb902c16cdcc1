package openai

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode"

	"hark/media/transcript"
)

// Whisper's own thresholds: a segment it holds for silence, and of whose words
// it is not sure either, was not said.
const (
	noSpeechAbove = 0.6
	unsureBelow   = -1.0
)

// token is a word as it is printed, with the time that is known of it.
type token struct {
	text       string
	start, end int64 // ms in the chunk; meaningful when known
	known      bool
	confidence float64 // 0 means unknown
}

// part is a stretch of text with its bounds in the chunk. Parts are in order
// and do not overlap.
type part struct {
	start, end int64 // ms
	tokens     []token
	words      []wireWord // the server's words of this part alone; nil means they are with the reply
	confidence float64    // for words without one; 0 means unknown
	unspoken   bool       // the server itself holds it for silence
	whole      bool       // all of the chunk's text, to be cut into sentences
}

// segments makes of an answer to a chunk of length ms what a transcript may
// hold, at places in the chunk.
func (r *reply) segments(length int64) []transcript.Segment {
	parts := r.parts(length)
	var orphans []*token // tokens of parts that have no words of their own
	var all []*token
	for i := range parts {
		p := &parts[i]
		mine := make([]*token, len(p.tokens))
		for j := range p.tokens {
			mine[j] = &p.tokens[j]
		}
		if all = append(all, mine...); p.words == nil {
			orphans = append(orphans, mine...)
		} else {
			align(mine, timeWords(p.words, length))
		}
	}
	align(orphans, timeWords(r.Words, length))
	dropDisorder(all)
	fillGaps(parts)

	var out []transcript.Segment
	for _, p := range parts {
		if p.unspoken {
			continue
		}
		words := p.spoken()
		if !p.whole {
			out = append(out, transcript.NewSegment(words))
			continue
		}
		for _, sentence := range sentences(words) {
			out = append(out, transcript.NewSegment(sentence))
		}
	}
	return out
}

// parts reads the answer's segments, or makes one part of all its text.
func (r *reply) parts(length int64) []part {
	var parts []part
	var last int64
	for i := range r.Segments {
		s := &r.Segments[i]
		tokens := tokenize(s.text())
		if len(tokens) == 0 {
			continue
		}
		p := part{tokens: tokens, words: s.Words, confidence: confidence(s.AvgLogprob), end: length}
		if len(s.Words) == 0 {
			p.words = nil
		}
		var ok bool
		if p.start, ok = ms(s.Start, length); !ok {
			p.start = last
		}
		last = p.start
		if end, ok := ms(s.End, length); ok && end >= p.start {
			p.end, last = end, end
		}
		unsure := !s.AvgLogprob.ok || s.AvgLogprob.value < unsureBelow
		p.unspoken = s.NoSpeechProb.ok && s.NoSpeechProb.value > noSpeechAbove && unsure
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		if tokens := tokenize(r.text()); len(tokens) > 0 {
			parts = []part{{tokens: tokens, end: length, whole: true}}
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.start, b.start) })
	for i := range len(parts) - 1 {
		parts[i].end = min(parts[i].end, parts[i+1].start)
	}
	return parts
}

// spoken returns the part's tokens as words of a transcript.
func (p *part) spoken() []transcript.Word {
	words := make([]transcript.Word, len(p.tokens))
	for i, t := range p.tokens {
		words[i] = transcript.Word{Text: t.text, StartMS: t.start, EndMS: t.end, Confidence: t.confidence}
		if t.confidence == 0 {
			words[i].Confidence = p.confidence
		}
	}
	return words
}

// dropDisorder forgets the times that would go back: it keeps as many as can
// stand in order (the longest non-decreasing run of starts), and cuts off what
// reaches into the next.
func dropDisorder(tokens []*token) {
	var known []*token
	for _, t := range tokens {
		if t.known {
			known = append(known, t)
		}
	}
	tails := []int{} // tails[n]: index in known of the least start that ends a run of n+1
	before := make([]int, len(known))
	for i, t := range known {
		n := sort.Search(len(tails), func(n int) bool { return known[tails[n]].start > t.start })
		if before[i] = -1; n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		}
		tails[n] = i
		t.known = false
	}
	if len(tails) == 0 {
		return
	}
	limit := int64(math.MaxInt64)
	for i := tails[len(tails)-1]; i >= 0; i = before[i] {
		t := known[i]
		t.known, t.end = true, min(t.end, limit)
		limit = t.start
	}
}

// fillGaps gives times to tokens without: each run of them shares, by length,
// the time between its neighbours, within the bounds of its part where that
// can be. Afterwards all tokens are in order and none overlap.
func fillGaps(parts []part) {
	next := nextKnown(parts)
	var last int64 // end of the latest token
	for i := range parts {
		p := &parts[i]
		for j := 0; j < len(p.tokens); {
			if t := p.tokens[j]; t.known {
				last, j = t.end, j+1
				continue
			}
			run := j
			for j < len(p.tokens) && !p.tokens[j].known {
				j++
			}
			limit := next[i]
			if j < len(p.tokens) {
				limit = p.tokens[j].start
			}
			limit = max(limit, last)
			from := min(max(last, p.start), limit)
			last = spread(p.tokens[run:j], from, min(max(p.end, from), limit))
		}
	}
}

// nextKnown returns for each part where the first known token after it starts.
func nextKnown(parts []part) []int64 {
	next := make([]int64, len(parts))
	start := int64(math.MaxInt64)
	for i := len(parts) - 1; i >= 0; i-- {
		next[i] = start
		for _, t := range slices.Backward(parts[i].tokens) {
			if t.known {
				start = t.start
			}
		}
	}
	return next
}

// spread gives tokens the time from start to end, by length, and returns end.
func spread(tokens []token, start, end int64) int64 {
	words := make([]transcript.Word, len(tokens))
	for i, t := range tokens {
		words[i].Text = t.text
	}
	transcript.SpreadTimes(words, start, end)
	for i, w := range words {
		tokens[i].start, tokens[i].end = w.StartMS, w.EndMS
	}
	return end
}

// tokenize cuts a text into words. Control characters have no place in any.
func tokenize(text string) []token {
	fields := strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
	tokens := make([]token, len(fields))
	for i, f := range fields {
		tokens[i].text = f
	}
	return tokens
}

// sentences cuts words after what ends a sentence.
func sentences(words []transcript.Word) [][]transcript.Word {
	var out [][]transcript.Word
	start := 0
	for i, w := range words {
		if i == len(words)-1 || strings.ContainsAny(lastRune(strings.TrimRight(w.Text, `"'”’»)]`)), ".?!…。？！") {
			out = append(out, words[start:i+1])
			start = i + 1
		}
	}
	return out
}

func lastRune(s string) string {
	runes := []rune(s)
	return string(runes[max(len(runes)-1, 0):])
}

// ms converts seconds to milliseconds within 0 and length; not ok when missing.
func ms(seconds number, length int64) (int64, bool) {
	if !seconds.ok {
		return 0, false
	}
	return int64(math.Round(min(max(seconds.value*1000, 0), float64(length)))), true
}

// confidence turns a mean log probability into a probability.
func confidence(logprob number) float64 {
	if !logprob.ok {
		return 0
	}
	return math.Exp(min(logprob.value, 0))
}
