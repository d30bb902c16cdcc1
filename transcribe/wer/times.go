package wer

import (
	"slices"

	"hark/media/transcript"
)

// TimedWord is a word of a reference with its place in the clip, in milliseconds.
type TimedWord struct {
	Word    string `json:"word"`
	StartMS int64  `json:"start_ms"`
	EndMS   int64  `json:"end_ms"`
}

// TimeErrors are the distances, in milliseconds and without sign, between
// where words are said and where a transcript puts them.
type TimeErrors struct {
	Starts, Ends []int64
}

// CompareTimes measures the words that the transcript has right. A printed
// word that is read as several ("cold-hearted") starts with the first of them
// and ends with the last; words in between have no time and are left out.
func CompareTimes(ref []TimedWord, hyp []transcript.Word) TimeErrors {
	var refWords, hypWords []string
	var refTimes, hypTimes []span
	for _, w := range ref {
		words := Normalise(w.Word)
		refWords = append(refWords, words...)
		refTimes = append(refTimes, spans(len(words), w.StartMS, w.EndMS)...)
	}
	for _, w := range hyp {
		words := Normalise(w.Text)
		hypWords = append(hypWords, words...)
		hypTimes = append(hypTimes, spans(len(words), w.StartMS, w.EndMS)...)
	}
	var errors TimeErrors
	for _, s := range Align(refWords, hypWords) {
		if s.Edit != Equal {
			continue
		}
		r, h := refTimes[s.Ref], hypTimes[s.Hyp]
		if r.start >= 0 && h.start >= 0 {
			errors.Starts = append(errors.Starts, distance(r.start, h.start))
		}
		if r.end >= 0 && h.end >= 0 {
			errors.Ends = append(errors.Ends, distance(r.end, h.end))
		}
	}
	return errors
}

// Add adds another clip's errors.
func (e TimeErrors) Add(f TimeErrors) TimeErrors {
	return TimeErrors{Starts: slices.Concat(e.Starts, f.Starts), Ends: slices.Concat(e.Ends, f.Ends)}
}

// Quantile returns the value that a share q (0 to 1) of the errors does not
// exceed: 0.5 is the median. It is 0 when there are none.
func Quantile(errors []int64, q float64) int64 {
	if len(errors) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(errors))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// span is a stretch of sound; -1 stands for an end that is not known.
type span struct{ start, end int64 }

// spans gives n spoken words the times of the printed one that they are.
func spans(n int, start, end int64) []span {
	all := make([]span, n)
	for i := range all {
		all[i] = span{-1, -1}
	}
	if n > 0 {
		all[0].start, all[n-1].end = start, end
	}
	return all
}

func distance(a, b int64) int64 {
	if a < b {
		return b - a
	}
	return a - b
}
