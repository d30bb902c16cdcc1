package local

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/wer"
)

// prompts is speech that Debian's asterisk-core-sounds-en-g722 installs
// (CC BY-SA), with its words.
var prompts = map[string]string{
	"conf-usermenu-162": "Please press 1 to mute or unmute yourself, 4 or 6 to decrease or increase the conference volume, " +
		"5 to extend the conference, 7 or 9 to decrease or increase your volume, or 8 to exit this menu and return to the conference.",
	"demo-echotest": "You are about to enter an echo test. In this mode everything you say will be repeated back to you just as soon " +
		"as it is received. The purpose of this test is to give you an audible sense of the latency between you and the machine that " +
		"is running the echo test application. You may end the test by hanging up or by pressing the pound key.",
	"vm-goodbye": "Goodbye.",
}

// shared is the engine with the default model.
var shared = speechtest.Engine[*Engine]{Open: func(models string) (*Engine, error) { return Open(Config{Models: models}) }}

func engine(t testing.TB) *Engine {
	t.Helper()
	return shared.Get(t)
}

func TestMain(m *testing.M) { shared.Main(m) }

// clip is sound in memory, handed out in odd portions as a decoder would.
type clip struct {
	samples []float32
	at      int
}

func (c *clip) ReadSamples(p []float32) (int, error) {
	if c.at == len(c.samples) {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+c.at%700)], c.samples[c.at:])
	c.at += n
	return n, nil
}

