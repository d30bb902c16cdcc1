package server

import (
	"context"
	"fmt"

	"hark/api/health"
	"hark/cmd/hark/config"
	"hark/media"
	"hark/media/decode"
)

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
