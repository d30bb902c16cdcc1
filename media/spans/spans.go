// Package spans reckons with stretches of a recording's time: what of it was heard,
// and what of it is speech.
package spans

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// Span is a stretch of a recording's time, in ms from its beginning: FromMS is in it,
// ToMS is not.
type Span struct{ FromMS, ToMS int64 }

// Length is how long the span is, in ms.
func (s Span) Length() int64 { return s.ToMS - s.FromMS }

// Set is any stretches of a recording's time. The zero value is none of it. A set is
// never changed, so that it is safe for concurrent use.
type Set struct {
	spans []Span // in order; none is empty, and none touches the next
}

// Of is the set of all that is in one of the spans, which may overlap and stand in any
// order. What lies before the beginning of a recording, and spans that end before they
// begin, are left out.
func Of(spans ...Span) Set {
	kept := make([]Span, 0, len(spans))
	for _, one := range spans {
		if one.FromMS = max(one.FromMS, 0); one.FromMS < one.ToMS {
			kept = append(kept, one)
		}
	}
	slices.SortFunc(kept, func(a, b Span) int { return cmp.Compare(a.FromMS, b.FromMS) })
	joined := kept[:0]
	for _, one := range kept {
		if last := len(joined) - 1; last >= 0 && one.FromMS <= joined[last].ToMS {
			joined[last].ToMS = max(joined[last].ToMS, one.ToMS)
		} else {
			joined = append(joined, one)
		}
	}
	return Set{joined}
}

// Spans are the stretches of the set in order. None touches the next.
func (s Set) Spans() []Span { return slices.Clone(s.spans) }

// Empty says whether nothing is in the set.
func (s Set) Empty() bool { return len(s.spans) == 0 }

// Length is how much is in the set, in ms.
func (s Set) Length() (ms int64) {
	for _, one := range s.spans {
		ms += one.Length()
	}
	return ms
}

// Has says whether a moment is in the set.
func (s Set) Has(ms int64) bool {
	at, begins := slices.BinarySearchFunc(s.spans, ms, func(one Span, ms int64) int { return cmp.Compare(one.FromMS, ms) })
	return begins || at > 0 && ms < s.spans[at-1].ToMS
}

// Union is what is in one of two sets, or in both.
func (s Set) Union(other Set) Set { return Of(slices.Concat(s.spans, other.spans)...) }

// Intersect is what is in both of two sets.
func (s Set) Intersect(other Set) Set {
	var both []Span
	for one, two := s.spans, other.spans; len(one) > 0 && len(two) > 0; {
		common := Span{max(one[0].FromMS, two[0].FromMS), min(one[0].ToMS, two[0].ToMS)}
		if common.FromMS < common.ToMS {
			both = append(both, common)
		}
		if one[0].ToMS < two[0].ToMS {
			one = one[1:]
		} else {
			two = two[1:]
		}
	}
	return Set{both}
}

// Minus is what is in the set and not in another.
func (s Set) Minus(other Set) Set {
	var left []Span
	rest := other.spans
	for _, one := range s.spans {
		for len(rest) > 0 && rest[0].ToMS <= one.FromMS {
			rest = rest[1:]
		}
		from := one.FromMS
		for _, gone := range rest {
			if gone.FromMS >= one.ToMS {
				break
			}
			if from < gone.FromMS {
				left = append(left, Span{from, gone.FromMS})
			}
			from = max(from, gone.ToMS)
		}
		if from < one.ToMS {
			left = append(left, Span{from, one.ToMS})
		}
	}
	return Set{left}
}

// Coarse is the set with its narrowest gaps filled until at most so many stretches are
// left; most is at least 1.
func (s Set) Coarse(most int) Set {
	if len(s.spans) <= most {
		return s
	}
	gaps := make([]int, 0, len(s.spans)-1) // by the stretch behind them
	for i := 1; i < len(s.spans); i++ {
		gaps = append(gaps, i)
	}
	width := func(i int) int64 { return s.spans[i].FromMS - s.spans[i-1].ToMS }
	slices.SortStableFunc(gaps, func(a, b int) int { return cmp.Compare(width(b), width(a)) })
	kept := gaps[:most-1]
	slices.Sort(kept)
	joined := []Span{s.spans[0]}
	for _, next := range append(kept, len(s.spans)) {
		joined[len(joined)-1].ToMS = s.spans[next-1].ToMS
		if next < len(s.spans) {
			joined = append(joined, s.spans[next])
		}
	}
	return Set{joined}
}

// AppendBinary writes the set behind b: of each stretch its distance from the one
// before and its length, as unsigned varints of encoding/binary. It never fails.
func (s Set) AppendBinary(b []byte) ([]byte, error) {
	var end int64
	for _, one := range s.spans {
		b = binary.AppendUvarint(b, uint64(one.FromMS-end))
		b = binary.AppendUvarint(b, uint64(one.Length()))
		end = one.ToMS
	}
	return b, nil
}

var errDamaged = errors.New("spans are damaged")

// UnmarshalBinary reads what AppendBinary wrote; it fails for everything else.
func (s *Set) UnmarshalBinary(b []byte) error {
	var read []Span
	var end uint64
	for len(b) > 0 {
		gap, n := binary.Uvarint(b)
		if n <= 0 || len(read) > 0 && gap == 0 {
			return errDamaged
		}
		length, m := binary.Uvarint(b[n:])
		if m <= 0 || length == 0 || gap > longest || length > longest || end+gap+length > longest {
			return errDamaged
		}
		read = append(read, Span{int64(end + gap), int64(end + gap + length)})
		end += gap + length
		b = b[n+m:]
	}
	s.spans = read
	return nil
}

// longest is later than any recording goes on, in ms.
const longest = 1 << 62
