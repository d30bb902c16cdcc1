package terminal

import (
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain 海 é":                "plain 海 é",
		"\x1b]0;title\x07":         "]0;title",
		"\u009b31mred":             "31mred",
		"a\tb\nc\u2028d":           "a b c d",
		"abc\u202efdp.exe":         "abcfdp.exe",
		"\u2066x\u2069":            "x",
		"bad \xff\x9b utf8":        "bad \ufffd\ufffd utf8",
		"\u200ffamily \u200d mark": "\u200ffamily \u200d mark",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var lines Table
	lines.Add("1", "海風", "end")
	lines.Add("22", "e\u0301tude", "end")
	lines.Add("333", "a\tb", "e\nnd")
	var b strings.Builder
	if err := lines.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := "1    海風   end\n22   e\u0301tude  end\n333  a b    e nd\n"
	if b.String() != want {
		t.Errorf("printed\n%s want\n%s", b.String(), want)
	}
}

func TestBarFits(t *testing.T) {
	for _, wide := range []int{10, 20, 30, 40, 80, 200} {
		b := &bar{label: "海風海風海風海風 a long name.wav", total: 100, done: 50, columns: wide}
		if line := b.line(); columns(line) >= wide || !strings.Contains(line, " 50 %") {
			t.Errorf("in %d columns: %q", wide, line)
		}
	}
}
