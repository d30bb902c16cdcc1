package moonshine

import (
	"math"
	"slices"
)

// How pauses are found. Word times hardly change when these do, by half or double.
const (
	levelMS      = 10                          // step in which loudness is measured
	levelSamples = sampleRate * levelMS / 1000 // the same in samples
	minPauseMS   = 100                         // shorter ones are the closures of p, t and k
	marginMS     = 40                          // soft beginnings and ends of words that look like pause
	reachMS      = 150                         // how far a word's bound may be from the pause it belongs to
	rangeDB      = 45                          // below the loudest, everything is equally quiet
	quietPart    = 0.25                        // of the way from quiet to loud, in dB: what is below is pause
)

// pauses finds the stretches without speech, in order. At the edges of the
// sound they may be as short as they like.
func pauses(samples []float32) []span {
	levels := levels(samples)
	if len(levels) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(levels))
	loud := sorted[len(sorted)*95/100]
	quiet := max(sorted[len(sorted)*5/100], loud-rangeDB)
	threshold := quiet + quietPart*(loud-quiet)

	var found []span
	start := 0
	for i := range len(levels) + 1 {
		if i < len(levels) && levels[i] < threshold {
			continue
		}
		p := span{int64(start) * levelMS, int64(i) * levelMS}
		edge := start == 0 || i == len(levels)
		if length := p.end - p.start; length >= minPauseMS || edge && length > 0 {
			found = append(found, p)
		}
		start = i + 1
	}
	return found
}

// levels measures the loudness in dB, every step over a window of two.
func levels(samples []float32) []float64 {
	levels := make([]float64, len(samples)/levelSamples)
	for i := range levels {
		at := i * levelSamples
		window := samples[max(at-levelSamples/2, 0):min(at+levelSamples*3/2, len(samples))]
		var sum float64
		for _, s := range window {
			sum += float64(s) * float64(s)
		}
		levels[i] = 10 * math.Log10(sum/float64(len(window))+1e-10)
	}
	return levels
}

// trim moves the ends and starts of words to those of the pauses between
// them. Two words without a pause between them meet where the first one ends.
// A pause nowhere near the bound of a word lies within one and changes nothing.
func trim(words []span, pauses []span) {
	bounds := boundsOf(words)
	for i := range words {
		words[i] = span{bounds[i].start, bounds[i+1].start}
	}
	paused := make([]bool, len(bounds))
	for _, p := range pauses {
		i := nearest(bounds, p)
		if i < 0 {
			continue
		}
		if i > 0 && !paused[i] && p.start > words[i-1].start {
			words[i-1].end = p.start + marginMS
		}
		if i < len(words) && p.end < words[i].end {
			words[i].start = max(p.end-marginMS, 0)
		}
		paused[i] = true
	}
	for i := range words {
		if i > 0 {
			words[i].start = max(words[i].start, words[i-1].end)
		}
		words[i].end = max(words[i].end, words[i].start)
	}
}

// boundsOf returns where one word may end and the next begin: before the
// first word, between each two, and after the last.
func boundsOf(words []span) []span {
	bounds := []span{{words[0].start, words[0].start}}
	for i, w := range words[1:] {
		bounds = append(bounds, span{words[i].end, w.start})
	}
	last := words[len(words)-1].end
	return append(bounds, span{last, last})
}

// nearest returns the index of the bound that a pause belongs to, or -1 when
// none is within reach.
func nearest(bounds []span, p span) int {
	found, least := -1, int64(reachMS+1)
	for i, b := range bounds {
		if d := max(p.start-b.end, b.start-p.end, 0); d < least {
			found, least = i, d
		}
	}
	return found
}
