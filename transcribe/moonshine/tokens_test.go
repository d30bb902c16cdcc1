package moonshine

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestParseVocabulary(t *testing.T) {
	got, err := parseVocabulary([]byte("PHVuaz4= 0\nIHRoZQ== 2\r\n\n4g== 1\nPDxTVF8wPj4= 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (vocabulary{nil, []byte("\xe2"), []byte(" the"), nil}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for file, want := range map[string]string{
		"YQ==\n":                "line 1: want a token",
		"YQ== x\n":              "line 1: token number",
		"YQ== -1\n":             "line 1: token number",
		"YQ== 0\nY! 1\n":        "line 2: token 1 is not base64",
		"YQ== 0\nYg== 0\n":      "line 2: token 0 is out of order or a duplicate",
		"YQ== 0\nYg== 900000\n": "line 2: token 900000 is out of order",
		"YQ== 1\n":              "token 0 is missing",
	} {
		if _, err := parseVocabulary([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", file, err, want)
		}
	}
}

func TestRealVocabulary(t *testing.T) {
	file, err := os.ReadFile(config(t, "moonshine-base-en").Tokens)
	if err != nil {
		t.Fatal(err)
	}
	vocab, err := parseVocabulary(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(vocab) != 32768 || vocab[tokenStart] != nil || vocab[tokenEnd] != nil || string(vocab[260]) != " t" || string(vocab[13]) != "\n" {
		t.Errorf("%d tokens, of which 260 is %q and 13 is %q", len(vocab), vocab[260], vocab[13])
	}
}

func FuzzParseVocabulary(f *testing.F) {
	f.Add([]byte("PHVuaz4= 0\nIHRoZQ== 1\n"))
	f.Add([]byte("YQ== 1\nYg== 0"))
	f.Fuzz(func(t *testing.T, file []byte) {
		vocab, err := parseVocabulary(file)
		if err != nil {
			return
		}
		if len(vocab) > len(file) {
			t.Errorf("%d tokens of %d bytes", len(vocab), len(file))
		}
		all := make([]int, len(vocab))
		for i := range all {
			all[i] = i
		}
		for _, w := range vocab.words(all) {
			if w.text == "" || strings.ContainsAny(w.text, " \n\x00") || w.first > w.last || w.end <= w.first || w.end > w.last+1 {
				t.Errorf("word %+v", w)
			}
		}
	})
}

func TestWords(t *testing.T) {
	for _, test := range []struct{ tokens, want string }{
		{" the| qu|ick| fox|.", "the:0-0/1 quick:1-2/3 fox.:3-4/4"},
		{"And| so", "And:0-0/1 so:1-1/2"},
		{" Mr|.| John", "Mr.:0-1/1 John:2-2/3"},
		{" |half", "half:1-1/2"},
		{" a b| c", "a:0-0/1 b:0-0/1 c:1-1/2"},
		{" caf|\xc3|\xa9| \xe2\x82|\xac", "café:0-2/3 €:3-4/5"},
		{" \xff|ok|\xc3", "ok:0-2/3"},
		{" \x00\x07| \xe2\x80\x8b", ""},
		{" ...| well", "...:0-0/1 well:1-1/2"},
		{" “|Yes|,|”| he", "“Yes,”:0-3/2 he:4-4/5"},
		{"", ""},
	} {
		var vocab vocabulary
		var tokens []int
		for i, text := range strings.Split(test.tokens, "|") {
			vocab = append(vocab, []byte(text))
			tokens = append(tokens, i)
		}
		var got []string
		for _, w := range vocab.words(tokens) {
			got = append(got, fmt.Sprintf("%s:%d-%d/%d", w.text, w.first, w.last, w.end))
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%q: got %s, want %s", test.tokens, got, test.want)
		}
	}
}
