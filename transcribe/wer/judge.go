package wer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hark/media/transcript"
)

const (
	nearMS    = 500 // how far from its time a word may be
	gapEdgeMS = 500 // how far a gap may fall short of the stretch that is missing, at either end
)

// Judge says what is wrong with what was made of the case: a message of
// durationMS with the transcript. Nothing is wrong when it returns none.
func (c Case) Judge(durationMS int64, t *transcript.Transcript) []string {
	var wrong []string
	if c.Refused != "" {
		wrong = append(wrong, fmt.Sprintf("taken, but it should be refused with %q", c.Refused))
	}
	if d := c.DurationMS; d != nil && (durationMS < d[0] || durationMS > d[1]) {
		wrong = append(wrong, fmt.Sprintf("lasts %d ms, not %d to %d", durationMS, d[0], d[1]))
	}
	wrong = append(wrong, c.judgeWords(t)...)
	for _, near := range c.Near {
		if at, found := begins(t.Words(), near); !found {
			wrong = append(wrong, fmt.Sprintf("%q is nowhere", near.Word))
		} else if distance(at, near.MS) > nearMS {
			wrong = append(wrong, fmt.Sprintf("%q is at %d ms, not %d", near.Word, at, near.MS))
		}
	}
	for _, gap := range c.Gaps {
		if !slices.ContainsFunc(t.Gaps, func(g transcript.Gap) bool {
			return g.StartMS <= gap[0]+gapEdgeMS && g.EndMS >= gap[1]-gapEdgeMS
		}) {
			wrong = append(wrong, fmt.Sprintf("does not say that %d to %d ms are missing; gaps: %v", gap[0], gap[1], t.Gaps))
		}
	}
	return wrong
}

func (c Case) judgeWords(t *transcript.Transcript) []string {
	if c.Text == nil {
		if len(t.Words()) == 0 {
			return []string{"no words"}
		}
		return nil
	}
	people := c.People()
	if len(people) == 1 {
		return c.judgeText(*c.Text, t.Text())
	}
	left, right := said(t, 1), said(t, 2)
	if left == "" || right == "" {
		return []string{fmt.Sprintf("no two channels; heard %q", t.Text())}
	}
	// Which of the two is left is not part of the case.
	both := Score(people[0], left).Add(Score(people[1], right))
	if turned := Score(people[0], right).Add(Score(people[1], left)); turned.Errors() < both.Errors() {
		both, left, right = turned, right, left
	}
	return c.tooMany(both, *c.Text, left+betweenPeople+right)
}

func (c Case) judgeText(want, got string) []string { return c.tooMany(Score(want, got), want, got) }

func (c Case) tooMany(n Counts, want, got string) []string {
	if n.Errors() <= c.Errors {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d words wrong, at most %d may be; wanted %q, heard %q", n.Errors(), n.Words, c.Errors, want, got)}
}

// said is what was heard in a channel.
func said(t *transcript.Transcript, channel int) string {
	var texts []string
	for _, s := range t.Segments {
		if s.Channel == channel {
			texts = append(texts, s.Text)
		}
	}
	return strings.Join(texts, " ")
}

// begins finds where the words begin, in milliseconds: the place nearest to
// their time.
func begins(heard []transcript.Word, near NearWord) (at int64, found bool) {
	want := Normalise(near.Word)
	var words []string
	var starts []int64
	for _, w := range heard {
		for _, word := range Normalise(w.Text) {
			words, starts = append(words, word), append(starts, w.StartMS)
		}
	}
	nearest := int64(math.MaxInt64)
	for i := range len(words) - len(want) + 1 {
		if d := distance(starts[i], near.MS); d < nearest && slices.Equal(words[i:i+len(want)], want) {
			at, nearest, found = starts[i], d, true
		}
	}
	return at, found
}
