// Package render makes what people see and hear of a clip from its decoded
// sound: the waveform, the loudness, and a rendition that plays everywhere.
//
// [Analyse] reads the sound once, while the decoder still writes it, and finds
// the [Waveform] of 100 peaks, the integrated loudness (EBU R 128, [Meter])
// and the true peak. From these, [Renderer.Render] chooses a gain that brings
// speech to -16 LUFS, applies it, holds its true peak at
// -1.5 dBTP with a look-ahead limiter, and has ffmpeg encode the result as
// AAC-LC in MP4 with the index in front. Where the limiter works it lowers the
// loudness, so the gain is first tried on the whole sound, once or twice as a
// rule and four times at most. For an hour of sound the analysis takes half a
// second of CPU, each trial one, and the encoding seven.
//
// Quiet speech is raised by up to 42 dB, but a quiet steady sound is an empty
// room and is not made to roar: there the gain ends at 30 dB and falls to none
// at -61 LUFS. The two differ in how far the sound falls in its gaps
// ([Meter.Floor]).
//
// Memory does not depend on the clip's length. ffmpeg reads only raw samples
// made here, never a foreign byte.
//
// # Choice of encoder
//
// Measured with ffmpeg 5.1 on 90 s of read speech at 16 kHz mono: segmental
// signal to noise ratio of the decoded rendition, and CPU seconds for an hour
// of sound.
//
//	coder    rate  SNR      CPU
//	twoloop  48k   26.8 dB  23 s
//	twoloop  64k   32.9 dB  41 s
//	fast     48k   26.5 dB   5 s
//	fast     56k   29.3 dB   5 s
//	fast     64k   32.0 dB   5 s
//
// So the fast coder at 56 kbit/s (25 MB an hour). Recognition of the same hour
// takes minutes; an encoder that cost a tenth of that would be felt. A fast
// coder that treats speech badly at some rate would change our mind.
package render

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"time"

	"hark/media"
)

// MediaType is what renditions are served as.
const MediaType = "audio/mp4"

const (
	longClip     = 2 * time.Minute // a clip longer than this lets shorter ones go first
	longClipNice = 10              // niceness of its encoder
)

// ErrNoSound says that there is not a single sample to render.
var ErrNoSound = errors.New("no sound to render")

// Config says where a [Renderer] finds what it needs.
type Config struct {
	FFmpeg     string       // the program, as a path or a name to look for; empty means ffmpeg
	ScratchDir string       // an existing folder for files being written; empty means the system's
	Logger     *slog.Logger // nil means none
}

// Renderer makes renditions. It is safe for concurrent use; each rendering
// runs an ffmpeg of its own, so the caller bounds how many there are.
type Renderer struct {
	ffmpeg  string
	scratch string
	log     *slog.Logger
}

// New makes a Renderer.
func New(cfg Config) *Renderer {
	r := &Renderer{ffmpeg: cfg.FFmpeg, scratch: cfg.ScratchDir, log: cfg.Logger}
	if r.ffmpeg == "" {
		r.ffmpeg = "ffmpeg"
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	return r
}

// Rendition is an encoded clip in a file without a name. The caller closes it,
// after which nothing of it is left.
type Rendition struct {
	File         *os.File // complete, at its first byte
	Bytes        int64
	MediaType    string
	LoudnessLUFS float64 // integrated, of the sound that was encoded; [SilenceLUFS] means silence
	GainDB       float64 // by which the clip was raised, before the limiter
	DurationMS   int64   // of the sound, as players show it
}

// Close gives the file back.
func (r *Rendition) Close() error { return r.File.Close() }

// Render makes the rendition of the sound in spool. a must be the analysis of
// all of it, so the spool is complete. A spool without samples gives
// [ErrNoSound]; a ctx that ends gives its cause, when ffmpeg is gone.
func (r *Renderer) Render(ctx context.Context, spool *media.Spool, a Analysis) (*Rendition, error) {
	samples := spool.Samples()
	if samples == 0 {
		return nil, ErrNoSound
	}
	begun := time.Now()
	gain, err := chooseGain(ctx, spool, a)
	if err != nil {
		return nil, fmt.Errorf("choose gain: %w", err)
	}
	chosen := time.Now()
	out := &Rendition{MediaType: MediaType, GainDB: gain, DurationMS: milliseconds(samples)}
	if out.File, out.LoudnessLUFS, err = r.encode(ctx, spool, gain); err != nil {
		return nil, fmt.Errorf("encode rendition: %w", err)
	}
	info, err := out.File.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("measure rendition: %w", err), out.Close())
	}
	out.Bytes = info.Size()
	r.log.DebugContext(ctx, "rendered",
		"duration_ms", out.DurationMS, "bytes", out.Bytes, "gain_db", gain, "loudness_lufs", out.LoudnessLUFS,
		"levelling", chosen.Sub(begun), "encoding", time.Since(chosen))
	return out, nil
}

// encode levels the sound and encodes it, and measures what it encodes.
func (r *Renderer) encode(ctx context.Context, spool *media.Spool, gain float64) (_ *os.File, loudness float64, err error) {
	file, name, unlink, err := scratchFile(r.scratch)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		err = errors.Join(err, unlink())
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	nice := 0
	if media.Duration(spool.Samples()) > longClip {
		nice = longClipNice
	}
	enc, err := startEncoder(ctx, r.ffmpeg, file, name, nice)
	if err != nil {
		return nil, 0, err
	}
	meter := NewMeter()
	err = level(ctx, spool, gain, func(p []float32) error {
		meter.Write(p)
		return enc.write(p)
	})
	if err := enc.finish(err); err != nil {
		return nil, 0, err
	}
	return file, meter.Integrated(), nil
}

// scratchFile makes the file for a rendition and says by what name ffmpeg can
// open it, which it does twice. On Linux it has no name in the folder, so that
// a crash leaves nothing; elsewhere a name is needed until unlink.
func scratchFile(dir string) (file *os.File, name string, unlink func() error, err error) {
	if runtime.GOOS == "linux" {
		file, err = media.ScratchFile(dir)
		return file, "/dev/fd/" + strconv.Itoa(childFile), func() error { return nil }, err
	}
	file, err = os.CreateTemp(dir, "rendition-*.m4a")
	if err != nil {
		return nil, "", nil, fmt.Errorf("create scratch file: %w", err)
	}
	return file, file.Name(), func() error { return os.Remove(file.Name()) }, nil
}
