// Package pipeline does the work that makes a message ready: one job, start to
// finish.
//
//	ledger ──Task──> fetch ──file──> decode ──> spool ──> analyse ──> render ──> store
//	                                              └─────> recognise ─────────────> transcript
//
// [Worker.Handle] begins an attempt, fetches the original to a scratch file,
// and decodes it once. While the decoder writes, the waveform and loudness are
// measured and the recogniser listens; when the sound is complete, the
// rendition is made beside the recogniser. Each result is saved when it is
// made, so that a recogniser that fails never costs the audio, and the next
// attempt leaves out what is saved. The transcript comes last, because it makes
// the message ready.
//
// A message that was heard while it was spoken is ready when its job begins
// (Task.HaveTranscript). Its attempts listen to nothing and make the rest; with
// all made they do not even fetch.
//
// # Failures
//
// A clip that cannot be decoded ([media.Refusal]) and a recogniser that cannot
// succeed ([transcribe.ErrPermanent]) fail the message at once, with a reason
// for people. Everything else is tried again after a delay that doubles with
// each attempt, is drawn at random below that bound, and starts at
// [Config].RetryBase. After Task.MaxAttempts the message fails for good, and a
// person may retry it. Attempts are counted when they begin, so a clip that
// kills the process is given up too. A rendition that cannot be made holds the
// transcript back (ready means that all is there) until the last attempt, which
// makes do without: the original still plays. What fails of the job of a message
// that is ready already changes nothing of it but what is missing.
//
// A clip that is not in the store is gone for good only where the store is
// surely the ledger's own ([Deps].Agree). Otherwise the job waits, and the
// attempt does not count.
//
// An attempt holds a lease. When it cannot be renewed, another worker may have
// the job, and the work stops. When the ledger cannot be reached, nothing is
// reported and the lease runs out by itself. When ctx ends, for shutdown or
// because the message was deleted, the job is handed back and the attempt does
// not count.
//
// # Limits
//
// Memory does not depend on the length of a clip, but for its transcript. The
// scratch folder takes, for each job at work, the original, 115 MB for each
// hour of sound (230 MB for two hours) and the rendition, 25 MB an hour. Its
// files have no names: however a worker ends, nothing is left behind.
package pipeline

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"hark/media"
	"hark/media/decode"
	"hark/media/render"
	"hark/transcribe"
)

// ledger keeps jobs and results. Saves are refused with Errors.Stale when the
// attempt is over.
type ledger interface {
	BeginJob(ctx context.Context, jobID, worker string, lease time.Duration) (Task, error)
	RenewLease(ctx context.Context, task Task, lease time.Duration) error
	SaveSound(ctx context.Context, task Task, sound Sound) error
	SaveRendition(ctx context.Context, task Task, rendition Rendition) error
	SaveTranscript(ctx context.Context, task Task, t *transcribe.Transcript) error         // ends the job
	FinishJob(ctx context.Context, task Task) error                                        // ends one with Task.HaveTranscript
	FailJob(ctx context.Context, task Task, reason string, retryAfter time.Duration) error // below 0: for good
	ReleaseJob(ctx context.Context, task Task) error
}

// clips is the object store.
type clips interface {
	Get(ctx context.Context, key string) (body io.ReadCloser, size int64, err error)
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
}

// decoder turns a clip into mono sound of 16 kHz, in order.
type decoder interface {
	Decode(ctx context.Context, f *os.File, size int64, format media.Format, sink func([]float32) error) (decode.Report, error)
}

// renderer makes the rendition of a complete sound.
type renderer interface {
	Render(ctx context.Context, spool *media.Spool, a render.Analysis) (*render.Rendition, error)
}

// progress tells people how far the work is: fraction, 0 to 1, never goes back
// within an attempt. The work does not wait for it, and it is told nothing more
// once the transcript is being saved.
type progress interface {
	Progress(ctx context.Context, task Task, fraction float64, stage string)
}

// Observer is told what work costs, for metrics. It is called from several
// goroutines at once.
type Observer interface {
	// Stage is told how long one stage of one attempt took, failed or not.
	Stage(name string, d time.Duration)
	// Done is told of each attempt that ended: the length of the sound (0 when
	// it was not decoded), how long the attempt took, and its [Result].
	Done(audio, wall time.Duration, result Result)
}

// Errors are the ledger's and the store's answers that call for something
// other than trying again. They are matched with errors.Is.
type Errors struct {
	Gone  error // no such job (message deleted, work done); no such object
	Busy  error // another worker holds the job
	Stale error // the attempt was superseded, or its message is gone
}

// Deps are the parts a worker is made of. Agree, Progress, Observer and Logger
// may be nil.
type Deps struct {
	Ledger   ledger
	Clips    clips
	Decoder  decoder
	Renderer renderer
	Engine   transcribe.Engine
	Errors   Errors

	// Agree returns nil when the store is the ledger's own. Only then is a clip
	// that is not in it gone. Nil means that it always is.
	Agree func(ctx context.Context) error

	Progress progress
	Observer Observer
	Logger   *slog.Logger
}

// Config adjusts a worker.
type Config struct {
	Name      string        // of this worker, as the ledger and the logs show it
	Scratch   string        // an existing folder for files at work; see the limits of the package
	Lease     time.Duration // how long a job stays ours without a sign of life; 0 means 15 s
	RetryBase time.Duration // bound of the first delay before another attempt; 0 means 5 s
	RetryMax  time.Duration // bound of all such delays; 0 means 5 min
}

// Worker does jobs. It is safe for concurrent use: the caller bounds how many
// jobs run at once.
type Worker struct {
	Deps
	cfg Config
}

// New makes a Worker, or says which part is missing.
func New(deps Deps, cfg Config) (*Worker, error) {
	switch {
	case deps.Ledger == nil, deps.Clips == nil, deps.Decoder == nil, deps.Renderer == nil, deps.Engine == nil:
		return nil, errors.New("pipeline: ledger, clips, decoder, renderer and engine are all needed")
	case deps.Errors.Gone == nil, deps.Errors.Busy == nil, deps.Errors.Stale == nil:
		return nil, errors.New("pipeline: the ledger's errors are needed")
	case cfg.Name == "" || cfg.Scratch == "":
		return nil, errors.New("pipeline: a worker needs a name and a scratch folder")
	}
	if deps.Agree == nil {
		deps.Agree = func(context.Context) error { return nil }
	}
	if deps.Progress == nil {
		deps.Progress = unheard{}
	}
	if deps.Observer == nil {
		deps.Observer = unheard{}
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Lease = orDefault(cfg.Lease, 15*time.Second)
	cfg.RetryBase = orDefault(cfg.RetryBase, 5*time.Second)
	cfg.RetryMax = orDefault(cfg.RetryMax, 5*time.Minute)
	return &Worker{Deps: deps, cfg: cfg}, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// unheard stands in for who does not want to know.
type unheard struct{}

// Progress implements progress.
func (unheard) Progress(context.Context, Task, float64, string) {}

// Stage implements Observer.
func (unheard) Stage(string, time.Duration) {}

// Done implements Observer.
func (unheard) Done(audio, wall time.Duration, result Result) {}
