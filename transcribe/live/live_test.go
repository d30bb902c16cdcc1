package live

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/media"
	"hark/media/opus"
	"hark/media/render"
	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/internal/speechtest"
	"hark/transcribe/wer"
)

const echotest = "You are about to enter an echo test. In this mode everything you say will be repeated back to you just as soon " +
	"as it is received. The purpose of this test is to give you an audible sense of the latency between you and the machine that " +
	"is running the echo test application. You may end the test by hanging up or by pressing the pound key."

// listen begins to listen with what opts say, and ends with the test.
func listen(t *testing.T, e *Engine, opts Options) *Listener {
	t.Helper()
	l, err := e.Listen(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Cancel)
	return l
}

func finish(t *testing.T, l *Listener) *Result {
	t.Helper()
	result, err := l.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestListen(t *testing.T) {
	e := New(Config{Engine: recogniser(t)})
	defer e.Close()
	packets := encoded(t, speechtest.Prompt(t, "demo-echotest"))
	last := map[int]Caption{}
	segments, partials := 0, 0
	l := listen(t, e, Options{Captions: func(c Caption) {
		last[c.Segment] = c
		segments = max(segments, c.Segment+1)
		if !c.Final {
			partials++
		}
	}})
	for _, p := range packets {
		data := append([]byte(nil), p.Data...)
		l.Write(opus.Packet{Position: p.Position, Samples: p.Samples, Data: data})
		clear(data) // it was copied
	}
	got := finish(t, l)
	if got.Poor {
		t.Error("is poor")
	}
	if rate := wer.Score(echotest, got.Transcript.Text()).Rate(); rate > 0.1 {
		t.Errorf("word error rate %.2f: %s", rate, got.Transcript.Text())
	}
	checkMeasures(t, got, packets)
	var told []string
	for n := range segments {
		c := last[n]
		if !c.Final {
			t.Errorf("segment %d is not finished", n)
		}
		if len(c.Words) > 0 && (c.StartMS != c.Words[0].StartMS || c.EndMS != c.Words[len(c.Words)-1].EndMS) {
			t.Errorf("segment %d lasts from %d to %d", n, c.StartMS, c.EndMS)
		}
		told = append(told, c.Text)
	}
	if text := got.Transcript.Text(); strings.TrimSuffix(strings.Join(told, " "), ".") != strings.TrimSuffix(text, ".") {
		t.Errorf("captions say  %s\ntranscript is %s", strings.Join(told, " "), text)
	}
	again, err := l.Finish(t.Context())
	if err != nil || again != got {
		t.Errorf("finishing again gives %v, %v", again, err)
	}
	l.Write(packets[0])
	l.Cancel()
}

// checkMeasures compares measures with those of the packets' sound.
func checkMeasures(t *testing.T, got *Result, packets []opus.Packet) {
	t.Helper()
	want, err := render.Analyse(soundOf(t, packets))
	if err != nil {
		t.Fatal(err)
	}
	if d := got.DurationMS - want.DurationMS; d < -10 || d > 10 {
		t.Errorf("lasts %d ms, want %d", got.DurationMS, want.DurationMS)
	}
	if math.Abs(got.LoudnessLUFS-want.LoudnessLUFS) > 0.01 {
		t.Errorf("is %.2f LUFS loud, want %.2f", got.LoudnessLUFS, want.LoudnessLUFS)
	}
	for i := range want.Peaks {
		if got.Peaks[i] != want.Peaks[i] {
			t.Errorf("peak %d is %.3f, want %.3f", i, got.Peaks[i], want.Peaks[i])
		}
	}
}

func TestListenToSilence(t *testing.T) {
	e := New(Config{Engine: recogniser(t)})
	defer e.Close()
	for name, packets := range map[string][]opus.Packet{"nothing": nil, "silence": encoded(t, make([]float32, 32_000))} {
		l := listen(t, e, Options{Captions: func(c Caption) { t.Errorf("%s: %+v", name, c) }})
		for _, p := range packets {
			l.Write(p)
		}
		got := finish(t, l)
		if got.Transcript == nil || len(got.Transcript.Segments) > 0 || got.Transcript.Engine == "" || got.Poor {
			t.Errorf("%s: %+v", name, got)
		}
		if got.DurationMS != int64(len(packets))*20 || len(got.Peaks) != media.WaveformPeaks {
			t.Errorf("%s: lasts %d ms with %d peaks", name, got.DurationMS, len(got.Peaks))
		}
	}
}

// fake is a transcribe.LiveSession that hears what a test wants.
type fake struct {
	hears  func() error  // what Write does
	ends   error         // of Finish
	held   chan struct{} // Finish waits for it; nil: no
	closed chan struct{}
	pauses chan struct{}
}

func newFake() *fake {
	return &fake{hears: func() error { return nil }, closed: make(chan struct{}), pauses: make(chan struct{}, 100)}
}

func (f *fake) Write([]float32) error        { return f.hears() }
func (f *fake) Pause()                       { f.pauses <- struct{}{} }
func (f *fake) Take() []transcribe.Utterance { return nil }
func (f *fake) Behind() bool                 { return false }
func (f *fake) Close()                       { close(f.closed) }

func (f *fake) Finish(stop <-chan struct{}) (*transcript.Transcript, error) {
	select {
	case <-f.held:
	case <-stop:
		return nil, context.Canceled
	default:
		if f.held != nil {
			<-stop
			return nil, context.Canceled
		}
	}
	return &transcript.Transcript{Engine: "fake"}, f.ends
}

// listenFunc is a [transcribe.LiveEngine].
type listenFunc func() (transcribe.LiveSession, error)

func (f listenFunc) Listen(transcribe.LiveOptions) (transcribe.LiveSession, error) { return f() }

// engineOf is an engine that hears with one session after the other.
func engineOf(sessions ...*fake) *Engine {
	var mu sync.Mutex
	next := listenFunc(func() (transcribe.LiveSession, error) {
		mu.Lock()
		defer mu.Unlock()
		f := sessions[0]
		sessions = sessions[1:]
		return f, nil
	})
	return New(Config{Engine: next, MaxSpeakers: 2, Logger: quiet()})
}

// tone is a packet at a place: 20 ms without content.
func tone(i int) opus.Packet {
	return opus.Packet{Position: int64(i) * 960, Samples: 960, Data: []byte{9 << 3}}
}

func TestWriteNeverWaits(t *testing.T) {
	f, hold := newFake(), make(chan struct{})
	f.hears = func() error { <-hold; return nil }
	e := engineOf(f)
	defer e.Close()
	l := listen(t, e, Options{})
	for i := range 4000 { // 80 s
		l.Write(tone(i))
	}
	l.mu.Lock()
	queued := l.queued
	l.mu.Unlock()
	if queued > mostQueued+opus.Rate {
		t.Errorf("%d s are queued", queued/opus.Rate)
	}
	close(hold)
	if got := finish(t, l); !got.Poor {
		t.Error("what was dropped is not missed")
	}
}

func TestLargePacketsAreBounded(t *testing.T) {
	f, hold := newFake(), make(chan struct{})
	f.hears = func() error { <-hold; return nil }
	e := engineOf(f)
	defer e.Close()
	l := listen(t, e, Options{})
	for i := range 1000 {
		p := tone(i)
		p.Data = make([]byte, 65_535)
		l.Write(p)
	}
	l.mu.Lock()
	bytes := l.bytes
	l.mu.Unlock()
	if bytes > mostBytes+65_535 {
		t.Errorf("%d bytes are queued", bytes)
	}
	close(hold)
}

func TestPoorWhenHearingFails(t *testing.T) {
	broken := errors.New("broken")
	deaf, failed := newFake(), newFake()
	deaf.hears = func() error { return broken }
	failed.ends = broken
	e := engineOf(deaf, failed)
	defer e.Close()
	for range 2 {
		l := listen(t, e, Options{})
		for i := range 10 {
			l.Write(tone(i))
		}
		got := finish(t, l)
		if !got.Poor || got.Transcript == nil || got.DurationMS != 200 {
			t.Errorf("%+v", got)
		}
	}
}

func TestHostilePackets(t *testing.T) {
	e := engineOf(newFake())
	defer e.Close()
	l := listen(t, e, Options{})
	for i, data := range [][]byte{nil, {31<<3 | 3}, make([]byte, 65_535), {9 << 3}} {
		l.Write(opus.Packet{Position: int64(i) * 960, Samples: 960, Data: data})
	}
	if got := finish(t, l); got.Poor || got.DurationMS != 80 {
		t.Errorf("%+v", got)
	}
}

func TestPausesWhenNothingComes(t *testing.T) {
	f := newFake()
	e := engineOf(f)
	defer e.Close()
	l := listen(t, e, Options{})
	l.Write(tone(0))
	<-f.pauses
	l.Write(tone(50))
	<-f.pauses
	finish(t, l)
}

func TestTooManySpeakers(t *testing.T) {
	e := engineOf(newFake(), newFake(), newFake())
	defer e.Close()
	first := listen(t, e, Options{})
	listen(t, e, Options{})
	if _, err := e.Listen(Options{}); !errors.Is(err, ErrBusy) || e.Speakers() != 2 {
		t.Errorf("%d speak, and the third is answered %v", e.Speakers(), err)
	}
	finish(t, first)
	listen(t, e, Options{})
}

func TestCancel(t *testing.T) {
	slow, gone := newFake(), newFake()
	slow.held = make(chan struct{})
	e := engineOf(slow, gone)
	defer e.Close()
	l := listen(t, e, Options{})
	l.Write(tone(0))
	timeout := errors.New("too late")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, timeout)
	defer cancel()
	if got, err := l.Finish(ctx); got != nil || !errors.Is(err, timeout) {
		t.Errorf("%v, %v", got, err)
	}
	<-slow.closed
	l = listen(t, e, Options{})
	l.Cancel()
	l.Cancel()
	if got, err := l.Finish(t.Context()); got != nil || !errors.Is(err, ErrCancelled) {
		t.Errorf("%v, %v", got, err)
	}
	<-gone.closed
}

