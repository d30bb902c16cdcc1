// Package short makes the rendition of a recording of a few seconds while somebody waits
// for it: of a greeting, or of how a name is pronounced. What it takes, and how that is
// decoded, confined and rendered, is as of any message.
package short

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"hark/media"
	"hark/media/decode"
	"hark/media/inspect"
	"hark/media/render"
)

// slack is how much longer a recording may be than it says to people, which stop a little
// late.
const slack = 500 * time.Millisecond

// least is the shortest sound that is worth keeping.
const least = 200 * time.Millisecond

// Limits bound a recording.
type Limits struct {
	Bytes    int64
	Duration time.Duration
}

// Config says by what recordings are decoded and rendered.
type Config struct {
	Limits  Limits
	Decode  decode.Config // its limits are those of Limits
	Render  render.Config
	Scratch string // an existing folder for files without a name; empty means the system's
}

// Maker makes renditions. It is safe for concurrent use; the caller bounds how many it
// makes at once.
type Maker struct {
	limits   Limits
	decoder  *decode.Decoder
	renderer *render.Renderer
	scratch  string
}

// New makes a [Maker]. Whether ffmpeg is there is found out by the first recording.
func New(cfg Config) *Maker {
	cfg.Decode.Limits = media.Limits{MaxBytes: cfg.Limits.Bytes, MaxDuration: cfg.Limits.Duration + slack}
	return &Maker{limits: cfg.Limits, decoder: decode.New(cfg.Decode), renderer: render.New(cfg.Render), scratch: cfg.Scratch}
}

// Limits are the bounds of a recording.
func (m *Maker) Limits() Limits { return m.limits }

// Make reads a recording to its end and makes its rendition, which the caller closes. Its
// error is a [media.Refusal] where that cannot be, body's own where that failed, and
// anything else where this machine did.
func (m *Maker) Make(ctx context.Context, body io.Reader) (*render.Rendition, error) {
	clip, err := media.ScratchFile(m.scratch)
	if err != nil {
		return nil, err
	}
	defer clip.Close()
	size, err := io.Copy(clip, io.LimitReader(body, m.limits.Bytes+1))
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	limits := media.Limits{MaxBytes: m.limits.Bytes, MaxDuration: m.limits.Duration + slack}
	info, err := inspect.Clip(clip, size, limits)
	if err != nil {
		return nil, m.refusal(err)
	}
	spool, err := media.NewSpool(m.scratch)
	if err != nil {
		return nil, err
	}
	defer spool.Close() //nolint:errcheck // a scratch file
	_, err = m.decoder.Decode(ctx, clip, size, info.Format, spool.Write)
	if closeErr := spool.CloseWrite(err); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, m.refusal(err)
	}
	analysis, err := render.Analyse(spool.NewReader(ctx))
	if err != nil {
		return nil, err
	}
	if analysis.LoudnessLUFS <= render.SilenceLUFS || analysis.DurationMS < least.Milliseconds() {
		return nil, media.Refuse(media.Damaged, nil, "Nothing can be heard in the recording. Check the microphone and record again.")
	}
	return m.renderer.Render(ctx, spool, analysis)
}

// refusal says of a recording that is too long how long it may be: it cannot be sent in
// parts.
func (m *Maker) refusal(err error) error {
	if refusal, ok := media.AsRefusal(err); ok && (refusal.Kind == media.TooLong || refusal.Kind == media.TooLarge) {
		return media.Refuse(refusal.Kind, errors.Unwrap(refusal), "The recording is longer than %s. Record a shorter one.", media.FormatDuration(m.limits.Duration))
	}
	return err
}
