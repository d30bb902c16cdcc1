package storage

import (
	"errors"
	"strings"
	"testing"
)

func TestCleanName(t *testing.T) {
	for given, want := range map[string]string{
		"  Ada  Lovelace ":           "Ada Lovelace",
		"Ada\nLovelace":              "Ada Lovelace",
		"Ada\u0000\u0007":            "Ada",
		"\u202eadA\u202c":            "adA",
		"\u2067Ada\u2069":            "Ada",
		"A\u200bd\u2060a\u00ad":      "Ada",
		"Zoe\u0308":                  "Zoë",
		"王小明":                        "王小明",
		"🦊":                          "🦊",
		"👩‍👩‍👧 Family":               "👩‍👩‍👧 Family",
		"❤️":                         "❤️",
		"نرگس\u200cها":               "نرگس\u200cها", // the joiner belongs to how it is spelt
		"O'Brien-Šimić, Jr.":         "O'Brien-Šimić, Jr.",
		strings.Repeat("é", MaxName): strings.Repeat("é", MaxName),
		"Z\u0351\u0352\u0353\u0354\u0355\u0356\u0357algo": "Z\u0353\u0354\u0351\u0352algo",
		"not \xff UTF-8": "not UTF-8",
	} {
		got, err := CleanName(given)
		if err != nil || got != want {
			t.Errorf("%q is kept as %q, %v; want %q", given, got, err, want)
		}
		if again, err := CleanName(got); err != nil || again != got {
			t.Errorf("%q is not kept as it is: %q, %v", got, again, err)
		}
	}
	for _, given := range []string{"", "  ", "\t\n", "\u200b", "\u202e\u202c", "\u3164", "\u2800\u2800", "\u0301", "\u200d", strings.Repeat("x", MaxName+1)} {
		if got, err := CleanName(given); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is kept as %q, %v", given, got, err)
		}
	}
}