// Who is muted for an hour leaves a gap that takes seconds to hear, which must
// not hold up who gives up meanwhile.
func TestCancelInAGap(t *testing.T) {
	heard := 0
	f := newFake()
	e := engineOf(f)
	defer e.Close()
	l := listen(t, e, Options{})
	f.hears = func() error {
		if heard++; heard == 100 {
			l.Cancel()
		}
		return nil
	}
	l.Write(tone(0))
	late := tone(0)
	late.Position = 3600 * opus.Rate
	l.Write(late)
	<-f.closed
	if heard != 100 {
		t.Errorf("%d portions were heard", heard)
	}
}

func TestClose(t *testing.T) {
	a, b := newFake(), newFake()
	b.held = make(chan struct{})
	e := engineOf(a, b)
	listen(t, e, Options{})
	l := listen(t, e, Options{})
	ended := make(chan error)
	go func() {
		_, err := l.Finish(context.Background())
		ended <- err
	}()
	e.Close()
	<-a.closed
	<-b.closed
	if err := <-ended; !errors.Is(err, ErrCancelled) {
		t.Errorf("finishing ends with %v", err)
	}
	if _, err := e.Listen(Options{}); !errors.Is(err, ErrClosed) {
		t.Errorf("listening gives %v", err)
	}
	e.Close()
	if n := e.Speakers(); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
}

func TestListenersThatCannotBegin(t *testing.T) {
	broken := errors.New("broken")
	e := New(Config{Engine: listenFunc(func() (transcribe.LiveSession, error) { return nil, broken }), Logger: quiet()})
	if _, err := e.Listen(Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	e.Close()
}
