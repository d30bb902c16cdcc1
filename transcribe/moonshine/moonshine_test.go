package moonshine

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/media/transcript"
	"hark/transcribe/internal/onnx"
	"hark/transcribe/internal/speechtest"
)

var sizes = []string{"moonshine-base-en", "moonshine-tiny-en"}

func TestRecogniseHearsSpeech(t *testing.T) {
	for _, size := range sizes {
		t.Run(size, func(t *testing.T) {
			m := load(t, size)
			var wrong, said int
			for name, text := range prompts {
				samples := speechtest.Prompt(t, name)
				result, err := m.Recognise(t.Context(), samples)
				if err != nil {
					t.Fatal(err)
				}
				checkWords(t, result.Words, len(samples))
				if result.Looped || result.Truncated || result.AvgLogProb >= 0 || result.AvgLogProb < -0.5 {
					t.Errorf("%s: looped %t, truncated %t, log probability %.2f", name, result.Looped, result.Truncated, result.AvgLogProb)
				}
				words := strings.Fields(text)
				wrong += wordErrors(texts(result.Words), words)
				said += len(words)
			}
			if rate := float64(wrong) / float64(said); rate > 0.15 {
				t.Errorf("word error rate is %.1f %%", 100*rate)
			}
		})
	}
}

// checkWords checks what is promised of words: order, place and confidence.
func checkWords(t *testing.T, words []transcript.Word, samples int) {
	t.Helper()
	total := int64(samples) * 1000 / sampleRate
	var before int64
	for i, w := range words {
		if w.Text == "" || strings.ContainsAny(w.Text, " \t\n") {
			t.Errorf("word %d is %q", i, w.Text)
		}
		if w.StartMS < before || w.EndMS < w.StartMS || w.EndMS > total {
			t.Errorf("word %d is at %d to %d ms, after %d ms, in %d ms of sound", i, w.StartMS, w.EndMS, before, total)
		}
		if !(w.Confidence > 0) || w.Confidence > 1 {
			t.Errorf("word %d has confidence %v", i, w.Confidence)
		}
		before = w.EndMS
	}
}

func texts(words []transcript.Word) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w.Text
	}
	return out
}

// Where the words of two prompts lie is known when a second of silence lies
// between them, and that they move by as much as the sound does.
func TestWordTimesFollowTheSound(t *testing.T) {
	for _, size := range sizes {
		t.Run(size, func(t *testing.T) {
			m := load(t, size)
			one, two := speechtest.Prompt(t, "vm-newuser"), speechtest.Prompt(t, "demo-enterkeywords")
			alone, err := m.Recognise(t.Context(), two)
			if err != nil {
				t.Fatal(err)
			}
			shift := int64(len(one)/sampleRate+1) * 1000
			joined := slices.Concat(one, make([]float32, int(shift)*sampleRate/1000-len(one)), two)
			both, err := m.Recognise(t.Context(), joined)
			if err != nil {
				t.Fatal(err)
			}
			checkWords(t, both.Words, len(joined))
			if len(both.Words) <= len(alone.Words) {
				t.Fatalf("heard %v alone and %v behind another prompt", texts(alone.Words), texts(both.Words))
			}
			tail := both.Words[len(both.Words)-len(alone.Words):]
			var off []int64
			for i, w := range alone.Words {
				if plain(tail[i].Text) == plain(w.Text) {
					off = append(off, max(tail[i].StartMS-w.StartMS-shift, w.StartMS+shift-tail[i].StartMS))
				}
			}
			slices.Sort(off)
			if len(off) < len(alone.Words)/2 || off[len(off)/2] > 80 {
				t.Errorf("word starts moved with the sound but for %v ms", off)
			}
			if last := both.Words[len(both.Words)-len(alone.Words)-1]; last.EndMS > int64(len(one))*1000/sampleRate {
				t.Errorf("%q, last word of the first prompt, ends at %d ms, in the silence", last.Text, last.EndMS)
			}
		})
	}
}

func TestRecogniseSilenceAndShortSound(t *testing.T) {
	m := load(t, "moonshine-tiny-en")
	speech := speechtest.Prompt(t, "vm-newuser")
	for name, samples := range map[string][]float32{
		"nothing":        nil,
		"one sample":     {0.5},
		"a tenth":        speech[8000:9600],
		"silence":        make([]float32, 3*sampleRate),
		"not numbers":    slices.Repeat([]float32{float32(math.NaN())}, sampleRate),
		"far too loud":   slices.Repeat([]float32{1e30, -1e30}, sampleRate),
		"half a second":  speech[8000:16000],
		"half, one more": speech[8000:16001],
	} {
		result, err := m.Recognise(t.Context(), samples)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkWords(t, result.Words, len(samples))
		if name == "silence" && len(result.Words) > 0 {
			t.Errorf("heard %v in silence", texts(result.Words))
		}
	}
	if _, err := m.Recognise(t.Context(), make([]float32, maxSamples+1)); err == nil {
		t.Error("sound of more than a minute is taken")
	}
}

func TestRecogniseAtOnce(t *testing.T) {
	m := load(t, "moonshine-tiny-en")
	var wg sync.WaitGroup
	for name := range prompts {
		samples := speechtest.Prompt(t, name)
		alone, err := m.Recognise(t.Context(), samples)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			wg.Go(func() {
				got, err := m.Recognise(t.Context(), samples)
				if err != nil || !slices.Equal(got.Words, alone.Words) {
					t.Errorf("%s: heard %v beside others and %v alone (%v)", name, texts(got.Words), texts(alone.Words), err)
				}
			})
		}
	}
	wg.Wait()
}

