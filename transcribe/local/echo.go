package local

import (
	"errors"
	"io"
	"math"
	"slices"

	"hark/media/transcript"
	"hark/transcribe/lang"
)

// What makes words of one channel an echo of the other's: a speaker who is
// heard through the other's microphone too.
const (
	echoMS     = 300  // the same word begins so near in both channels, in milliseconds
	lateEchoMS = 1000 // or so near, in a row of words
	echoWords  = 3    // so many words in a row are said by two people at once by no accident
	echoLevel  = 2    // fewer are an echo where one is so many times louder (6 dB)
)

// echo is a row of words that both channels have at the same time.
type echo struct {
	first [2]int // index of its first word in each channel
	words int
}

// dropEchoes takes from each of two channels the words that belong to the
// other, where they are louder.
func dropEchoes(from *channels, heard [2]*transcript.Transcript) error {
	words := [2][]transcript.Word{heard[0].Words(), heard[1].Words()}
	echoes := findEchoes(words)
	if len(echoes) == 0 {
		return nil
	}
	dropped := [2][]bool{make([]bool, len(words[0])), make([]bool, len(words[1]))}
	for _, e := range echoes {
		var loud [2]float64
		for i := range loud {
			first, last := words[i][e.first[i]], words[i][e.first[i]+e.words-1]
			var err error
			if loud[i], err = from.loudness(i, first.StartMS, last.EndMS); err != nil {
				return err
			}
		}
		fainter := 1
		if loud[0] < loud[1] {
			fainter = 0
		}
		if e.words < echoWords && loud[1-fainter] < echoLevel*loud[fainter] {
			continue
		}
		for k := range e.words {
			dropped[fainter][e.first[fainter]+k] = true
		}
	}
	for i, t := range heard {
		t.Segments = without(t.Segments, dropped[i])
	}
	return nil
}

// findEchoes returns the rows of words that both have, the longest first, none
// of which has a word of another.
func findEchoes(words [2][]transcript.Word) []echo {
	same := func(i, k int) bool {
		return i < len(words[0]) && k < len(words[1]) && lang.Bare(words[0][i].Text) == lang.Bare(words[1][k].Text) &&
			max(words[0][i].StartMS-words[1][k].StartMS, words[1][k].StartMS-words[0][i].StartMS) <= lateEchoMS
	}
	var rows []echo
	next := 0
	for i, w := range words[0] {
		for next < len(words[1]) && words[1][next].StartMS < w.StartMS-lateEchoMS {
			next++
		}
		for k := next; k < len(words[1]) && words[1][k].StartMS <= w.StartMS+lateEchoMS; k++ {
			if !same(i, k) || i > 0 && k > 0 && same(i-1, k-1) {
				continue
			}
			e := echo{first: [2]int{i, k}, words: 1}
			for same(i+e.words, k+e.words) {
				e.words++
			}
			if e.sounds(words) {
				rows = append(rows, e)
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b echo) int { return b.words - a.words })
	used := [2][]bool{make([]bool, len(words[0])), make([]bool, len(words[1]))}
	return slices.DeleteFunc(rows, func(e echo) bool {
		taken := slices.Contains(e.of(used[0], 0), true) || slices.Contains(e.of(used[1], 1), true)
		for i := range e.words * 2 {
			if channel := i % 2; !taken {
				e.of(used[channel], channel)[i/2] = true
			}
		}
		return taken
	})
}

// of is the row's part of what there is for each word of a channel.
func (e echo) of(marks []bool, channel int) []bool {
	return marks[e.first[channel] : e.first[channel]+e.words]
}

// sounds says that a row may be an echo: the same at the same time, or many
// words that are late, but said before those of the other channel ended. Who
// repeats what was said waits for its end.
func (e echo) sounds(words [2][]transcript.Word) bool {
	one, other := words[0][e.first[0]], words[1][e.first[1]]
	if late := one.StartMS - other.StartMS; late <= echoMS && late >= -echoMS {
		return true
	}
	ends := min(words[0][e.first[0]+e.words-1].EndMS, words[1][e.first[1]+e.words-1].EndMS)
	return e.words >= echoWords && max(one.StartMS, other.StartMS) < (min(one.StartMS, other.StartMS)+ends)/2
}

// without returns segments without the words that are dropped, which are
// counted through all segments. What is left of a segment on both sides of
// them becomes two.
func without(segments []transcript.Segment, dropped []bool) []transcript.Segment {
	var kept []transcript.Segment
	for _, s := range segments {
		from := 0
		keep := func(to int) {
			if from < to {
				kept = append(kept, transcript.NewSegment(s.Words[from:to:to]))
			}
			from = to + 1
		}
		for i := range s.Words {
			if dropped[i] {
				keep(i)
			}
		}
		keep(len(s.Words))
		dropped = dropped[len(s.Words):]
	}
	return kept
}

// loudness is the level of a stretch of a channel, in milliseconds.
func (c *channels) loudness(number int, fromMS, toMS int64) (float64, error) {
	var sum float64
	var total int64
	p := make([]float32, 4096)
	for at, end := fromMS*sampleRate/1000, max(toMS, fromMS+1)*sampleRate/1000; at < end; {
		n, err := c.read(number, at, p[:min(int64(len(p)), end-at)])
		for _, x := range p[:n] {
			sum += float64(x) * float64(x)
		}
		at, total = at+int64(n), total+int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	return math.Sqrt(sum / float64(max(total, 1))), nil
}
