package intake

import (
	"net/url"
	"testing"
	"time"
)

// TestParseTime reads times as they come out of addresses in which the plus
// sign was escaped, or not.
func TestParseTime(t *testing.T) {
	for value, want := range map[string]string{
		"2026-03-01T09:31:15Z":          "2026-03-01T09:31:15Z",
		"2026-03-01T09:31:15%2B02:00":   "2026-03-01T07:31:15Z",
		"2026-03-01T09:31:15+02:00":     "2026-03-01T07:31:15Z",
		"2026-03-01T09:31:15.250+02:00": "2026-03-01T07:31:15.25Z",
		"2026-03-01T09:31:15-02:00":     "2026-03-01T11:31:15Z",
		"2026-03-01+09:31:15+02:00":     "2026-03-01T07:31:15Z",
		"2026-03-01%2009:31:15%2B02:00": "2026-03-01T07:31:15Z",
		"2026-03-01t09:31:15z":          "2026-03-01T09:31:15Z",
		"2026-03-01T09:31:15+0200":      "2026-03-01T07:31:15Z",
		"2026-03-01T09:31:15-0200":      "2026-03-01T11:31:15Z",
		"2026-03-01T09:31:15+2":         "",
		"2026-03-01T09:31:15":           "",
		"2026-03-01T09:31+02:00":        "",
		"2026-03-01+02:00":              "",
		"2026-03-01T09:31:15++02:00":    "",
		"+02:00":                        "",
		"noon":                          "",
		"":                              "",
	} {
		query, err := url.ParseQuery("at=" + value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseTime(query.Get("at"))
		switch {
		case want == "" && err == nil:
			t.Errorf("%s is read as %v", value, got)
		case want != "" && (err != nil || got.UTC().Format(time.RFC3339Nano) != want):
			t.Errorf("%s is read as %v, %v; want %s", value, got, err, want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2026-03-01T09:31:15 02:00", "2026-03-01 09:31:15Z", "z", "          \xff 00:00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		at, err := ParseTime(value)
		if err != nil {
			return
		}
		if again, err := ParseTime(at.Format(time.RFC3339Nano)); err == nil && !again.Equal(at) {
			t.Errorf("%q is read as %v, and that as %v", value, at, again)
		}
	})
}