func TestRecogniseEndsWithItsContext(t *testing.T) {
	m := load(t, "moonshine-tiny-en")
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := m.Recognise(ctx, make([]float32, sampleRate)); !errors.Is(err, gone) {
		t.Errorf("error is %v, want the context's cause", err)
	}
	// Within the encoder, which takes longer than this for so much sound.
	ctx, cancel = context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(gone) })
	if _, err := m.Recognise(ctx, make([]float32, 40*sampleRate)); !errors.Is(err, gone) {
		t.Errorf("error is %v, want the context's cause", err)
	}
}

func TestClose(t *testing.T) {
	m, err := Load(config(t, "moonshine-tiny-en"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		// Whether Close comes before it or after, it must not come amidst.
		if _, err := m.Recognise(t.Context(), make([]float32, sampleRate)); err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	})
	for range 2 {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if _, err := m.Recognise(t.Context(), make([]float32, sampleRate)); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v after Close, want ErrClosed", err)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text, tokens := file("text", "no model"), file("tokens", "PHVuaz4= 0\n")
	for _, test := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no encoder", Config{Encoder: filepath.Join(dir, "none"), Decoder: text, Tokens: tokens}, "encoder is not there (fetch the model"},
		{"no decoder", Config{Encoder: text, Decoder: filepath.Join(dir, "none"), Tokens: tokens}, "decoder is not there (fetch the model"},
		{"no path", Config{Encoder: text, Decoder: text}, "vocabulary is not there (fetch the model"},
		{"no vocabulary", Config{Encoder: text, Decoder: text, Tokens: text}, "read vocabulary " + text + ": line 1"},
		{"no model", Config{Encoder: text, Decoder: text, Tokens: tokens}, "load " + text},
		{"threads", Config{Threads: -1}, "threads is -1"},
	} {
		if _, err := Load(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", test.name, err, test.want)
		}
	}
}

// A process has one ONNX Runtime for good, so a missing one is tried in a
// process of its own.
func TestOpenRuntimeSaysWhatIsMissing(t *testing.T) {
	const asked = "HARK_TEST_MISSING_LIBRARY"
	if os.Getenv(asked) != "" {
		if err := onnx.OpenRuntime("/nowhere/libonnxruntime.so"); err == nil || !strings.Contains(err.Error(), "/nowhere/libonnxruntime.so") {
			t.Errorf("got %v, want an error with the path", err)
		}
		if err := onnx.OpenRuntime(""); err != nil {
			t.Errorf("the right library after a wrong one: %v", err)
		}
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asked+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRecogniseWithDraft hears the prompts as they come in, with a draft and without. The
// decoder computes with bytes, whose rounding a draft changes: a comma may
// come and go, but hardly a word.
func TestRecogniseWithDraft(t *testing.T) {
	m := load(t, "moonshine-base-en")
	words, errors := 0, 0
	for name := range prompts {
		clip := speechtest.Prompt(t, name)
		var draft []int
		for n := 2 * sampleRate; n <= len(clip); n += sampleRate {
			want, err := m.Recognise(t.Context(), clip[:n])
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.RecogniseWith(t.Context(), clip[:n], Hints{Draft: draft})
			if err != nil {
				t.Fatal(err)
			}
			words += len(want.Words)
			errors += wordErrors(texts(got.Words), plains(want.Words))
			checkWords(t, got.Words, n)
			draft = got.Tokens
		}
		again, err := m.RecogniseWith(t.Context(), clip, Hints{Draft: draft})
		if err != nil || len(again.Tokens) == 0 {
			t.Fatal(again, err)
		}
		// A draft of nonsense changes nothing either.
		wrong := slices.Repeat([]int{draft[0], 5000}, 20)
		misled, err := m.RecogniseWith(t.Context(), clip, Hints{Draft: wrong})
		if err != nil || wordErrors(texts(misled.Words), plains(again.Words)) > 1 {
			t.Errorf("misled to %v, %v", texts(misled.Words), err)
		}
	}
	if errors*33 > words {
		t.Errorf("%d of %d words differ with a draft", errors, words)
	}
}

func TestRecogniseInsists(t *testing.T) {
	m := load(t, "moonshine-base-en")
	for name := range prompts {
		clip := speechtest.Prompt(t, name)
		plain, err := m.Recognise(t.Context(), clip)
		if err != nil {
			t.Fatal(err)
		}
		same, err := m.RecogniseWith(t.Context(), clip, Hints{Insist: len(plain.Tokens)})
		if err != nil || same.Insisted || !slices.Equal(same.Tokens, plain.Tokens) {
			t.Errorf("what is said anyway becomes %v, insisted %v, %v", same.Words, same.Insisted, err)
		}
		more, err := m.RecogniseWith(t.Context(), clip, Hints{Insist: len(plain.Tokens) + 1})
		if err != nil || !more.Insisted || len(more.Tokens) <= len(plain.Tokens) || !slices.Equal(more.Tokens[:len(plain.Tokens)], plain.Tokens) {
			t.Errorf("insisting on one more gives %v, %v", more.Words, err)
		}
		checkWords(t, more.Words, len(clip))
	}
}

// plains are the texts of words without case and punctuation.
func plains(words []transcript.Word) []string {
	out := texts(words)
	for i := range out {
		out[i] = plain(out[i])
	}
	return out
}
