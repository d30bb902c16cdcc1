package search

import (
	"testing"

	"hark/media/transcript"
	"hark/storage/sqldb/codec"
	"hark/storage/sqldb/search/query"
)

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"teh", "the", 1},
		{"definately", "definitely", 1},
		{"tommorow", "tomorrow", 2},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3},
		{"naïve", "naive", 1},
	} {
		if got := edits([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("edits(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSaidTimes(t *testing.T) {
	const repeats = " theme:9 the:7 to:3"
	for _, c := range []struct {
		word   string
		prefix bool
		want   int
	}{{"the", false, 7}, {"theme", false, 9}, {"them", true, 9}, {"t", false, 1}, {"to", false, 3}, {"zebra", true, 1}, {"me", true, 1}} {
		if got := saidTimes(repeats, c.word, c.prefix); got != c.want {
			t.Errorf("saidTimes(%q, %v) = %d, want %d", c.word, c.prefix, got, c.want)
		}
	}
}

// BenchmarkSpot finds the last word of a two-hour transcript, the most work
// that a hit can be.
func BenchmarkSpot(b *testing.B) {
	var words []transcript.Word
	for i := range int64(20_000) {
		words = append(words, transcript.Word{Text: "Something,", StartMS: i * 360, EndMS: i*360 + 300})
	}
	words = append(words, transcript.Word{Text: "Last.", StartMS: 7_200_000, EndMS: 7_200_300})
	body, err := codec.Encode(&transcript.Transcript{Segments: []transcript.Segment{transcript.NewSegment(words)}})
	if err != nil {
		b.Fatal(err)
	}
	q := query.Query{Needed: []query.Term{{Words: []string{"last"}}}}
	for b.Loop() {
		if hit, err := Spot(q, body); err != nil || hit.StartMS != 7_200_000 {
			b.Fatal(hit, err)
		}
	}
}

// FuzzSpot looks for words in blobs that may be damaged.
func FuzzSpot(f *testing.F) {
	said := transcript.NewSegment([]transcript.Word{{Text: "none", EndMS: 1}, {Text: "One", StartMS: 2, EndMS: 3}, {Text: "two.", StartMS: 4, EndMS: 9}})
	body, err := codec.Encode(&transcript.Transcript{Segments: []transcript.Segment{said}})
	if err != nil {
		f.Fatal(err)
	}
	for n := range len(body) + 1 {
		f.Add(body[:n])
	}
	q := query.Query{Needed: []query.Term{{Words: []string{"one", "two"}}}}
	if hit, err := Spot(q, body); err != nil || hit.StartMS != 2 || hit.EndMS != 9 {
		f.Fatalf("%+v, %v", hit, err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		hit, err := Spot(q, body)
		if err == nil && len(hit.Snippet.Marks) > 0 && len(hit.Snippet.Text) == 0 {
			t.Errorf("marks in nothing: %+v", hit)
		}
	})
}
