package transcript

import (
	"slices"
	"testing"
)

func TestAddGaps(t *testing.T) {
	u := func(from, to int64) Gap { return Gap{from, to, NotUnderstood} }
	d := func(from, to int64) Gap { return Gap{from, to, NotDecoded} }
	for name, c := range map[string]struct{ have, add, want []Gap }{
		"none":                    {nil, nil, nil},
		"empty and turned round":  {nil, []Gap{u(5, 5), d(9, 3), u(-4, 0)}, nil},
		"before the beginning":    {nil, []Gap{u(-4, 2)}, []Gap{u(0, 2)}},
		"in order":                {[]Gap{u(5, 6)}, []Gap{d(8, 9), u(1, 2)}, []Gap{u(1, 2), u(5, 6), d(8, 9)}},
		"one reason, overlapping": {[]Gap{u(1, 5)}, []Gap{u(4, 8), u(8, 9)}, []Gap{u(1, 9)}},
		"damage inside":           {[]Gap{u(1, 9)}, []Gap{d(4, 6)}, []Gap{u(1, 4), d(4, 6), u(6, 9)}},
		"damage around":           {[]Gap{u(4, 6)}, []Gap{d(1, 9)}, []Gap{d(1, 9)}},
		"damage first":            {[]Gap{u(4, 9)}, []Gap{d(1, 6)}, []Gap{d(1, 6), u(6, 9)}},
		"at one time":             {[]Gap{u(1, 9)}, []Gap{d(1, 3)}, []Gap{d(1, 3), u(3, 9)}},
		"damage twice":            {[]Gap{u(1, 20)}, []Gap{d(4, 6), d(5, 9), d(12, 13)}, []Gap{u(1, 4), d(4, 9), u(9, 12), d(12, 13), u(13, 20)}},
	} {
		got := Transcript{Gaps: c.have}
		got.AddGaps(c.add...)
		if !slices.Equal(got.Gaps, c.want) {
			t.Errorf("%s: %v, want %v", name, got.Gaps, c.want)
		}
	}
}
