package moonshine

import (
	"slices"
	"testing"
)

func TestBeforeLoop(t *testing.T) {
	sentence := []int{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	for name, test := range map[string]struct {
		tokens []int
		keep   int
	}{
		"nothing":                 {nil, 0},
		"no repetition":           {sentence, 10},
		"eight sevens":            {slices.Repeat([]int{7}, 8), 8},
		"nine sevens":             {slices.Repeat([]int{7}, 9), 1},
		"no, no, no, no, no":      {slices.Repeat([]int{3, 4}, 5), 10},
		"no, six times":           {slices.Repeat([]int{3, 4}, 6), 2},
		"a sentence said twice":   {slices.Repeat(sentence, 2), 20},
		"a sentence three times":  {slices.Repeat(sentence, 3), 10},
		"a refrain with a change": {[]int{1, 2, 3, 4, 9, 1, 2, 3, 4, 8, 1, 2, 3, 4, 7, 1, 2, 3, 4, 6}, 20},
		"after speech":            {append(slices.Clone(sentence), slices.Repeat([]int{1, 2, 3, 4}, 4)...), 14},
		"a loop that has ended":   {append(slices.Repeat([]int{7}, 20), 8), 21},
	} {
		if got := beforeLoop(test.tokens); got != test.keep {
			t.Errorf("%s: keeps %d tokens, want %d", name, got, test.keep)
		}
	}
}
