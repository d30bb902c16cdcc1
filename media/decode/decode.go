// Package decode turns any clip that package media takes into sound: 16 kHz,
// one channel or two, in order, in bounded memory.
//
// MP3, WAV and Ogg/Opus are decoded in process by memory-safe code. Everything
// else, and what the in-process decoders cannot do, goes to ffmpeg in a child
// process that is confined before it sees a foreign byte (package confine).
//
// All decoders write into one pcmSink, which folds channels into two, resamples,
// counts against the limits and calls the [Sink]. Most clips of two channels
// have the same sound in both: the pcmSink notices, works on one, and gives one.
// What is made of two that differ, media.Spool decides. A clip that breaks off after some
// sound counts as far as it goes; one that gives no sound at all is a
// [media.Refusal].
package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"hark/media"
	"hark/media/decode/confine"
)

// The defaults of [Config].
const (
	DefaultTimeout     = 30 * time.Minute
	DefaultMemoryBytes = 1 << 30
)

// Config says how to decode. The zero value works where ffmpeg is in the PATH.
type Config struct {
	FFmpeg      string        // path or name of the program; empty means "ffmpeg"
	Limits      media.Limits  // MaxDuration ends a clip; MaxBytes is for package inspect
	Timeout     time.Duration // most time one clip may take, sink included, and most processor time; 0 means DefaultTimeout
	MemoryBytes int64         // most address space of the ffmpeg child; 0 means DefaultMemoryBytes
	RequireFull bool          // refuse to decode, with confine.ErrNotConfined, what needs ffmpeg unless it is confined fully
	Logger      *slog.Logger  // nil means none
}

// Decoder decodes clips. It is safe for concurrent use.
type Decoder struct {
	cfg      Config
	log      *slog.Logger
	confined *confine.Runner
}

// New makes a [Decoder]. The program that uses it calls confine.Main first
// thing in main.
func New(cfg Config) *Decoder {
	if cfg.FFmpeg == "" {
		cfg.FFmpeg = "ffmpeg"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.MemoryBytes <= 0 {
		cfg.MemoryBytes = DefaultMemoryBytes
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Decoder{cfg: cfg, log: cfg.Logger, confined: confine.New(confine.Config{
		FFmpeg: cfg.FFmpeg, Timeout: cfg.Timeout, MemoryBytes: cfg.MemoryBytes, RequireFull: cfg.RequireFull, Logger: cfg.Logger,
	})}
}

// Confinement finds out, once, how far this machine lets ffmpeg be confined:
// see [confine.Runner.Level]. Decoding asks for it first.
func (d *Decoder) Confinement(ctx context.Context) (confine.Level, error) {
	return d.confined.Level(ctx)
}

// Report says how a clip was decoded.
type Report struct {
	Decoder    string // "mp3", "wav", "opus" or "ffmpeg"
	Samples    int64  // samples given to the sink
	SourceRate int    // Hz of the encoded sound; 0 when ffmpeg keeps it to itself
	Truncated  bool   // the clip broke off or was damaged: what could be heard of it was given

	// Lost are the stretches of the sound that was given, or after its end,
	// where more was recorded than could be decoded: in order, not overlapping.
	Lost []media.Span
}

var (
	// errUnsupported is how an in-process decoder hands a clip to ffmpeg.
	errUnsupported = errors.New("not supported by the in-process decoder")
	errTimeout     = errors.New("decoding took too long")
)

// native is an in-process decoder. It writes what it hears to out and returns
// the first error of out as it is.
type native struct {
	name   string
	decode func(src *io.SectionReader, out *pcmSink) error
}

var natives = map[media.Format]native{
	media.MP3:     {"mp3", decodeMP3},
	media.WAV:     {"wav", decodeWAV},
	media.OggOpus: {"opus", decodeOpus},
}

// Decode decodes the first size bytes of f, a clip that inspect.Clip found to
// be of the format, and calls sink with blocks of at most 8,192 samples, one
// call at a time; sink must not keep a block. f's own read position is neither
// used nor changed.
//
// The error is a [media.Refusal] when this clip can never be decoded, the
// sink's own error when that refused a block, ctx's cause when ctx ended, and
// anything else when this machine failed.
func (d *Decoder) Decode(ctx context.Context, f *os.File, size int64, format media.Format, sink Sink) (Report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.cfg.Timeout, errTimeout)
	defer cancel()
	out := newPCMSink(ctx, d.cfg.Limits.MaxDuration, sink)
	report, err := d.decode(ctx, f, size, format, out)
	report.Samples, report.Lost = out.samples, out.lost.report()
	switch {
	case errors.Is(err, errTimeout):
		return report, media.Refuse(media.OverBudget, err, "The recording took too long to decode. Send it in another form, such as MP3.")
	case err != nil:
		return report, err
	case out.samples == 0:
		return report, refuseSilent(nil)
	}
	return report, nil
}

func (d *Decoder) decode(ctx context.Context, f *os.File, size int64, format media.Format, out *pcmSink) (Report, error) {
	clip := findClip(f, size, format)
	var (
		why   error
		known *handOver // nil when the decoder did not get so far
	)
	if n, ok := natives[format]; ok {
		err := guard(out, func() error {
			if err := n.decode(clip.section(), out); err != nil {
				return err
			}
			return out.finish()
		})
		if out.failed != nil {
			return Report{Decoder: n.name, SourceRate: out.rate}, out.failed
		}
		if err != nil && out.samples > 0 {
			err = errors.Join(err, out.finish())
		}
		if out.failed != nil || out.samples > 0 {
			return Report{Decoder: n.name, SourceRate: out.rate, Truncated: err != nil}, out.failed
		}
		d.log.DebugContext(ctx, "in-process decoder gave up", "decoder", n.name, "cause", err)
		why = err
		if errors.As(err, &known) {
			clip.start += known.first
		}
		out.reset()
	}
	truncated, err := d.ffmpeg(ctx, f, clip, format, known, out)
	if err != nil && why != nil {
		err = fmt.Errorf("%w (in process: %w)", err, why)
	}
	return Report{Decoder: "ffmpeg", Truncated: truncated}, err
}

// guard turns a panic of a decoder that met bytes its authors did not think
// of into an error. A panic of the sink is not the clip's fault and goes on.
func guard(out *pcmSink, f func() error) (err error) {
	defer func() {
		if out.inSink {
			return
		}
		if p := recover(); p != nil {
			err = fmt.Errorf("decoder panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

func refuseSilent(cause error) error {
	return media.Refuse(media.Damaged, cause, "No sound could be read from the recording. Send the original file again.")
}
