package wer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hark/media/transcript"
)

func TestReadCases(t *testing.T) {
	dir := t.TempDir()
	lines := `{"file":"a.wav","kind":"time","text":"ask not","errors":1,"duration_ms":[10,20],"near":[{"word":"ask","ms":9}],"note":"jumps by 5 s: 'ask not' is near 8.3 s"}
{"file":"b.wav","kind":"sniffing"}`
	if err := os.WriteFile(filepath.Join(dir, CasesName), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	cases, err := ReadCases(dir)
	if err != nil || len(cases) != 2 {
		t.Fatalf("cases = %+v, %v", cases, err)
	}
	if a := cases[0]; a.File != filepath.Join(dir, "a.wav") || *a.Text != "ask not" || *a.DurationMS != [2]int64{10, 20} ||
		!slices.Equal(a.Near, []NearWord{{"ask", 9}, {"ask not", 8300}}) {
		t.Errorf("first case = %+v", a)
	}
	if b := cases[1]; b.Text != nil || b.DurationMS != nil || b.Near != nil {
		t.Errorf("second case = %+v", b)
	}
}

// say makes a segment whose words begin a second apart from startMS.
func say(channel int, startMS int64, text string) transcript.Segment {
	var words []transcript.Word
	for _, w := range strings.Fields(text) {
		words = append(words, transcript.Word{Text: w, StartMS: startMS, EndMS: startMS + 400})
		startMS += 1000
	}
	s := transcript.NewSegment(words)
	s.Channel = channel
	return s
}

func TestJudge(t *testing.T) {
	text := func(s string) *string { return &s }
	heard := func(segments ...transcript.Segment) transcript.Transcript {
		return transcript.Transcript{Segments: segments}
	}
	gap := heard(say(0, 0, "ask not"))
	gap.Gaps = []transcript.Gap{{StartMS: 3000, EndMS: 5000, Reason: transcript.NotDecoded}}
	for name, c := range map[string]struct {
		c     Case
		heard transcript.Transcript
		wrong string // part of the only complaint; empty for none
	}{
		"right":                       {Case{Text: text("ask not"), DurationMS: &[2]int64{900, 1000}}, heard(say(0, 0, "Ask not.")), ""},
		"any words":                   {Case{}, heard(say(0, 0, "what ever")), ""},
		"no words":                    {Case{}, heard(), "no words"},
		"as many errors as may be":    {Case{Text: text("ask not"), Errors: 1}, heard(say(0, 0, "Ask.")), ""},
		"too many errors":             {Case{Text: text("ask not what"), Errors: 1}, heard(say(0, 0, "Ask.")), "2 of 3 words wrong"},
		"too long":                    {Case{DurationMS: &[2]int64{800, 900}}, heard(say(0, 0, "Ask.")), "lasts 1000 ms"},
		"too short":                   {Case{DurationMS: &[2]int64{1100, 1200}}, heard(say(0, 0, "Ask.")), "lasts 1000 ms"},
		"in time":                     {Case{Near: []NearWord{{"ask not", 3300}}}, heard(say(0, 0, "ask what you ask not")), ""},
		"out of time":                 {Case{Near: []NearWord{{"ask not", 300}}}, heard(say(0, 0, "ask what you ask not")), `"ask not" is at 3000 ms`},
		"nowhere":                     {Case{Near: []NearWord{{"ask not", 300}}}, heard(say(0, 0, "ask")), "nowhere"},
		"two people":                  {Case{Text: text("ask not | and mister john")}, heard(say(1, 0, "Ask"), say(2, 500, "And Mr. John."), say(1, 2000, "not.")), ""},
		"two people, turned round":    {Case{Text: text("ask not | and mister john")}, heard(say(2, 0, "Ask not."), say(1, 500, "And Mr. John.")), ""},
		"two people heard as one":     {Case{Text: text("ask not | and mister john")}, heard(say(0, 0, "Ask not and mister John.")), "no two channels"},
		"two people, one of them ill": {Case{Text: text("ask not | and mister john"), Errors: 1}, heard(say(1, 0, "Ask not."), say(2, 500, "And.")), "2 of 5 words wrong"},
		"gap told":                    {Case{Text: text("ask not"), Gaps: [][2]int64{{3100, 5200}}}, gap, ""},
		"gap not told":                {Case{Text: text("ask not"), Gaps: [][2]int64{{3100, 6200}}}, gap, "3100 to 6200 ms"},
		"should be refused":           {Case{Refused: "G.729"}, heard(say(0, 0, "ask")), "should be refused"},
	} {
		got := c.c.Judge(1000, &c.heard)
		switch {
		case c.wrong == "" && len(got) > 0, c.wrong != "" && (len(got) != 1 || !strings.Contains(got[0], c.wrong)):
			t.Errorf("%s: %q, want %q", name, got, c.wrong)
		}
	}
}
