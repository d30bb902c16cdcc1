package transcript

import (
	"cmp"
	"slices"
)

// AddGaps adds gaps to those of the transcript, in any order. Where gaps of
// one reason touch or overlap they become one; where those of two reasons do,
// sound that was not decoded could not be understood either, and counts as not
// decoded. Gaps without length are left out.
func (t *Transcript) AddGaps(gaps ...Gap) {
	all := append(slices.Clone(t.Gaps), gaps...)
	damaged := united(all, NotDecoded)
	t.Gaps = damaged
	for _, g := range united(all, NotUnderstood) {
		for _, d := range damaged {
			if d.EndMS <= g.StartMS || d.StartMS >= g.EndMS {
				continue
			}
			if before := (Gap{g.StartMS, d.StartMS, NotUnderstood}); before.EndMS > before.StartMS {
				t.Gaps = append(t.Gaps, before)
			}
			g.StartMS = d.EndMS
		}
		if g.EndMS > g.StartMS {
			t.Gaps = append(t.Gaps, g)
		}
	}
	slices.SortFunc(t.Gaps, byStart)
}

// united are the gaps for one reason, in order and apart from each other.
func united(gaps []Gap, reason GapReason) []Gap {
	var apart []Gap
	for _, g := range slices.SortedFunc(slices.Values(gaps), byStart) {
		g.StartMS = max(g.StartMS, 0)
		switch last := len(apart) - 1; {
		case g.Reason != reason || g.EndMS <= g.StartMS:
		case last >= 0 && g.StartMS <= apart[last].EndMS:
			apart[last].EndMS = max(apart[last].EndMS, g.EndMS)
		default:
			apart = append(apart, g)
		}
	}
	return apart
}

func byStart(a, b Gap) int { return cmp.Compare(a.StartMS, b.StartMS) }
