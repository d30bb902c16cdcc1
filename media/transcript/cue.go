package transcript

import (
	"cmp"
	"slices"
)

// cue is a caption: lines shown from startMS to endMS, endMS > startMS.
type cue struct {
	startMS, endMS int64
	isGap          bool
	channel        int      // in which it is said; 0 where the channels were heard together
	above          string   // a line that stands above the others; none if empty
	label          string   // stands before the first line, where the channels were heard apart
	words          []Word   // clean, never empty
	lines          [][]Word // the words; neither the lines nor any line is empty
}

// head is what stands before the words.
func (c cue) head() string {
	head := ""
	if c.above != "" {
		head = c.above + "\n"
	}
	if c.label != "" {
		head += c.label + " "
	}
	return head
}

// cues cuts a transcript into captions, ordered by start. No caption spans two
// segments, and gaps have captions of their own. Captions overlap where two
// channels speak at once, and where words are known of a gap.
func cues(t *Transcript, opts CaptionOptions) []cue {
	opts = opts.withDefaults()
	cut := opts
	if slices.ContainsFunc(t.Segments, func(s Segment) bool { return s.Channel != 0 }) {
		cut.LineLength = max(cut.LineLength-len("1: "), 1)
	}
	var all []cue
	var gaps []Gap
	for _, e := range timeline(t) {
		if len(e.words) == 0 {
			gaps = append(gaps, e.gap)
			continue
		}
		for _, part := range cutCues(e.words, cut) {
			all = append(all, cue{startMS: part[0].StartMS, endMS: part[len(part)-1].EndMS, channel: e.channel, words: part})
		}
	}
	all = append(all, gapCues(gaps, all)...)
	slices.SortStableFunc(all, func(a, b cue) int { return cmp.Compare(a.startMS, b.startMS) })
	linger(all)
	for i := range all {
		all[i].label = label(all[i].channel)
		all[i].lines = wrapLabelled(all[i], opts)
	}
	if doubt := doubtOf(t); doubt != "" && len(all) > 0 {
		all[0].above = "[" + doubt + "]"
	}
	return all
}

// gapCues are the captions of gaps: over each gap's time without that of words
// in it, which a recogniser may have understood, or heard at its edge. Where
// nothing is left, and where the words are of one channel and the gap may be
// of the other, the caption stands beside the words.
func gapCues(gaps []Gap, spoken []cue) []cue {
	var all []cue
	for _, g := range gaps {
		words := Spread(g.String(), g.StartMS, g.StartMS)
		whole := cue{startMS: g.StartMS, endMS: g.EndMS, isGap: true, words: words}
		rest, free := whole, len(all)
		for _, c := range spoken {
			if c.startMS >= rest.endMS {
				break
			}
			if c.channel != 0 || c.endMS <= rest.startMS {
				continue
			}
			if c.startMS-rest.startMS > closeGapMS {
				before := rest
				before.endMS = c.startMS
				all = append(all, before)
			}
			rest.startMS = c.endMS
		}
		switch {
		case rest.endMS-rest.startMS > closeGapMS || rest.startMS == whole.startMS:
			all = append(all, rest)
		case len(all) == free:
			all = append(all, whole)
		}
	}
	return all
}

// linger keeps each caption up until it can be read or the next one comes.
func linger(all []cue) {
	for i := range all {
		c := &all[i]
		end := max(c.endMS, c.startMS+minCueMS)
		if next, ok := successor(all, i); ok && (end > next || next-end <= closeGapMS) {
			end = next
		}
		c.endMS = max(end, c.startMS+1)
	}
}

// successor is when the caption comes in which all[i] has to go: the next of
// its channel, or the next gap. One that comes while all[i] is said is beside it.
func successor(all []cue, i int) (startMS int64, ok bool) {
	c := all[i]
	for _, next := range all[i+1:] {
		same := next.isGap == c.isGap && next.channel == c.channel
		if same || next.isGap != c.isGap && next.startMS >= c.endMS {
			return next.startMS, true
		}
	}
	return 0, false
}

// wrapLabelled wraps the words of a caption so that its label has room.
func wrapLabelled(c cue, opts CaptionOptions) [][]Word {
	if c.label == "" {
		return wrap(c.words, opts)
	}
	lines := wrap(append([]Word{{Text: c.label}}, c.words...), opts)
	if len(lines[0]) == 1 {
		return lines[1:] // a word that overflows the line
	}
	lines[0] = lines[0][1:]
	return lines
}

// shown is what stands on the screen from startMS to endMS.
type shown struct {
	startMS, endMS int64
	cues           []cue
}

// apart cuts the time of captions so that one follows the other and those that
// overlap stand together: many players of SRT show only one at a time.
func apart(all []cue) []shown {
	var times []int64
	for _, c := range all {
		times = append(times, c.startMS, c.endMS)
	}
	slices.Sort(times)
	times = slices.Compact(times)
	var out []shown
	var up []cue
	for i := 0; i+1 < len(times); i++ {
		at := times[i]
		up = slices.DeleteFunc(slices.Clone(up), func(c cue) bool { return c.endMS <= at })
		for len(all) > 0 && all[0].startMS <= at {
			up, all = append(up, all[0]), all[1:]
		}
		if len(up) > 0 {
			out = append(out, shown{at, times[i+1], up})
		}
	}
	return out
}
