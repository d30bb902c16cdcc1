package wer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hark/media/transcript"
)

func TestNormalise(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"Ask not, my fellow Americans!", "ask not my fellow americans"},
		{"rather cold-hearted — and…selfish", "rather cold hearted and selfish"},
		{"Don’t; 'tis the 'dogs' o'er there", "don't tis the dogs o'er there"},
		{"Mr. Dashwood and Mrs. Smith", "mister dashwood and missus smith"},
		{"Press 1 or 10, then 21.", "press one or ten then twenty one"},
		{"In 1961, 2024, 2005 and 1905", "in nineteen sixty one twenty twenty four two thousand five and nineteen oh five"},
		{"1,234 and 28.8", "one thousand two hundred thirty four and twenty eight point eight"},
		{"1st 2nd 20th 1960s", "first second twentieth nineteen sixties"},
		{"$5 and 50%", "five dollars and fifty percent"},
		{"at 3:30 or 4:05", "at three thirty or four oh five"},
		{"0207", "zero two zero seven"},
		{"B2B www.example.org", "b two b wwwexampleorg"},
		{"1-2-3-4", "one two three four"},
	} {
		if got := strings.Join(Normalise(c.text), " "); got != c.want {
			t.Errorf("Normalise(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestScore(t *testing.T) {
	for _, c := range []struct {
		ref, hyp string
		want     Counts
	}{
		{"", "", Counts{}},
		{"", "thank you", Counts{Insertions: 2}},
		{"one two three", "", Counts{Words: 3, Deletions: 3}},
		{"ask not what you", "Ask what you, pray", Counts{Words: 4, Deletions: 1, Insertions: 1}},
		{"the best of times", "the worst of times", Counts{Words: 4, Substitutions: 1}},
		{"dial extension eight five zero zero", "Dial extension 8500.", Counts{Words: 6}},
		{"dial extension eighty five hundred", "Dial extension 8500.", Counts{Words: 5}},
		{"dial 8500", "dial eighty five hundred", Counts{Words: 4}},
		{"nineteen sixty one", "1961", Counts{Words: 3}},
	} {
		if got := Score(c.ref, c.hyp); got != c.want {
			t.Errorf("Score(%q, %q) = %+v, want %+v", c.ref, c.hyp, got, c.want)
		}
	}
	if got := (Counts{Words: 8, Substitutions: 1, Insertions: 1}).Rate(); got != 0.25 {
		t.Errorf("rate = %v, want 0.25", got)
	}
	if got := (Counts{Insertions: 2}).Rate(); got != 2 {
		t.Errorf("rate of invented words = %v, want 2", got)
	}
}

func TestAlignIsAWayFromOneToTheOther(t *testing.T) {
	ref, hyp := strings.Fields("a b c d e f"), strings.Fields("x a c d y z f g")
	var rebuilt []string
	edits := 0
	for _, s := range Align(ref, hyp) {
		switch s.Edit {
		case Equal:
			rebuilt = append(rebuilt, ref[s.Ref])
		case Substitute, Insert:
			rebuilt = append(rebuilt, hyp[s.Hyp])
		}
		if s.Edit != Equal {
			edits++
		}
	}
	if !slices.Equal(rebuilt, hyp) || edits != 5 {
		t.Errorf("rebuilt %v in %d edits, want %v in 5", rebuilt, edits, hyp)
	}
}

func TestCompareTimes(t *testing.T) {
	ref := []TimedWord{{"cold", 100, 200}, {"hearted", 200, 400}, {"and", 420, 500}, {"selfish", 500, 900}}
	hyp := []transcript.Word{
		{Text: "Cold-hearted", StartMS: 90, EndMS: 430},
		{Text: "and", StartMS: 430, EndMS: 480},
		{Text: "shellfish.", StartMS: 480, EndMS: 900},
	}
	got := CompareTimes(ref, hyp)
	if !slices.Equal(got.Starts, []int64{10, 10}) || !slices.Equal(got.Ends, []int64{30, 20}) {
		t.Errorf("errors = %+v", got)
	}
	if m := Quantile([]int64{5, 1, 3}, 0.5); m != 3 {
		t.Errorf("median = %d, want 3", m)
	}
	if m := Quantile(nil, 0.9); m != 0 {
		t.Errorf("quantile of nothing = %d, want 0", m)
	}
}

func TestReadManifest(t *testing.T) {
	dir := t.TempDir()
	write := func(lines string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"file":"a.wav","text":"hello","words":[{"word":"hello","start_ms":1,"end_ms":2}]}` + "\n\n" + `{"file":"b.mp3","text":""}`)
	clips, err := ReadManifest(dir)
	if err != nil || len(clips) != 2 || clips[0].File != filepath.Join(dir, "a.wav") || clips[0].Words[0].EndMS != 2 {
		t.Fatalf("clips = %+v, %v", clips, err)
	}
	for _, bad := range []string{`{"file":"../a.wav"}`, `{"file":""}`, `{`} {
		write(bad)
		if _, err := ReadManifest(dir); err == nil {
			t.Errorf("manifest %q was taken", bad)
		}
	}
}
