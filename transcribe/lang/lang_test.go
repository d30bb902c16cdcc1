package lang

import "testing"

func TestTag(t *testing.T) {
	for name, want := range map[string]string{"english": "en", "English": "en", "en": "en", "de-AT": "de", "haitian creole": "ht", "klingon": "", "": "", "cantonese": "yue"} {
		if got := Tag(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestPrimary(t *testing.T) {
	for tag, want := range map[string]string{"en-GB": "en", "EN_us": "en", " de ": "de", "yue": "yue", "": ""} {
		if got := Primary(tag); got != want {
			t.Errorf("%q: got %q, want %q", tag, got, want)
		}
	}
}

// TestOf looks at German words that are spelt like English ones: the rules of
// one language say nothing about another.
func TestOf(t *testing.T) {
	for _, tag := range []string{"en", "en-GB"} {
		if r := Of(tag); !r.Continues("Was") || r.Lower("Was") != "was" || !r.Invented("thank you") {
			t.Errorf("%s: the rules of English are not known", tag)
		}
	}
	for _, tag := range []string{"de", ""} {
		if r := Of(tag); r.Continues("Was") || r.Lower("Was") != "Was" || r.Invented("so") {
			t.Errorf("%q goes by the rules of English", tag)
		}
	}
}

func TestEnds(t *testing.T) {
	for word, want := range map[string]struct{ ends, abbreviated bool }{
		"home.": {true, false}, "home": {}, "home,": {}, "home?”": {true, false}, "好。": {true, false},
		"Mr.": {true, true}, "J.": {true, true}, "I.": {true, false}, "p.m.": {true, true},
	} {
		if ends, abbreviated := EndsSentence(word), Abbreviated(word); ends != want.ends || abbreviated != want.abbreviated {
			t.Errorf("%q: ends %v, abbreviated %v", word, ends, abbreviated)
		}
	}
}
