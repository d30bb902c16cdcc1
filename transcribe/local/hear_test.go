package local

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/local/vad"
)

func TestConditionerKeepsTheVoiceAlone(t *testing.T) {
	for _, c := range []struct{ hertz, least, most float64 }{
		{0, 0, 1e-3}, {20, 0, 0.01}, {50, 0, 0.06}, {110, 0.65, 0.75}, {200, 0.95, 1.02}, {1000, 0.99, 1.01}, {7000, 0.99, 1.01},
	} {
		samples := make([]float32, 2*sampleRate)
		for i := range samples {
			samples[i] = float32(math.Cos(2 * math.Pi * c.hertz * float64(i) / sampleRate))
		}
		voice := newConditioner()
		voice.condition(samples[:777])
		voice.condition(samples[777:])
		if peak := float64(vad.Peak(samples[sampleRate:])); peak < c.least || peak > c.most {
			t.Errorf("%v Hz: %.4f is left", c.hertz, peak)
		}
		if c.hertz == 0 && vad.Peak(samples) > 1e-3 {
			t.Errorf("a clip on an offset begins with a step of %v", vad.Peak(samples))
		}
	}
}

func surely(seconds float64, prob float32) piece {
	windows := int(seconds * sampleRate / vad.WindowSamples)
	p := piece{at: sampleRate, prob: stretch(windows, prob), samples: make([]float32, windows*vad.WindowSamples), speech: []span{{0, windows}}}
	for i := range p.samples { // a voice that comes and goes
		p.samples[i] = float32(0.4 * math.Sin(float64(i)) * (1.1 + math.Sin(float64(i)/1500)) / 2.1)
	}
	return p
}

func answered(text string, fromMS, toMS int64) heard {
	return heard{language: "en", logProb: -0.1, words: transcript.Spread(text, fromMS, toMS)}
}

func TestAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		piece piece
		heard heard
		want  bool
	}{
		"nothing of sure speech":          {surely(5, 0.9), heard{}, false},
		"nothing of what may be music":    {surely(5, 0.4), heard{}, true},
		"a figure for seven seconds":      {surely(7, 0.95), answered("2.", 0, 7000), false},
		"the first half":                  {surely(8, 0.95), answered("to mute or unmute yourself when you are muted", 0, 4000), false},
		"all of it":                       {surely(4, 0.95), answered("to mute or unmute yourself when you are muted", 0, 4000), true},
		"a long number":                   {surely(5, 0.95), answered("18002222222", 0, 5000), true},
		"slow speech":                     {surely(4, 0.95), answered("four four four four four", 0, 4000), true},
		"more than anybody says":          {surely(1, 0.95), answered(strings.Repeat("no ", 20), 0, 1000), false},
		"it lost its way":                 {surely(4, 0.95), heard{lost: true, words: transcript.Spread("a b c d e f", 0, 4000)}, false},
		"words are early by some windows": {surely(2, 0.95), answered("hello hello hello", 0, 1900), true},
	} {
		if got := c.piece.accounts(c.heard); got != c.want {
			t.Errorf("%s: %v, %.2f s are missing", name, got, c.piece.missing(c.heard))
		}
	}
}

func TestSteadySoundIsNoSpeech(t *testing.T) {
	p := surely(5, 0.9)
	if p.sureness() < sureSpeech {
		t.Error("a voice is not sure")
	}
	for i := range p.samples {
		p.samples[i] = float32(0.2 * math.Sin(2*math.Pi*150*float64(i)/sampleRate))
	}
	if p.sureness() != 0 || gapsOf(p, heard{}, false) != nil {
		t.Error("a hum is taken for speech")
	}
}

func TestGapsOf(t *testing.T) {
	whole := surely(8, 0.95)
	for name, c := range map[string]struct {
		heard heard
		taken bool
		want  []transcript.Gap
	}{
		"all heard":    {answered("one two three four five six seven eight", 0, 8000), true, nil},
		"nothing":      {heard{}, false, []transcript.Gap{{StartMS: 1000, EndMS: 9000, Reason: transcript.NotUnderstood}}},
		"not believed": {answered("one two three four five six seven eight", 0, 8000), false, []transcript.Gap{{StartMS: 1000, EndMS: 9000, Reason: transcript.NotUnderstood}}},
		"half":         {answered("one two three four", 0, 4000), true, []transcript.Gap{{StartMS: 4900, EndMS: 9000, Reason: transcript.NotUnderstood}}},
	} {
		got := gapsOf(whole, c.heard, c.taken)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", name, got)
			continue
		}
		for i, g := range got {
			if w := c.want[i]; math.Abs(float64(g.StartMS-w.StartMS)) > 300 || math.Abs(float64(g.EndMS-w.EndMS)) > 300 || g.Reason != w.Reason {
				t.Errorf("%s: %v, want about %v", name, g, w)
			}
		}
	}
	if got := gapsOf(surely(8, 0.5), heard{}, false); got != nil {
		t.Errorf("what may be music: %v", got)
	}
}

