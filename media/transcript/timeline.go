package transcript

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
)

// entry is what stands in a transcript at a time: words that somebody says, or
// a gap.
type entry struct {
	startMS int64
	words   []Word // clean; none for a gap
	channel int    // of the words
	gap     Gap
}

// timeline puts the words and the gaps of a transcript in order of time. A
// segment in which a gap begins is cut there. Times that break the invariants
// of [Transcript] are bent so that no channel goes back in time.
func timeline(t *Transcript) []entry {
	gaps := Transcript{Gaps: t.Gaps}
	gaps.AddGaps() // orders them and sets them apart, should they not be
	var all []entry
	for _, g := range gaps.Gaps {
		all = append(all, entry{startMS: g.StartMS, gap: g})
	}
	now := map[int]*int64{} // of each channel
	for _, s := range t.Segments {
		if now[s.Channel] == nil {
			now[s.Channel] = new(int64)
		}
		for _, words := range cutAt(printable(s, now[s.Channel]), s.Channel, gaps.Gaps) {
			all = append(all, entry{startMS: words[0].StartMS, words: words, channel: s.Channel})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(a.startMS, b.startMS) })
	return all
}

// cutAt cuts words where gaps begin between them. No part is empty. Words that
// are said during a gap stay whole if their channel is known: what is missing
// is of the other.
func cutAt(words []Word, channel int, gaps []Gap) [][]Word {
	var parts [][]Word
	if len(words) == 0 {
		return nil
	}
	next := sort.Search(len(gaps), func(i int) bool { return gaps[i].StartMS > words[0].StartMS })
	for _, g := range gaps[next:] {
		at := sort.Search(len(words), func(i int) bool { return words[i].StartMS >= g.StartMS })
		if at == len(words) {
			break
		}
		if at > 0 && (channel == 0 || words[at].StartMS >= g.EndMS) {
			parts, words = append(parts, words[:at]), words[at:]
		}
	}
	return append(parts, words)
}

// String is how people read a gap: "[not understood, 0:03 to 0:11]".
func (g Gap) String() string {
	what := "not understood"
	if g.Reason == NotDecoded {
		what = "not decoded"
	}
	from := g.StartMS / 1000
	return fmt.Sprintf("[%s, %s to %s]", what, minutes(from), minutes(max((g.EndMS+500)/1000, from+1)))
}

// minutes prints seconds as m:ss or h:mm:ss.
func minutes(s int64) string {
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// doubtOf is the note about the language of a transcript; nothing
// when there is no doubt.
func doubtOf(t *Transcript) string {
	switch {
	case !t.LanguageDoubt:
		return ""
	case t.Language == "en":
		return "may not be in English"
	}
	return "may be in another language"
}

// label is how people read who speaks, where the channels were heard apart.
func label(channel int) string {
	if channel == 0 {
		return ""
	}
	return fmt.Sprintf("%d:", channel)
}
