// Package openai transcribes by any server that speaks the OpenAI audio API:
// POST {base}/v1/audio/transcriptions, with word and segment times. Besides
// OpenAI that is faster-whisper-server (speaches), whisper.cpp, vLLM, LocalAI
// and many more.
//
// The sound is read as it comes and cut into chunks of some minutes, each where
// it is quietest near its end. A chunk in which there is nothing but silence
// is not sent. The others go out as WAV, several at once, with retries, and
// what comes back is moved to its place in the clip and joined.
//
// Servers differ in what they answer, and none is trusted: a reply without
// word times gets them by length within its segments, one with text alone
// within the chunk (so such a server is sent half a minute at a time, once it
// is known; one that refuses verbose_json is asked for json), and times that are missing, backwards or nonsense are
// replaced by their neighbours', so that every transcript keeps the invariants
// of [transcript.Transcript].
//
// # Limits
//
// Memory is about 2 MB for each minute of a chunk, for at most Concurrency+1
// chunks of each clip at work, and replies are bounded to 16 MB. The key is
// sent to the server and is in no error and no log. Languages written without
// spaces get one word per phrase. Two channels that hold different speech are
// heard together, as they are played.
package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"hark/media"
	"hark/media/admission"
	"hark/media/transcript"
	"hark/transcribe"
	"hark/transcribe/lang"
)

// Config says which server to ask, and how.
type Config struct {
	BaseURL  string // such as https://api.openai.com; a trailing /v1 is allowed
	APIKey   string // sent as a bearer token; empty sends none
	Model    string // as the server names it, such as whisper-1
	Language string // BCP 47 hint where the clip has none; empty lets the server find out

	Timeout       time.Duration // of one request; 0 means 5 min
	MaxRetries    int           // further tries of a request that failed; 0 means 3, below 0 none
	ChunkDuration time.Duration // most sound in one request; 0 means 5 min, at least 1 s
	Concurrency   int           // requests at once, over all clips; 0 means 2

	HTTPClient *http.Client // nil means one of our own; redirects are never followed
	Logger     *slog.Logger // nil means none
}

// textOnlyChunk bounds how far the times of words can be off when a server
// gives none.
const textOnlyChunk = 30 * time.Second

// Engine transcribes by a remote server. It is safe for concurrent use.
type Engine struct {
	cfg      Config
	endpoint string
	gate     *admission.Gate // by priority

	// What was learnt of the server from its answers.
	plain    atomic.Bool // it refuses verbose_json: ask for json
	textOnly atomic.Bool // it gives no times at all
}

// New makes an Engine. It does not talk to the server yet.
func New(cfg Config) (*Engine, error) {
	base, err := url.Parse(cfg.BaseURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("openai: base URL must be an http or https address")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("openai: base URL must have no password, query or fragment; the key has a setting of its own")
	case cfg.Model == "":
		return nil, errors.New("openai: a model is needed")
	case strings.ContainsAny(cfg.APIKey, "\r\n"):
		return nil, errors.New("openai: the key has a line break")
	case cfg.ChunkDuration != 0 && cfg.ChunkDuration < time.Second:
		return nil, errors.New("openai: chunk duration must be at least 1 s")
	}
	cfg.Timeout = orDefault(cfg.Timeout, 5*time.Minute)
	cfg.MaxRetries = max(orDefault(cfg.MaxRetries, 3), 0)
	cfg.ChunkDuration = orDefault(cfg.ChunkDuration, 5*time.Minute)
	cfg.Concurrency = max(orDefault(cfg.Concurrency, 2), 1)
	client := http.Client{}
	if cfg.HTTPClient != nil {
		client = *cfg.HTTPClient
	}
	// Sound and key go to the server that was configured and to no other.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cfg.HTTPClient = &client
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	path := strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/v1")
	base.Path = path + "/v1/audio/transcriptions"
	return &Engine{cfg: cfg, endpoint: base.String(), gate: admission.New(admission.Limits{Places: cfg.Concurrency})}, nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Transcribe sends src to the server, chunk by chunk. Refusals that trying
// again cannot mend are a [transcribe.PermanentError]; an error that asks for time has
// a method RetryAfter.
func (e *Engine) Transcribe(ctx context.Context, src transcribe.Source, opts transcribe.Options) (*transcript.Transcript, error) {
	if opts.Language == "" {
		opts.Language = e.cfg.Language
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	joined := &joiner{progress: opts.Progress}
	if err := e.sendAll(ctx, stop, src, opts, joined); err != nil {
		return nil, err
	}
	return joined.transcript(e.cfg.Model, opts.Language), nil
}

// sendAll cuts src into chunks and has each of them heard, and returns when no
// request is under way any more.
func (e *Engine) sendAll(ctx context.Context, stop context.CancelCauseFunc, src transcribe.Source, opts transcribe.Options, joined *joiner) error {
	cut := newCutter(src, e.chunkSamples)
	slots := make(chan struct{}, e.cfg.Concurrency) // taken before reading, so as not to hold what cannot be sent
	var requests sync.WaitGroup
	var readErr error
	for n := 0; ; n++ {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		c, err := cut.next()
		if err != nil {
			readErr = err
			break
		}
		joined.expect(n, c)
		requests.Go(func() {
			defer func() { <-slots }()
			r, err := e.hear(ctx, c, opts)
			if err != nil {
				stop(fmt.Errorf("transcribe from %s on: %w", media.Duration(c.start), err))
				return
			}
			joined.add(n, r)
		})
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		stop(fmt.Errorf("read sound: %w", readErr))
	}
	requests.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// chunkSamples is how much sound the next chunk may hold.
func (e *Engine) chunkSamples() int {
	d := e.cfg.ChunkDuration
	if e.textOnly.Load() {
		d = min(d, textOnlyChunk)
	}
	return int(media.Samples(d))
}

// hear has one chunk transcribed, unless there is nothing to hear in it.
func (e *Engine) hear(ctx context.Context, c chunk, opts transcribe.Options) (heard, error) {
	if c.isSilent() {
		return heard{}, nil
	}
	r, err := e.request(ctx, c, opts)
	if err != nil {
		return heard{}, err
	}
	e.learn(r)
	segments := r.segments(c.lengthMS())
	for i := range segments {
		shift(&segments[i], c.startMS())
	}
	return heard{language: lang.Tag(r.Language), segments: segments}, nil
}

// learn notes whether the server gives times. A reply without text says nothing
// about that.
func (e *Engine) learn(r *reply) {
	timed := len(r.Words) > 0 || len(r.Segments) > 0
	if timed || strings.TrimSpace(r.text()) != "" {
		e.textOnly.Store(!timed)
	}
}

// shift moves a segment by ms.
func shift(s *transcript.Segment, ms int64) {
	s.StartMS += ms
	s.EndMS += ms
	for i := range s.Words {
		s.Words[i].StartMS += ms
		s.Words[i].EndMS += ms
	}
}
