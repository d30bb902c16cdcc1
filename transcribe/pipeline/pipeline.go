// Package pipeline does the work that makes a message ready: one job, start to
// finish.
//
//	job ──Task──> fetch ──file──> decode ──> spool ──> analyse ──> render ──> store
//	                                               └─────> recognise ─────────────> transcript
//
// [Worker.Handle] makes an attempt at a job of the kind transcribe, which package work
// has begun: it fetches the original to a scratch file and decodes it once. While the decoder writes, the waveform and loudness are
// measured and the recogniser listens; when the sound is complete, the
// rendition is made beside the recogniser. Each result is saved when it is
// made, so that a recogniser that fails never costs the audio, and the next
// attempt leaves out what is saved. The transcript comes last, because it makes
// the message ready.
//
// A message that was heard while it was spoken is ready when its job begins
// ([storage.Task].HaveTranscript). Its attempts listen to nothing and make the rest; with
// all made they do not even fetch.
//
// # Failures
//
// A clip that cannot be decoded ([media.Refusal]) and a recogniser that cannot
// succeed ([transcribe.ErrPermanent]) fail the message at once, with a reason
// for people. Everything else is tried again, by the schedule of package work; after
// the last attempt the message fails for good, and a person may retry it. A rendition that cannot be made holds the
// transcript back (ready means that all is there) until the last attempt, which
// makes do without: the original still plays. What fails of the job of a message
// that is ready already changes nothing of it but what is missing.
//
// A clip that is not in the store is gone for good only where the store is
// surely the database's own ([Deps].Agree). Otherwise the job waits, and the
// attempt does not count.
//
// What becomes of an attempt whose lease is lost, or that is cut off for shutdown
// or because the message was deleted, is package work's.
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
	"hark/media/transcript"
	"hark/storage"
	"hark/transcribe"
)

// records keeps results. Saves are refused with storage.ErrStale when the
// attempt is over.
type records interface {
	Task(ctx context.Context, job storage.Job) (storage.Task, error)
	SaveSound(ctx context.Context, task storage.Task, sound storage.Sound) error
	SaveRendition(ctx context.Context, task storage.Task, rendition storage.Rendition) error
	SaveTranscript(ctx context.Context, task storage.Task, t *transcript.Transcript) error // ends the job
	FinishJob(ctx context.Context, job storage.Job) error                                  // ends one with Task.HaveTranscript
}

// clips is the object store.
type clips interface {
	Get(ctx context.Context, key string) (body io.ReadCloser, size int64, err error)
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
}

// decoder turns a clip into sound of 16 kHz, in order.
type decoder interface {
	Decode(ctx context.Context, f *os.File, size int64, format media.Format, sink decode.Sink) (decode.Report, error)
}

// renderer makes the rendition of a complete sound.
type renderer interface {
	Render(ctx context.Context, spool *media.Spool, a render.Analysis) (*render.Rendition, error)
}

// progress tells people how far the work is: fraction, 0 to 1, never goes back
// within an attempt. The work does not wait for it, and it gets nothing more
// once the transcript is being saved.
type progress interface {
	Progress(ctx context.Context, task storage.Task, fraction float64, stage string)
}

// Observer gets what work costs, for metrics. It is called from several
// goroutines at once.
type Observer interface {
	// Stage gets how long one stage of one attempt took, failed or not.
	Stage(name string, d time.Duration)
	// Ready gets each attempt that made all that was missing: the length of
	// the sound (0 when it was not decoded), and how long it took.
	Ready(audio, wall time.Duration)
}

// Deps are the parts a worker is made of. Agree, Progress, Observer and Logger
// may be nil.
type Deps struct {
	Records  records
	Clips    clips
	Decoder  decoder
	Renderer renderer
	Engine   transcribe.Engine

	// Agree returns nil when the store is the database's own. Only then is a clip
	// that is not in it gone. Nil means that it always is.
	Agree func(ctx context.Context) error

	Progress progress
	Observer Observer
	Logger   *slog.Logger
}

// Config adjusts a worker.
type Config struct {
	Scratch string        // an existing folder for files at work; see the limits of the package
	Lease   time.Duration // how long a job stays ours without a sign of life; 0 means what package work says
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
	case deps.Records == nil, deps.Clips == nil, deps.Decoder == nil, deps.Renderer == nil, deps.Engine == nil:
		return nil, errors.New("pipeline: records, clips, decoder, renderer and engine are all needed")
	case cfg.Scratch == "":
		return nil, errors.New("pipeline: a worker needs a scratch folder")
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
	return &Worker{Deps: deps, cfg: cfg}, nil
}

// unheard stands in for who does not want to know.
type unheard struct{}

// Progress implements progress.
func (unheard) Progress(context.Context, storage.Task, float64, string) {}

// Stage implements Observer.
func (unheard) Stage(string, time.Duration) {}

// Ready implements Observer.
func (unheard) Ready(audio, wall time.Duration) {}
