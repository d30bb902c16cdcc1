// Package local is the engine that transcribes in this process, offline.
//
// Sound flows one way. The goroutine that calls [Engine.Transcribe] reads the
// clip, takes what is below the voice out of it (conditioner), lets Silero's
// voice activity detector judge every 32 ms of it at a loudness that follows
// the voice (package vad), and cuts it into pieces of at most ten seconds
// at the pauses of speech (segmenter). Each piece goes to a pool of recognisers
// that all clips share (pool): pieces of interactive clips before those of bulk
// ones, and clips of a class in turn, so that a short message never waits for a
// long recording to end. Two channels that hold different speech are heard as
// two clips that have one clip's share (apart.go). A second goroutine collects
// what was heard in order, drops what was invented on noise (gate), mends the
// sentences that were cut (joiner) and divides the words into segments of about
// a sentence.
//
// What a recogniser answers for a piece is judged by the speech that it explains
// (explain.go): now and then Moonshine ends after a word or none though
// somebody goes on to speak. Then the piece is heard again in other forms
// (hear.go); a single short word is heard in several at once, which vote
// (short.go). Sure speech of which nothing is understood is reported as a gap
// (gaps.go), and a clip that the model hardly understands as one that may be in
// another language.
//
// Only the pieces that are being worked are held, so that memory does not grow with
// the length of a clip, except for its words.
//
// A recording that is still being made goes the same way, pushed instead of
// pulled ([Engine.Listen]): the same pieces, first in the pool. The open piece is
// recognised now and then as far as it goes (attempt.go), at most
// three times a second, by one slot for each speaker, behind finished pieces
// and beside other clips, and the rarer the more that costs all speakers
// together. What an attempt said is the draft of the next, and of the finished
// piece, which takes a third to a half of the time off. An attempt that ends in
// a quarter of a second of silence stands for the piece when no more is said.
//
// The attempts are the work of the model that speaks the finals. Measured with
// two people who read at once on two cores, from the end of a word to the
// caption with it, and from the last packet to the transcript: Moonshine base
// 304 ms in the median and 396 ms at the 95th percentile, for 0.69 cores;
// tiny alone 233 and 145 ms for 0.48 cores. Tiny attempts would thus be a
// little earlier, but every piece would then have to be heard again by base,
// with nothing ready when the speaker stops, words that change when they become
// final, and 100 MB more of memory.
//
// Moonshine models run on ONNX Runtime through package moonshine, which gives
// word times and confidence; Whisper, Parakeet and SenseVoice run through
// sherpa-onnx, which gives token times (for Whisper only when the model was
// exported with its attention; else its words share the piece by their
// length). Package models says where their files lie.
//
// Measured with Moonshine base: word error rate 0.8 % on six clips of readers,
// a president and a faint headset, 2.8 % (16 kHz) and 3.6 % (8 kHz) on 28
// telephone prompts; no words in silence, noise of all colours, wind, engines,
// hum, beeps, knocks, melodies and music at any level. White noise 10 dB below
// speech costs 4 to 5 points, clipping by 12 dB 2.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"hark/media"
	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/local/vad"
	"hark/transcribe/models"
)

const sampleRate = media.SampleRate

// Name is what [transcript.Transcript.Engine] says of transcripts made here.
const Name = "local"

// Config says what to run.
type Config struct {
	Models      string       // models folder; see package models
	Model       string       // id in the catalogue; empty means models.Default
	Recognisers int          // pieces recognised at once, a core each; 0 means one for each core
	Library     string       // path of ONNX Runtime's shared library; empty means the one this process has loaded
	Logger      *slog.Logger // nil means slog.Default()
}

// Engine transcribes clips with one model. It is safe for concurrent use.
type Engine struct {
	model      models.Model
	recogniser recogniser
	vad        *vad.Model
	pool       *pool
	cut        cutting
	terse      bool // the recogniser is asked as seldom as can be
	log        *slog.Logger

	speaking atomic.Int32 // recordings in which somebody speaks now

	mu     sync.Mutex
	closed bool
	clips  sync.WaitGroup  // calls under way
	life   context.Context //nolint:containedctx // ends with the engine, and calls with it
	end    context.CancelCauseFunc
}

