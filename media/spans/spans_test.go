package spans

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// moments is a set as the slow and obvious model has it: whether each ms is in it.
type moments [200]bool

func (m moments) length() (n int64) {
	for _, in := range m {
		if in {
			n++
		}
	}
	return n
}

func random(r *rand.Rand) (Set, moments) {
	var given []Span
	var m moments
	for range r.IntN(8) {
		one := Span{r.Int64N(220) - 20, r.Int64N(220) - 20}
		one.ToMS = min(one.ToMS, int64(len(m)))
		given = append(given, one)
		for at := max(0, one.FromMS); at < one.ToMS; at++ {
			m[at] = true
		}
	}
	return Of(given...), m
}

func check(t *testing.T, name string, got Set, want moments) {
	t.Helper()
	var m moments
	for i, one := range got.Spans() {
		if one.Length() <= 0 || i > 0 && one.FromMS <= got.spans[i-1].ToMS {
			t.Fatalf("%s: %v is not in order, or touches", name, got.spans)
		}
		for at := one.FromMS; at < one.ToMS; at++ {
			m[at] = true
		}
	}
	if m != want || got.Length() != want.length() || got.Empty() != (want.length() == 0) {
		t.Fatalf("%s: %v, want %v", name, got.spans, want)
	}
	for at := range want {
		if got.Has(int64(at)) != want[at] {
			t.Fatalf("%s: %v has %d: %v", name, got.spans, at, got.Has(int64(at)))
		}
	}
}

func TestSetsAreAsTheirMomentsAre(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		one, oneModel := random(r)
		two, twoModel := random(r)
		var union, both, minus moments
		for i := range oneModel {
			union[i] = oneModel[i] || twoModel[i]
			both[i] = oneModel[i] && twoModel[i]
			minus[i] = oneModel[i] && !twoModel[i]
		}
		check(t, "one", one, oneModel)
		check(t, "union", one.Union(two), union)
		check(t, "both", one.Intersect(two), both)
		check(t, "minus", one.Minus(two), minus)
		check(t, "one is as it was", one, oneModel)

		b, _ := one.AppendBinary(nil)
		var back Set
		if err := back.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		check(t, "read back", back, oneModel)
	}
}

func TestCoarseFillsTheNarrowestGaps(t *testing.T) {
	s := Of(Span{0, 10}, Span{12, 20}, Span{50, 60}, Span{61, 70}, Span{110, 111})
	for most, want := range map[int][]Span{
		9: {{0, 10}, {12, 20}, {50, 60}, {61, 70}, {110, 111}},
		4: {{0, 10}, {12, 20}, {50, 70}, {110, 111}},
		3: {{0, 20}, {50, 70}, {110, 111}},
		2: {{0, 70}, {110, 111}},
		1: {{0, 111}},
	} {
		if got := s.Coarse(most).Spans(); !slices.Equal(got, want) {
			t.Errorf("to %d: %v, want %v", most, got, want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		s, _ := random(r)
		most := 1 + r.IntN(4)
		c := s.Coarse(most)
		if len(c.spans) > most || !s.Minus(c).Empty() {
			t.Fatalf("%v to %d: %v", s.spans, most, c.spans)
		}
	}
}

// FuzzRead: what is read is a set, and is written as it was.
func FuzzRead(f *testing.F) {
	for _, s := range []Set{{}, Of(Span{0, 1}), Of(Span{3, 5000}, Span{6000, 90_000_000})} {
		b, _ := s.AppendBinary(nil)
		f.Add(b)
	}
	f.Add(binary.AppendUvarint(binary.AppendUvarint(nil, 1<<63), 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Set
		if s.UnmarshalBinary(b) != nil {
			return
		}
		if again := Of(s.Spans()...); !slices.Equal(again.spans, s.spans) {
			t.Fatalf("%v is not in order", s.spans)
		}
		written, _ := s.AppendBinary(nil)
		var back Set
		if err := back.UnmarshalBinary(written); err != nil || !slices.Equal(back.spans, s.spans) {
			t.Fatalf("%v comes back as %v, %v", s.spans, back.spans, err)
		}
	})
}