func transcribed(t *testing.T, samples []float32, opts transcribe.Options) *transcript.Transcript {
	t.Helper()
	got, err := engine(t).Transcribe(t.Context(), &clip{samples: samples}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func scaled(samples []float32, gain float32) []float32 {
	out := make([]float32, len(samples))
	for i, s := range samples {
		out[i] = s * gain
	}
	return out
}

func TestTranscribeSpeech(t *testing.T) {
	for name, words := range prompts {
		sound := speechtest.Prompt(t, name)
		for gainName, gain := range map[string]float32{"as recorded": 1, "faint": 0.03} {
			t.Run(name+" "+gainName, func(t *testing.T) {
				got := transcribed(t, scaled(sound, gain), transcribe.Options{})
				if rate := wer.Score(words, got.Text()).Rate(); rate > 0.1 {
					t.Errorf("word error rate %.2f: %s", rate, got.Text())
				}
				if got.Language != "en" || got.Engine != Name || got.Model == "" {
					t.Errorf("made by %q %q in %q", got.Engine, got.Model, got.Language)
				}
				check(t, got, int64(len(sound))*1000/sampleRate)
			})
		}
	}
}

// check looks at what the types of a transcript promise.
func check(t *testing.T, got *transcript.Transcript, lengthMS int64) {
	t.Helper()
	last := int64(0)
	for _, s := range got.Segments {
		if s.StartMS < last || len(s.Words) == 0 || s.Text != text(s.Words) || len(s.Text) > 2*mostLetters {
			t.Errorf("segment %+v after %d", s, last)
		}
		for _, w := range s.Words {
			if w.StartMS < s.StartMS || w.EndMS < w.StartMS || w.EndMS > s.EndMS || strings.ContainsAny(w.Text, " \n") || w.Text == "" {
				t.Errorf("word %+v in a segment from %d to %d", w, s.StartMS, s.EndMS)
			}
		}
		last = s.EndMS
	}
	if last > lengthMS+100 {
		t.Errorf("it ends at %d, after the clip at %d", last, lengthMS)
	}
}

func TestTranscribePlacesWords(t *testing.T) {
	sound := speechtest.Prompt(t, "vm-goodbye")
	const silence = 20 * sampleRate
	clip := append(make([]float32, silence), sound...)
	clip = append(clip, make([]float32, silence)...)
	var progress []int64
	got := transcribed(t, clip, transcribe.Options{Progress: func(ms int64) { progress = append(progress, ms) }})
	words := got.Words()
	if len(words) != 1 || words[0].StartMS < 19_900 || words[0].EndMS > 20_000+int64(len(sound))*1000/sampleRate+100 {
		t.Errorf("words %+v, want one in the middle", words)
	}
	if len(progress) < 8 {
		t.Errorf("progress came %d times in a clip with long silences", len(progress))
	}
	for i := 1; i < len(progress); i++ {
		if progress[i] < progress[i-1] {
			t.Errorf("progress went back from %d to %d", progress[i-1], progress[i])
		}
	}
}

func TestTranscribeHearsNothingInNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	noise := func(float64) float64 { return 2*random.Float64() - 1 }
	brown := 0.0
	for name, sound := range map[string]func(seconds float64) float64{
		"silence":           func(float64) float64 { return 0 },
		"white":             noise,
		"brown":             func(float64) float64 { brown = 0.998*brown + 0.06*noise(0); return brown },
		"hum":               func(s float64) float64 { return 0.7*math.Sin(2*math.Pi*50*s) + 0.2*math.Sin(2*math.Pi*150*s) },
		"chords":            chord,
		"speechtest.Melody": speechtest.Melody,
		"clicks":            func(s float64) float64 { return noise(0) * math.Exp(-60*math.Mod(s, 0.37)) },
		"dialling": func(s float64) float64 {
			if math.Mod(s, 0.4) > 0.2 {
				return 0
			}
			return 0.4*math.Sin(2*math.Pi*770*s) + 0.4*math.Sin(2*math.Pi*1336*s)
		},
	} {
		for _, gain := range []float32{0.9, 0.02} {
			samples := make([]float32, 15*sampleRate)
			for i := range samples {
				samples[i] = gain * float32(sound(float64(i)/sampleRate))
			}
			if got := transcribed(t, samples, transcribe.Options{}); len(got.Segments) != 0 {
				t.Errorf("%s at %v: %q", name, gain, got.Text())
			}
		}
	}
	if got := transcribed(t, nil, transcribe.Options{}); len(got.Segments) != 0 {
		t.Errorf("an empty clip: %q", got.Text())
	}
}

func chord(s float64) float64 {
	roots := []float64{261.6, 220, 174.6, 196}
	root := roots[int(s/2)%len(roots)]
	sum := 0.0
	for _, interval := range []float64{1, 1.25, 1.5} {
		for h := 1.0; h <= 4; h++ {
			sum += math.Sin(2*math.Pi*root*interval*h*s) / h
		}
	}
	return 0.15 * sum * math.Exp(-math.Mod(s, 2))
}

// endless is a bulk clip that never ends: speech again and again, until told.
type endless struct {
	speech []float32
	at     int
	halt   <-chan struct{}
}

func (e *endless) ReadSamples(p []float32) (int, error) {
	select {
	case <-e.halt:
		return 0, io.EOF
	default:
	}
	n := copy(p, e.speech[e.at:])
	e.at = (e.at + n) % len(e.speech)
	return n, nil
}

func TestShortClipPassesLongOne(t *testing.T) {
	e := engine(t)
	speech := append(speechtest.Prompt(t, "conf-usermenu-162"), make([]float32, sampleRate)...)
	halt := make(chan struct{})
	started := make(chan struct{})
	var once sync.Once
	long := make(chan error, 1)
	go func() {
		_, err := e.Transcribe(t.Context(), &endless{speech: speech, halt: halt}, transcribe.Options{
			Priority: transcribe.Bulk,
			Progress: func(int64) { once.Do(func() { close(started) }) },
		})
		long <- err
	}()
	<-started
	if got := transcribed(t, speechtest.Prompt(t, "vm-goodbye"), transcribe.Options{}); len(got.Words()) != 1 {
		t.Errorf("beside a long clip: %q", got.Text())
	}
	select {
	case err := <-long:
		t.Errorf("the long clip ended first: %v", err)
	default:
	}
	close(halt)
	if err := <-long; err != nil {
		t.Error(err)
	}
}

func TestTranscribeEndsWithItsContext(t *testing.T) {
	e := engine(t)
	speech := speechtest.Prompt(t, "conf-usermenu-162")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the message was deleted")
	_, err := e.Transcribe(ctx, &endless{speech: speech}, transcribe.Options{Progress: func(int64) { cancel(gone) }})
	if !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
	e.pool.mu.Lock()
	waiting := len(e.pool.waiting)
	e.pool.mu.Unlock()
	if waiting != 0 {
		t.Errorf("%d pieces of it still wait", waiting)
	}
	broken := errors.New("cannot decode")
	if _, err := e.Transcribe(t.Context(), failing{broken}, transcribe.Options{}); !errors.Is(err, broken) {
		t.Errorf("a clip that fails: %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadSamples([]float32) (int, error) { return 0, f.err }

func TestClose(t *testing.T) {
	engine(t)
	e, err := Open(Config{Models: os.Getenv("HARK_MODELS"), Recognisers: 1})
	if err != nil {
		t.Fatal(err)
	}
	speech := speechtest.Prompt(t, "conf-usermenu-162")
	var closing sync.WaitGroup
	var once sync.Once
	_, err = e.Transcribe(t.Context(), &endless{speech: speech}, transcribe.Options{Progress: func(int64) {
		once.Do(func() {
			closing.Go(func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}})
	if !errors.Is(err, transcribe.ErrClosed) {
		t.Errorf("a call when the engine closes: %v", err)
	}
	closing.Wait()
	if _, err := e.Transcribe(t.Context(), &clip{}, transcribe.Options{}); !errors.Is(err, transcribe.ErrClosed) {
		t.Errorf("a call after Close: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
