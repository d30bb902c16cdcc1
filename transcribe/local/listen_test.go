package local

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/local/vad"
	"hark/transcribe/models"
	"hark/transcribe/wer"
)

// follower is a listener that is waited for: woken holds a ring of its bell.
type follower struct {
	*listener
	woken chan struct{}
	heard []transcribe.Utterance
}

func follow(t *testing.T, e *Engine, partials bool) *follower {
	t.Helper()
	f := &follower{woken: make(chan struct{}, 1)}
	var err error
	f.listener, err = e.listen(transcribe.LiveOptions{Partials: partials, Wake: func() {
		select {
		case f.woken <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// hears writes sound, a packet at a time, and waits for what is being
// recognised whenever that may change what comes.
func (f *follower) hears(t *testing.T, samples []float32) {
	t.Helper()
	for packet := range slices.Chunk(samples, 320) {
		if err := f.Write(packet); err != nil {
			t.Fatal(err)
		}
		f.heard = append(f.heard, f.Take()...)
		for len(f.pending) > 1 {
			<-f.woken
			f.heard = append(f.heard, f.Take()...)
		}
	}
}

// settles waits until nothing is being recognised.
func (f *follower) settles() {
	for {
		f.heard = append(f.heard, f.Take()...)
		if len(f.pending) == 0 && (f.attempts.newest == nil || f.attempts.newest.isDone()) {
			return
		}
		<-f.woken
	}
}

func (f *follower) finishes(t *testing.T) *transcript.Transcript {
	t.Helper()
	got, err := f.Finish(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.heard = append(f.heard, f.Take()...)
	return got
}

// finals are the words of the last final utterance of every piece.
func (f *follower) finals(t *testing.T) (words []transcript.Word) {
	t.Helper()
	last := map[int]transcribe.Utterance{}
	for _, u := range f.heard {
		if last[u.Number].Final && !u.Final {
			t.Errorf("piece %d is not final any more", u.Number)
		}
		last[u.Number] = u
	}
	for n := range f.number {
		words = append(words, last[n].Words...)
	}
	return words
}

func TestListenerHearsWhatTranscribeHears(t *testing.T) {
	for name := range prompts {
		t.Run(name, func(t *testing.T) {
			sound := append(speechtest.Prompt(t, name), make([]float32, sampleRate/2)...)
			want := transcribed(t, sound, transcribe.Options{})
			f := follow(t, engine(t), true)
			f.hears(t, sound)
			got := f.finishes(t)
			if rate := wer.Score(want.Text(), got.Text()).Rate(); rate > 0.03 {
				t.Errorf("word error rate against the clip's transcript %.3f:\n%s\n%s", rate, got.Text(), want.Text())
			}
			if got.Language != want.Language || got.Engine != want.Engine || got.Model != want.Model {
				t.Errorf("is by %s of %s in %s", got.Model, got.Engine, got.Language)
			}
			told, all := f.finals(t), got.Words()
			if len(told) != len(all) {
				t.Fatalf("%d words were told, %d are in the transcript", len(told), len(all))
			}
			for i := range all[:len(all)-1] {
				if told[i] != all[i] {
					t.Errorf("told %+v, the transcript has %+v", told[i], all[i])
				}
			}
		})
	}
}

// counting is a recogniser of one word for each half second, which counts its
// calls, and waits in them while it is held.
type counting struct {
	calls  atomic.Int32
	drafts atomic.Int32
	fails  error
	held   chan struct{} // nil: never
}

func (r *counting) recognise(ctx context.Context, samples []float32, _ string, with hints) (heard, error) {
	r.calls.Add(1)
	if with.draft != nil {
		r.drafts.Add(1)
	}
	if r.held != nil {
		select {
		case <-r.held:
		case <-ctx.Done():
			return heard{}, context.Cause(ctx)
		}
	}
	h := heard{language: "en", tokens: []int{1, 2}}
	for s := range 2 * len(samples) / sampleRate {
		h.words = append(h.words, transcript.Word{Text: "word", StartMS: int64(s) * 500, EndMS: int64(s)*500 + 400})
	}
	return h, r.fails
}

func (r *counting) close() error { return nil }

// engineOf is an engine with another recogniser, and the real detector.
func engineOf(t *testing.T, r recogniser) *Engine {
	t.Helper()
	e := &Engine{vad: engine(t).vad, recogniser: r, pool: newPool(1), cut: pausesOfSpeech}
	e.life, e.end = context.WithCancelCause(context.Background())
	t.Cleanup(func() { closeOnly(e) })
	return e
}

// closeOnly closes an engine but for its detector, which is another's.
func closeOnly(e *Engine) {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.end(transcribe.ErrClosed)
	e.clips.Wait()
	e.pool.close()
}

var aSecond = make([]float32, sampleRate)

func TestListenerHasFinishedWhenTheSpeakerPauses(t *testing.T) {
	r := &counting{}
	f := follow(t, engineOf(t, r), true)
	f.hears(t, speechtest.Prompt(t, "vm-goodbye"))
	f.hears(t, aSecond[:sampleRate*4/10])
	f.settles()
	before := r.calls.Load()
	if got := f.finishes(t); len(got.Words()) == 0 {
		t.Error("nothing was heard")
	}
	if before == 0 || r.calls.Load() != before {
		t.Errorf("heard %d times before the end, and %d after", before, r.calls.Load()-before)
	}
}

func TestListenerTakesSilenceOfPacketsForSilence(t *testing.T) {
	r := &counting{}
	f := follow(t, engineOf(t, r), false)
	sound := speechtest.Prompt(t, "demo-echotest")[:3*sampleRate]
	f.hears(t, sound)
	f.settles()
	if n := r.calls.Load(); n > 1 {
		t.Errorf("heard %d times without being asked for captions", n)
	}
	before := r.calls.Load()
	f.Pause()
	f.settles()
	paused := r.calls.Load()
	f.finishes(t)
	if paused != before+1 || r.calls.Load() != paused {
		t.Errorf("heard %d times in the pause and %d at the end, want 1 and 0", paused-before, r.calls.Load()-paused)
	}
}

func TestListenerWithARecogniserThatFails(t *testing.T) {
	broken := errors.New("broken")
	f := follow(t, engineOf(t, &counting{fails: broken}), true)
	f.hears(t, append(speechtest.Prompt(t, "vm-goodbye"), aSecond...))
	got, err := f.Finish(nil)
	if !errors.Is(err, broken) || got == nil || len(got.Segments) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestListenerFallsBehind(t *testing.T) {
	r := &counting{held: make(chan struct{})}
	f := follow(t, engineOf(t, r), true)
	word := append(speechtest.Prompt(t, "vm-goodbye"), append(aSecond, aSecond...)...)
	for range 2 * mostWaiting {
		if err := f.Write(word); err != nil {
			t.Fatal(err)
		}
		f.heard = append(f.heard, f.Take()...)
	}
	if !f.Behind() || len(f.pending) > mostWaiting {
		t.Errorf("behind is %v with %d pieces waiting", f.Behind(), len(f.pending))
	}
	close(r.held)
	if got := f.finishes(t); len(got.Words()) == 0 {
		t.Error("nothing is left")
	}
}

func TestListenerOfAClosedEngine(t *testing.T) {
	r := &counting{held: make(chan struct{})}
	e := engineOf(t, r)
	f := follow(t, e, true)
	if err := f.Write(append(speechtest.Prompt(t, "demo-echotest"), aSecond...)); err != nil {
		t.Fatal(err)
	}
	var closing sync.WaitGroup
	closing.Go(func() { closeOnly(e) })
	if got, err := f.Finish(nil); got == nil || err == nil {
		t.Errorf("%v, %v", got, err)
	}
	closing.Wait()
	if err := f.Write(aSecond); !errors.Is(err, transcribe.ErrClosed) {
		t.Errorf("writing gives %v", err)
	}
	if _, err := e.Listen(transcribe.LiveOptions{}); !errors.Is(err, transcribe.ErrClosed) {
		t.Errorf("listening gives %v", err)
	}
	f.Pause()
	f.Close()
}

func TestListenerGivesUp(t *testing.T) {
	r := &counting{held: make(chan struct{})}
	f := follow(t, engineOf(t, r), true)
	if err := f.Write(append(speechtest.Prompt(t, "vm-goodbye"), aSecond...)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	close(stop)
	if got, err := f.Finish(stop); got != nil || err == nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestListenerAmongOthers(t *testing.T) {
	sound := append(speechtest.Prompt(t, "demo-echotest"), aSecond...)
	texts := make([]string, 3)
	var all sync.WaitGroup
	for i := range texts {
		f := follow(t, engine(t), true)
		all.Go(func() {
			f.hears(t, sound)
			texts[i] = f.finishes(t).Text()
		})
	}
	all.Wait()
	for _, text := range texts {
		if rate := wer.Score(prompts["demo-echotest"], text).Rate(); rate > 0.1 {
			t.Errorf("word error rate %.2f: %s", rate, text)
		}
	}
	if n := engine(t).speaking.Load(); n != 0 {
		t.Errorf("%d are said to speak", n)
	}
}

func TestCaptions(t *testing.T) {
	piece := func(at int64, pause int) piece {
		p := piece{at: at * sampleRate, pause: pause, prob: stretch(60, 0.9), samples: make([]float32, 60*vad.WindowSamples), speech: []span{{0, 60}}}
		p.samples[0] = 0.5
		return p
	}
	c := captions{collector: newCollector(models.Model{}, transcribe.Options{Language: "en"}), shown: -1}
	say := func(number, pause int, settled bool, text string) *hearing {
		return &hearing{piece: piece(int64(10*number), pause), number: number, settled: settled, heard: heard{words: spoken(text, 0), logProb: -0.1}}
	}
	c.partial(say(0, 5, false, "We had."))
	c.partial(say(0, 5, false, "We had."))
	c.partial(say(0, 5, true, "We had everything."))
	c.final(say(0, 5, true, "We had everything."))
	c.partial(say(1, 6, false, "Before us"))
	c.partial(say(1, 6, false, "And before us."))
	c.final(say(1, 6, true, "And before us."))
	c.partial(say(2, 60, false, "Tut"))
	c.final(say(2, 60, true, ""))
	var got []string
	for _, u := range c.take() {
		kind := " ..."
		if u.Final {
			kind = " !"
		}
		got = append(got, textOf(u.Words)+kind)
	}
	want := "We had ...|We had everything. ...|We had everything. !|Before us ...|and before us ...|We had everything !|and before us. !|Tut ...| !"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if len(c.take()) > 0 {
		t.Error("the same is told twice")
	}
}
