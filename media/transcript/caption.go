package transcript

import (
	"math"
	"strings"
	"time"
)

// CaptionOptions shapes captions ([WriteVTT], [WriteSRT]). The zero value is
// what broadcasters recommend: two lines of 42 characters, at the most seven
// seconds each.
type CaptionOptions struct {
	LineLength  int           // characters in a line; 0 means 42. A longer word overflows
	Lines       int           // lines in a cue; 0 means 2
	MaxDuration time.Duration // of what is said in one cue; 0 means 7 s. A longer word stays whole

	// WordTimes marks in WebVTT when each word is said, so that a player can
	// colour words as they come. SRT has no such marks and ignores it.
	WordTimes bool
}

// withDefaults fills in what is zero or makes no sense.
func (o CaptionOptions) withDefaults() CaptionOptions {
	if o.LineLength <= 0 {
		o.LineLength = 42
	}
	if o.Lines <= 0 {
		o.Lines = 2
	}
	if o.MaxDuration <= 0 {
		o.MaxDuration = 7 * time.Second
	}
	return o
}

const (
	minCueMS    = 1000 // a caption stays at least so long, if the next leaves it the room
	closeGapMS  = 250  // a shorter gap between captions would only flicker
	clausePause = 300  // ms; a pause in which a caption may well change
)

// printable returns a segment's words, cleaned, in an order of time that
// starts at *now and is carried on in it.
func printable(s Segment, now *int64) []Word {
	source := s.Words
	if len(source) == 0 {
		source = Spread(s.Text, s.StartMS, s.EndMS)
	}
	words := make([]Word, 0, len(source))
	for _, w := range source {
		if w.Text = clean(w.Text); w.Text == "" {
			continue
		}
		w.StartMS = max(w.StartMS, *now)
		w.EndMS = max(w.EndMS, w.StartMS)
		*now = w.StartMS
		words = append(words, w)
	}
	return words
}

// cutCues cuts words into parts that each fit into one caption, where cutting
// hurts least: the cheapest way to the end of the words, as TeX breaks a
// paragraph into lines. Its time grows with the number of words times the
// words that fit into a caption.
func cutCues(words []Word, opts CaptionOptions) [][]Word {
	best := make([]float64, len(words)+1) // cost of the best cut of words[:i]
	from := make([]int, len(words)+1)     // where its last part starts
	for end := 1; end <= len(words); end++ {
		best[end] = math.Inf(1)
		for start := end - 1; start >= 0; start-- {
			part := words[start:end]
			if len(part) > 1 && !fits(part, opts) {
				break
			}
			cost := best[start] + cueCost(part, opts)
			if end < len(words) {
				cost += breakCost(words[end-1], words[end])
			}
			if cost < best[end] {
				best[end], from[end] = cost, start
			}
		}
	}
	var parts [][]Word
	for end := len(words); end > 0; end = from[end] {
		parts = append(parts, words[from[end]:end])
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return parts
}

// fits reports whether part can be one caption.
func fits(part []Word, opts CaptionOptions) bool {
	if part[len(part)-1].EndMS-part[0].StartMS > opts.MaxDuration.Milliseconds() {
		return false
	}
	return len(wrapAt(part, opts.LineLength, opts.Lines+1)) <= opts.Lines
}

// cueCost is what a caption costs: few, well filled captions are cheaper than
// many, even ones cheaper than a full and a scanty one.
func cueCost(part []Word, opts CaptionOptions) float64 {
	const each, emptiness, hasty = 10, 20, 15
	free := 1 - min(1, float64(lineWidth(part))/float64(opts.LineLength*opts.Lines))
	cost := each + emptiness*free*free
	if part[len(part)-1].EndMS-part[0].StartMS < minCueMS {
		cost += hasty
	}
	return cost
}

// breakCost is what it costs to change the caption between two words.
func breakCost(before, after Word) float64 {
	word := strings.TrimRight(before.Text, `"'”’»)]`)
	switch {
	case strings.HasSuffix(word, ".") || strings.HasSuffix(word, "?") ||
		strings.HasSuffix(word, "!") || strings.HasSuffix(word, "…"):
		return 0
	case strings.HasSuffix(word, ",") || strings.HasSuffix(word, ";") || strings.HasSuffix(word, ":"):
		return 5
	case after.StartMS-before.EndMS >= clausePause:
		return 5
	}
	return 25
}

// wrap breaks a caption into as few lines as hold it, about equally long.
func wrap(part []Word, opts CaptionOptions) [][]Word {
	lines := wrapAt(part, opts.LineLength, len(part))
	if len(lines) == 1 {
		return lines
	}
	for length := lineWidth(part) / len(lines); length < opts.LineLength; length++ {
		if even := wrapAt(part, length, len(lines)+1); len(even) <= len(lines) {
			return even
		}
	}
	return lines
}

// wrapAt fills lines of at most length characters in order, and stops after
// limit lines.
func wrapAt(part []Word, length, limit int) [][]Word {
	var lines [][]Word
	start, used := 0, 0
	for i, w := range part {
		n := width(w.Text)
		if i > start && used+1+n > length {
			if lines = append(lines, part[start:i]); len(lines) == limit {
				return lines
			}
			start, used = i, n
			continue
		}
		if i > start {
			used++
		}
		used += n
	}
	return append(lines, part[start:])
}

// lineWidth is the width of words joined by spaces.
func lineWidth(words []Word) int {
	n := len(words) - 1
	for _, w := range words {
		n += width(w.Text)
	}
	return n
}
