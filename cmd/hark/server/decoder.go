package server

import (
	"context"
	"fmt"
	"time"

	"hark/api/health"
	"hark/api/profile"
	"hark/cmd/hark/config"
	"hark/media"
	"hark/media/decode"
	"hark/media/render"
	"hark/media/short"
)

// shortSounds makes renditions of short recordings, on nodes that take no jobs too: who
// sends one waits for it. What ffmpeg can do there is found out by the first.
func (p *Program) shortSounds() *short.Maker {
	t := p.cfg.Transcriber
	return short.New(short.Config{
		Limits:  profile.PronunciationLimits,
		Decode:  decode.Config{FFmpeg: t.FFmpeg, Timeout: shortTimeout, RequireFull: t.Confine == config.ConfineRequire, Logger: p.log.With("part", "decode")},
		Render:  render.Config{FFmpeg: t.FFmpeg, ScratchDir: p.cfg.ScratchDir},
		Scratch: p.cfg.ScratchDir,
	})
}

// shortTimeout is how long decoding a few seconds may take.
const shortTimeout = 20 * time.Second

// openDecoder tries ffmpeg, confined, and finds out how well this machine
// confines it: a node that cannot decode does not start, nor one that is told
// to decode behind all walls or not at all, and lacks some.
func (p *Program) openDecoder(ctx context.Context) error {
	if !p.works() {
		return nil
	}
	t := p.cfg.Transcriber
	p.decoder = decode.New(decode.Config{
		FFmpeg:      t.FFmpeg,
		Limits:      media.Limits{MaxBytes: p.cfg.MaxUploadBytes, MaxDuration: p.cfg.MaxDuration},
		RequireFull: t.Confine == config.ConfineRequire,
		Logger:      p.log.With("part", "decode"),
	})
	if _, err := p.decoder.Confinement(ctx); err != nil {
		return fmt.Errorf("try the decoder (HARK_FFMPEG, HARK_CONFINE): %w", err)
	}
	if err := p.tryFFmpeg(ctx); err != nil {
		return fmt.Errorf("try %s (HARK_FFMPEG): %w", t.FFmpeg, err)
	}
	return nil
}

// decoderReady tells operators when decoding is confined less than it could be.
func (p *Program) decoderReady(ctx context.Context) error {
	level, err := p.decoder.Confinement(ctx)
	if err != nil {
		return err
	}
	if level.Full() {
		return nil
	}
	return health.Degraded("Decoding is not fully confined ("+level.String()+"). The README says under Confinement what the machine must allow.", nil)
}
