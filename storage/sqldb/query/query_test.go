package query

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"hark/storage"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"hello", "hello"},
		{"Hello, World!", "hello world"},
		{"don't", "dont"},
		{"don’t", "dont"},
		{"John's", "john"},
		{"cats'", "cats"},
		{"'tis", "tis"},
		{"o'clock", "oclock"},
		{"l'eau", "l eau"},
		{"Qu’est-ce", "qu est ce"},
		{"well-known", "well known"},
		{"c++", "c"},
		{"3.5%", "3 5"},
		{"naïve café Ångström", "naive cafe angstrom"},
		{"cafe\u0301", "cafe"},
		{"Straße Øre Łódź", "strasse ore lodz"},
		{"İstanbul ISIĞ", "istanbul isig"},
		{"ﬁne", "fine"},
		{"½", "1 2"},
		{"Привет, МИР", "привет мир"},
		{"ΟΔΥΣΣΕΥΣ", "οδυσσευσ"},
		{"हिन्दी में", "हिन्दी में"},
		{"日本語 です", "日本語 です"},
		{"👍🏽 yes 🎉", "yes"},
		{"", ""},
		{"—…'\"", ""},
		{"s's", "s s"},
		{strings.Repeat("é", 100), strings.Repeat("e", 64)},
		{strings.Repeat("日", 30), strings.Repeat("日", 21)},
	} {
		if got := strings.Join(Tokens(c.in), " "); got != c.want {
			t.Errorf("Tokens(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in       string
		complete bool
		want     string // as String renders it
	}{
		{"harbour lights", false, "harbour lights"},
		{"Harbour LIGHTS", false, "harbour lights"},
		{"the harbour", false, "harbour"},
		{"the", false, "the"},
		{"to be or not to be", false, "to be or not to be"},
		{`"to be or not"`, false, `"to be or not"`},
		{`"to be or not`, false, `"to be or not"`},
		{`"to be or no`, true, `to-be-or-no*`},
		{`"to be" harb`, true, `"to be" harb*`},
		{`say "to be"`, true, `say "to be"`},
		{`“curly quotes”`, false, `"curly quotes"`},
		{`""`, false, ""},
		{`"`, false, ""},
		{"harb*", false, "harb*"},
		{"h*", false, "h"},
		{"*", false, ""},
		{"ha", true, "ha*"},
		{"h", true, "h"},
		{"harbour ", true, "harbour"},
		{"the ha", true, "ha*"},
		{"ha the", true, "ha the*"},
		{"harbour -lights", false, "harbour -lights"},
		{`harbour -"city lights"`, false, `harbour -"city lights"`},
		{"harbour -li", true, "harbour -li"},
		{"harbour -li*", false, "harbour -li*"},
		{"-lights", false, ""},
		{"--lights x", false, "x -lights"},
		{"- lights", false, "lights"},
		{"a-b", false, `"a b"`},
		{"well-know*", false, "well-know*"},
		{"c++ rust", false, "c rust"},
		{"AND OR NOT NEAR", false, "near"},
		{"NEAR(a b)", false, `"near a" b`},
		{"col:word ^x {y}", false, `"col word" x y`},
		{"don't dont", false, "dont dont"},
		{`new"s`, false, "new s"},
		{"x' OR 1=1; --", false, `x "1 1"`},
		{"\x00 a\x00b \xff", false, `"a b"`},
	} {
		q, err := Parse(c.in, c.complete)
		if c.want == "" {
			if !errors.Is(err, storage.ErrInvalidQuery) {
				t.Errorf("Parse(%q) = %v, %v, want ErrInvalidQuery", c.in, q, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if got := q.String(); got != c.want {
			t.Errorf("Parse(%q) is %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParseBounds(t *testing.T) {
	for in, ok := range map[string]bool{
		strings.Repeat("é", MaxRunes):             true,
		strings.Repeat("é", MaxRunes+1):           false,
		strings.Repeat("word ", MaxTerms):         true,
		strings.Repeat("word ", MaxTerms+1):       false,
		`"` + strings.Repeat("w ", 200) + `"`:     true,
		"x " + strings.Repeat("-word ", MaxTerms): false,
	} {
		if _, err := Parse(in, false); ok != (err == nil) || !ok && !errors.Is(err, storage.ErrInvalidQuery) {
			t.Errorf("Parse(%.30q…) gave %v, want ok = %v", in, err, ok)
		}
	}
}

func TestMatch(t *testing.T) {
	tokens := Tokens("the harbour lights and the harbours")
	for _, c := range []struct {
		query string
		want  []Span
	}{
		{"harbour", []Span{{1, 2}}},
		{"harb*", []Span{{1, 2}, {5, 6}}},
		{`"harbour lights" harbour`, []Span{{1, 3}}},
		{`harbour-li*`, []Span{{1, 3}}},
		{`"the harbour"`, []Span{{0, 2}}},
		{`"the harbours and"`, nil},
	} {
		q, err := Parse(c.query, false)
		if err != nil {
			t.Fatal(err)
		}
		var got []Span
		for i := range tokens {
			if s, ok := q.Match(tokens, i); ok {
				got = append(got, s)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q matches %v, want %v", c.query, got, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a-b", "c++", `"`, `-"x y`, "well-kno*", "don't", "AND", "NEAR(", "^", "日本", "\xff", "ﷺ*", "½*"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, complete bool) {
		q, err := Parse(text, complete)
		if err != nil {
			if !errors.Is(err, storage.ErrInvalidQuery) {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		if len(q.Needed) == 0 {
			t.Fatal("nothing needed, and no error")
		}
		for _, terms := range [][]Term{q.Needed, q.Unwanted, q.Ignored} {
			for _, term := range terms {
				checkTerm(t, term)
			}
		}
		again, err := Parse(q.String(), false)
		if len(q.String()) <= MaxRunes && err != nil {
			t.Fatalf("%q does not parse again: %v", q.String(), err)
		}
		if err == nil && again.String() != q.String() {
			t.Fatalf("%q parses again as %q", q.String(), again.String())
		}
	})
}

// checkTerm checks what the databases rely on.
func checkTerm(t *testing.T, term Term) {
	t.Helper()
	if len(term.Words) == 0 {
		t.Fatal("a term without words")
	}
	for _, w := range term.Words {
		if w == "" || len(w) > maxToken || strings.ContainsAny(w, " '\"*-:%_\\\x00()&|!<>^{}+,.\t\n") {
			t.Fatalf("token %q would need quoting", w)
		}
		if again := Tokens(w); len(again) != 1 || again[0] != w {
			t.Fatalf("token %q folds again to %q", w, again)
		}
	}
}
