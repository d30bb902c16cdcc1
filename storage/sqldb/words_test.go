package sqldb

import (
	"reflect"
	"testing"

	"hark/storage/sqldb/query"
	"hark/transcribe"
)

func TestPackSegmentsRefuses(t *testing.T) {
	for name, s := range map[string]transcribe.Segment{
		"no words":   {Text: "x"},
		"two words":  {Words: []transcribe.Word{{Text: "two words"}}},
		"empty word": {Words: []transcribe.Word{{}}},
	} {
		if _, err := packSegments([]transcribe.Segment{s}); err == nil {
			t.Errorf("%s: packed", name)
		}
	}
	empty, err := packSegments(nil)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := unpackSegments(empty); err != nil || back != nil {
		t.Errorf("silence is %v, %v", back, err)
	}
}

func FuzzUnpackSegments(f *testing.F) {
	for _, segments := range [][]transcribe.Segment{
		nil,
		{transcribe.NewSegment([]transcribe.Word{{Text: "one", StartMS: 1, EndMS: 2}, {Text: "twö", StartMS: 5, EndMS: 900, Confidence: 0.5}})},
	} {
		body, err := packSegments(segments)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	q := query.Query{Needed: []query.Term{{Words: []string{"one", "two"}}}}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = spotHit(q, body) // must not panic on a damaged blob
		segments, err := unpackSegments(body)
		if err != nil {
			return
		}
		again, err := packSegments(segments)
		if err != nil {
			return // damaged in a way that packing refuses
		}
		back, err := unpackSegments(again)
		if err != nil || !reflect.DeepEqual(back, segments) {
			t.Fatalf("%+v, %v\ncame back of\n%+v", back, err, segments)
		}
	})
}

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

// BenchmarkSpotHit finds the last word of a two-hour transcript, the most work
// that a hit can be.
func BenchmarkSpotHit(b *testing.B) {
	var words []transcribe.Word
	for i := range int64(20_000) {
		words = append(words, transcribe.Word{Text: "Something,", StartMS: i * 360, EndMS: i*360 + 300})
	}
	words = append(words, transcribe.Word{Text: "Last.", StartMS: 7_200_000, EndMS: 7_200_300})
	body, err := packSegments([]transcribe.Segment{transcribe.NewSegment(words)})
	if err != nil {
		b.Fatal(err)
	}
	q := query.Query{Needed: []query.Term{{Words: []string{"last"}}}}
	for b.Loop() {
		if hit, err := spotHit(q, body); err != nil || hit.StartMS != 7_200_000 {
			b.Fatal(hit, err)
		}
	}
}