// scripted answers one question after the other.
type scripted struct {
	answers []heard
	asked   []hints
	lengths []int
}

func (r *scripted) recognise(_ context.Context, samples []float32, _ string, with hints) (heard, error) {
	r.asked, r.lengths = append(r.asked, with), append(r.lengths, len(samples))
	if len(r.answers) == 0 {
		return heard{}, nil
	}
	h := r.answers[0]
	r.answers = r.answers[1:]
	return h, nil
}

func (r *scripted) close() error { return nil }

func TestHearInsists(t *testing.T) {
	r := &scripted{answers: []heard{
		{tokens: []int{7, 8}, words: transcript.Spread("2.", 0, 5000), logProb: -0.1},
		{},
		{words: transcript.Spread("to mute yourself or to unmute", 200, 5200), logProb: -0.2, insisted: true},
	}}
	a := &asking{engine: &Engine{recogniser: r}}
	h, err := a.hear(t.Context(), surely(5, 0.95))
	if err != nil || len(h.words) != 6 || h.words[0].StartMS != 0 {
		t.Fatalf("%+v, %v", h, err)
	}
	if r.asked[2].insist != 1 || r.asked[3].insist != 3 || r.lengths[2] != r.lengths[0]+2*padSamples {
		t.Errorf("asked %+v of %v", r.asked, r.lengths)
	}
	if len(h.tokens) != 2 {
		t.Errorf("the draft for the next attempt is %v, want what the plain sound gave", h.tokens)
	}
}

func TestVote(t *testing.T) {
	word := func(text string, logProb float64) heard {
		return heard{words: transcript.Spread(text, 0, 300), logProb: logProb}
	}
	for name, c := range map[string]struct {
		answers []heard
		want    string
		asked   int
	}{
		"two agree at once":        {[]heard{word("Yesterday.", -0.1), word("Yesterday", -0.2)}, "Yesterday.", 2},
		"a loop is no answer":      {[]heard{word("Yesterday.", -0.5), word("Yesterday Yesterday Yesterday Yesterday Y.", -0.1), {}, word("yesterday", -0.3)}, "yesterday", 9},
		"the surest":               {[]heard{word("Eve", -1), {}, word("Is is is", -0.3), word("you", -0.6)}, "Is", 9},
		"said again it is another": {[]heard{word("Eve", -0.2), {}, word("Is it is", -0.1)}, "Eve", 9},
	} {
		r := &scripted{answers: c.answers}
		a := &asking{engine: &Engine{recogniser: r}}
		h, err := a.hear(t.Context(), surely(0.4, 0.9))
		if err != nil || textOf(h.words) != c.want || len(r.asked) != c.asked {
			t.Errorf("%s: %q of %d answers, %v; want %q of %d", name, textOf(h.words), len(r.asked), err, c.want, c.asked)
		}
	}
}

// TestHearHasPatience hears an hour that nobody understands.
func TestHearHasPatience(t *testing.T) {
	r := &scripted{}
	a := &asking{engine: &Engine{recogniser: r}}
	p := surely(10, 0.95)
	const pieces = 360
	for range pieces {
		if h, err := a.hear(t.Context(), p); err != nil || len(h.words) > 0 {
			t.Fatal(h, err)
		}
	}
	sum := 0
	for _, n := range r.lengths {
		sum += n
	}
	if most := (mostAsked+1)*pieces*len(p.samples) + 2*leastAsked; sum > most || len(r.asked) < pieces {
		t.Errorf("the recogniser was given %d s of sound for an hour", sum/sampleRate)
	}
}

// TestOtherLanguage hears Spanish with a model of English.
func TestOtherLanguage(t *testing.T) {
	const text = "Buenos días. Mañana por la mañana tenemos que llevar los papeles al ayuntamiento antes de las nueve."
	wav := filepath.Join(t.TempDir(), "spanish.wav")
	if out, err := exec.CommandContext(t.Context(), "espeak-ng", "-v", "es", "-w", wav, text).CombinedOutput(); err != nil {
		speechtest.Missing(t, fmt.Sprintf("espeak-ng: %v: %s", err, out))
	}
	if got := transcribed(t, speechtest.Decode(t, "-i", wav), transcribe.Options{}); !got.LanguageDoubt {
		t.Errorf("no doubt of %q", got.Text())
	}
	if got := transcribed(t, speechtest.Prompt(t, "demo-echotest"), transcribe.Options{}); got.LanguageDoubt || got.Gaps != nil {
		t.Errorf("doubt of English, or gaps in it: %v", got.Gaps)
	}
}
