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
		in    string
		want  string // as String renders it
		begin string // what the completed word begins with; empty if none is
	}{
		{"harbour lights", "harbour lights", "lights"},
		{"Harbour LIGHTS", "harbour lights", "lights"},
		{"the harbour", "harbour", "harbour"},
		{"the", "the", "the"},
		{"to be or not to be", "to be or not to be", "be"},
		{`"to be or not"`, `"to be or not"`, ""},
		{`"to be or no`, "to-be-or-no", "no"}, // half open
		{`"to be" harb`, `"to be" harb`, "harb"},
		{`say "to be"`, `say "to be"`, ""},
		{`“curly quotes”`, `"curly quotes"`, ""},
		{`"harbour"`, `"harbour"`, ""},
		{`lights "harbour"`, `lights "harbour"`, ""},
		{`""`, "", ""},
		{`"`, "", ""},
		{"harb*", "harb*", ""},
		{"h*", "h", ""},
		{"*", "", ""},
		{"ha", "ha", "ha"},
		{"ha  ", "ha", "ha"}, // a space behind it changes nothing
		{"ha *", "ha", "ha"}, // nor does what is no word
		{"ha 🎉", "ha", "ha"},
		{"h", "h", ""},
		{"the ha", "ha", "ha"},
		{"ha the", `"ha"`, ""}, // "the" stands last, and is not looked for
		{"harbour -lights", "harbour -lights", ""},
		{"-lights harbour", "-lights harbour", "harbour"},
		{`harbour -"city lights"`, `harbour -"city lights"`, ""},
		{"harbour -li*", "harbour -li*", ""},
		{"-lights", "", ""},
		{"--lights x", "x -lights", ""},
		{"- lights", "lights", "lights"},
		{"a-b", `"a b"`, ""},
		{"well-know", "well-know", "know"},
		{"well-know*", "well-know*", ""},
		{"c++ rust", "c rust", "rust"},
		{"AND OR NOT NEAR", "near", "near"},
		{"NEAR(a b)", `"near a" b`, ""},
		{"col:word ^x {y}", `"col word" x y`, ""},
		{"don't dont", "dont dont", "dont"},
		{`new"s`, "new s", ""},
		{"x' OR 1=1; --", `x "1 1"`, ""},
		{"\x00 a\x00b \xff", `"a b"`, ""},
		{"\u200fשלום עולם", "שלום עולם", "עולם"},
	} {
		q, err := Parse(c.in)
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
		begin := ""
		if last := q.Needed[len(q.Needed)-1]; q.Completed && last.Prefix {
			begin = last.Words[len(last.Words)-1]
		}
		if got := q.String(); got != c.want || begin != c.begin {
			t.Errorf("Parse(%q) is %q and completes %q, want %q and %q", c.in, got, begin, c.want, c.begin)
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
		if _, err := Parse(in); ok != (err == nil) || !ok && !errors.Is(err, storage.ErrInvalidQuery) {
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
		{"harbour", []Span{{1, 2}, {5, 6}}},
		{`"harbour"`, []Span{{1, 2}}},
		{"harb*", []Span{{1, 2}, {5, 6}}},
		{`harbour "harbour lights"`, []Span{{1, 3}}},
		{`harbour-li*`, []Span{{1, 3}}},
		{`"the harbour"`, []Span{{0, 2}}},
		{`"the harbours and"`, nil},
	} {
		q, err := Parse(c.query)
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
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
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
		again, err := Parse(q.String())
		if len(q.String()) <= MaxRunes && err != nil {
			t.Fatalf("%q does not parse again: %v", q.String(), err)
		}
		if err == nil && (again.String() != q.String() || again.Completed != q.Completed) {
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