// Open loads the model, which takes about a second. A model that isn't there
// is an error that wraps [transcribe.ErrPermanent] and one of package models.
func Open(cfg Config) (*Engine, error) {
	if cfg.Model == "" {
		cfg.Model = models.Default
	}
	if cfg.Recognisers <= 0 {
		cfg.Recognisers = runtime.GOMAXPROCS(0)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	e, err := open(cfg)
	if err != nil {
		return nil, fmt.Errorf("open speech recognition: %w: %w", transcribe.ErrPermanent, err)
	}
	return e, nil
}

func open(cfg Config) (*Engine, error) {
	found, err := locate(cfg.Models, cfg.Model)
	if err != nil {
		return nil, err
	}
	if found.Model.Kind == models.VAD {
		return nil, fmt.Errorf("%s is not a recogniser", cfg.Model)
	}
	detector, err := locate(cfg.Models, models.Detector)
	if err != nil {
		return nil, err
	}
	recogniser, slots, err := load(found, cfg)
	if err != nil {
		return nil, err
	}
	speech, err := vad.Open(detector.Path(models.RoleModel), cfg.Library)
	if err != nil {
		return nil, errors.Join(err, recogniser.close())
	}
	life, end := context.WithCancelCause(context.Background())
	return &Engine{
		life: life, end: end,
		model: found.Model, recogniser: recogniser, vad: speech,
		pool: newPool(slots), cut: pausesOfSpeech, log: cfg.Logger,
		terse: found.Model.Kind != models.Moonshine,
	}, nil
}

// locate finds a model and reads its files once: the libraries that load them
// end the process when one is damaged.
func locate(dir, id string) (models.Installed, error) {
	if _, err := models.Verify(dir, id); err != nil {
		return models.Installed{}, err
	}
	return models.Locate(dir, id)
}

// Close ends the calls under way, waits for them, and frees the model.
// Closing twice is harmless.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	e.end(transcribe.ErrClosed)
	e.clips.Wait()
	e.pool.close()
	e.vad.Close()
	return e.recogniser.close()
}

// begin enters a call, which ends when ctx does or the engine is closed. The
// caller calls leave when it is done.
func (e *Engine) begin(ctx context.Context) (_ context.Context, leave func(), err error) {
	if err := e.enter(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.life, func() { cancel(context.Cause(e.life)) })
	return ctx, func() {
		stop()
		cancel(nil)
		e.clips.Done()
	}, nil
}

// enter keeps the model in memory until e.clips.Done is called.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return transcribe.ErrClosed
	}
	e.clips.Add(1)
	return nil
}

// inFlight is how many pieces of one clip may wait or run for each slot of
// the pool: enough that no slot is idle while the next piece is being read.
const inFlight = 2

// Transcribe implements [transcribe.Engine].
func (e *Engine) Transcribe(ctx context.Context, src transcribe.Source, opts transcribe.Options) (*transcript.Transcript, error) {
	ctx, leave, err := e.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("transcribe: %w", err)
	}
	defer leave()
	s := &share{priority: opts.Priority}
	var t *transcript.Transcript
	if stereo, ok := src.(transcribe.Stereo); ok {
		t, err = e.hearStereo(ctx, s, stereo, opts)
	} else {
		t, err = e.hearSource(ctx, s, src, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("transcribe: %w", err)
	}
	return t, nil
}

// hearSource transcribes one sound.
func (e *Engine) hearSource(ctx context.Context, s *share, src transcribe.Source, opts transcribe.Options) (*transcript.Transcript, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := newCollector(e.model, opts)
	pending := make(chan *pending, inFlight*e.pool.slots)
	collected := make(chan struct{})
	go func() {
		defer close(collected)
		if err := c.run(ctx, pending); err != nil {
			cancel(err)
		}
	}()
	err := e.read(ctx, s, src, opts, pending)
	close(pending)
	if err != nil {
		cancel(err)
	}
	<-collected
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return c.transcript(), nil
}
