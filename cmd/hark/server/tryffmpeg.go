package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"hark/media"
	"hark/media/decode"
	"hark/media/render"
)

const (
	trialTime    = 2 * time.Minute // it takes some 100 ms; a machine that is busy starting everything else needs many times that
	trialSamples = media.SampleRate / 4
)

// errTrial is an ffmpeg that runs and does nothing of use.
var errTrial = errors.New("what it encodes as AAC it does not decode to what was there; install a full build of ffmpeg")

// tryFFmpeg has ffmpeg encode a moment of sound as people will play it, and
// decode that as it will decode theirs: a broken one would fail every message,
// one after the other.
func (p *Program) tryFFmpeg(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	began := time.Now()
	tone := make([]float32, trialSamples)
	for i := range tone {
		tone[i] = float32(math.Sin(2 * math.Pi * 440 * float64(i) / media.SampleRate))
	}
	spool, err := media.NewSpool(p.cfg.ScratchDir)
	if err != nil {
		return err
	}
	defer spool.Close() //nolint:errcheck // a scratch file
	if err := errors.Join(spool.WriteSamples(tone), spool.CloseWrite(nil)); err != nil {
		return err
	}
	analysis, err := render.Analyse(spool.NewReader(ctx))
	if err != nil {
		return err
	}
	rendition, err := render.New(render.Config{FFmpeg: p.cfg.Transcriber.FFmpeg, ScratchDir: p.cfg.ScratchDir}).Render(ctx, spool, analysis)
	if err != nil {
		return fmt.Errorf("encode AAC: %w; install a full build of ffmpeg", err)
	}
	defer rendition.Close() //nolint:errcheck // a scratch file
	var energy float64
	report, err := p.decoder.Decode(ctx, rendition.File, rendition.Bytes, media.MP4, decode.Mono(func(samples []float32) error {
		for _, x := range samples {
			energy += float64(x) * float64(x)
		}
		return nil
	}))
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("it encoded and decoded a moment of sound for longer than %s: %w", trialTime, context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("%w (%w)", errTrial, err)
	}
	if report.Samples < trialSamples/2 || energy/float64(report.Samples) < 1e-4 {
		return errTrial
	}
	p.log.InfoContext(ctx, "ffmpeg check passed", "part", "decode", "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}
