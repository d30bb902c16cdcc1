package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	sherpa "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/lang"
	"hark/transcribe/local/vad"
	"hark/transcribe/models"
)

func TestTokenWords(t *testing.T) {
	for _, c := range []struct {
		name   string
		result sherpa.OfflineRecognizerResult
		want   string
	}{
		{"parakeet", sherpa.OfflineRecognizerResult{
			Tokens: []string{" As", "k", " not", "."}, Timestamps: []float32{0.1, 0.3, 0.5, 0.9}, Durations: []float32{0.2, 0.1, 0.3, 0},
		}, "Ask 100-400 not. 500-900 "},
		{"pieces", sherpa.OfflineRecognizerResult{
			Tokens: []string{"<|en|>", "▁Ask", "▁", "not"}, Timestamps: []float32{0, 0.1, 0.3, 0.4},
		}, "Ask 100-300 not 400-1000 "},
		{"without spaces", sherpa.OfflineRecognizerResult{
			Tokens: []string{"你", "好"}, Timestamps: []float32{0.2, 5},
		}, "你 200-1000 好 1000-1000 "},
		{"without times", sherpa.OfflineRecognizerResult{Text: " Ask not. "}, "Ask 0-444 not. 444-1000 "},
		{"nothing", sherpa.OfflineRecognizerResult{}, ""},
	} {
		var got string
		for _, w := range tokenWords(&c.result, 1000) {
			got += fmt.Sprintf("%s %d-%d ", w.Text, w.StartMS, w.EndMS)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		model string
		cause error
	}{
		{"no-such", models.ErrUnknown},
		{"", models.ErrMissing},
		{"whisper-turbo", models.ErrMissing},
	} {
		_, err := Open(Config{Models: dir, Model: c.model})
		if !errors.Is(err, c.cause) || !errors.Is(err, transcribe.ErrPermanent) {
			t.Errorf("model %q: %v", c.model, err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "sense-voice"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Models: dir, Model: "sense-voice"}); !errors.Is(err, models.ErrDamaged) {
		t.Errorf("half a model: %v", err)
	}
}

// TestSherpaConfig checks that each kind of model gets the files it needs;
// the models themselves are too large to test with.
func TestSherpaConfig(t *testing.T) {
	for _, m := range models.Catalogue() {
		config, err := sherpaConfig(models.Installed{Model: m, Dir: "folder"}, 3)
		switch c := config.ModelConfig; m.Kind {
		case models.Whisper:
			if c.Whisper.Encoder == "" || c.Whisper.Decoder == "" || c.Tokens == "" || c.NumThreads != 3 {
				t.Errorf("%s: %+v", m.ID, c)
			}
		case models.Transducer:
			if c.Transducer.Encoder == "" || c.Transducer.Joiner == "" || c.Tokens == "" {
				t.Errorf("%s: %+v", m.ID, c)
			}
		case models.SenseVoice:
			if c.SenseVoice.Model == "" || c.Tokens == "" {
				t.Errorf("%s: %+v", m.ID, c)
			}
		default:
			if err == nil {
				t.Errorf("%s was taken for a model of sherpa-onnx", m.ID)
			}
		}
	}
}

// lostRecogniser loses its way in everything longer than leastToCut, and else
// hears one word in the middle.
type lostRecogniser struct{ longest int }

func (r *lostRecogniser) recognise(_ context.Context, samples []float32, _ string, _ hints) (heard, error) {
	r.longest = max(r.longest, len(samples))
	ms := int64(len(samples)) * 1000 / sampleRate
	return heard{
		words: []transcript.Word{{Text: "word", StartMS: ms / 2, EndMS: ms/2 + 10}},
		lost:  len(samples) > leastToCut,
	}, nil
}

func (r *lostRecogniser) close() error { return nil }

func TestHearTriesSmallerPieces(t *testing.T) {
	windows := 8 * sampleRate / vad.WindowSamples
	p := piece{prob: stretch(windows, 0.9), samples: make([]float32, windows*vad.WindowSamples), speech: []span{{0, windows}}}
	a := &asking{engine: &Engine{recogniser: &lostRecogniser{}}}
	h, err := a.hear(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.words) != 8 || h.lost {
		t.Fatalf("%d words, lost %v, want a word of each eighth", len(h.words), h.lost)
	}
	for i, w := range h.words {
		if want := int64(500 + 1000*i); w.StartMS < want-300 || w.StartMS > want+300 {
			t.Errorf("word %d stands at %d ms, want about %d", i, w.StartMS, want)
		}
	}
}

func TestBelieved(t *testing.T) {
	loud := func(prob float32) piece {
		p := piece{prob: stretch(20, prob), samples: make([]float32, 20*vad.WindowSamples), speech: []span{{2, 18}}}
		p.samples[100] = 0.3
		return p
	}
	silent := loud(0.9)
	silent.samples[100] = 1e-4
	for _, c := range []struct {
		name    string
		piece   piece
		text    string
		logProb float64
		want    bool
	}{
		{"clear", loud(0.9), "Yes.", -0.4, true},
		{"a letter on a bad line", loud(0.55), "Are,", -0.7, true},
		{"an odd name", loud(0.9), "Consol,", -1.15, true},
		{"no confidence to be had", loud(0.9), "Goodbye.", 0, true},
		{"nothing", loud(0.9), "", 0, false},
		{"next to no sound", silent, "Thank you.", -0.1, false},
		{"babble", loud(0.9), "the the of", -2, false},
		{"unsure of both", loud(0.5), "the of", -1, false},
		{"invented", loud(0.5), "Thank you.", -0.6, false},
		{"invented, without confidence", loud(0.5), "you", 0, false},
		{"thanks, clearly", loud(0.8), "Thank you.", -0.5, true},
	} {
		if got := believed(lang.Of("en"), c.piece, heard{words: spoken(c.text, 0), logProb: c.logProb}); got != c.want {
			t.Errorf("%s: believed %v", c.name, got)
		}
	}
}

func TestRaise(t *testing.T) {
	p := piece{samples: make([]float32, 4*vad.WindowSamples), speech: []span{{1, 3}}}
	p.samples[0], p.samples[vad.WindowSamples] = 0.4, 0.05
	if louder := p.raise(); louder[vad.WindowSamples] != 0.5 || louder[0] != 1 || p.samples[vad.WindowSamples] != 0.05 {
		t.Errorf("raised to %v and %v, from %v", louder[vad.WindowSamples], louder[0], p.samples[vad.WindowSamples])
	}
}
