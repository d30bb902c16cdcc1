package moonshine

import "testing"

func TestModernSpelling(t *testing.T) {
	for old, want := range map[string]string{
		"to-morrow": "tomorrow", "To-day,": "Today,", "\"To-night's": "\"Tonight's",
		"to-do": "to-do", "auto-day": "auto-day", "day-to-day": "day-to-day", "to-": "to-", "": "",
	} {
		vocab := vocabulary{[]byte(" "), []byte(old)}
		words := vocab.words([]int{0, 1})
		if want == "" && len(words) == 0 {
			continue
		}
		if len(words) != 1 || words[0].text != want {
			t.Errorf("%q: got %+v, want %q", old, words, want)
		}
	}
}
