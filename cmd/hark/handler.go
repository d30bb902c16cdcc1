package main

import (
	"context"
	"fmt"
	"net/http"

	"hark/api"
	"hark/api/intake"
	"hark/media"
)

// server makes what answers HTTP: the whole API, or health and metrics alone
// where this process only works.
func (p *Program) server(ctx context.Context) (*http.Server, error) {
	ready := map[string]func(context.Context) error{
		"records": p.db.Ping,
		"objects": p.blobs.Ping,
		"bus":     p.bus.Ping,
	}
	p.metrics.MustRegister(queueMetrics{p.db, p.log})
	log := p.log.With("part", "api")
	if p.cfg.Role == "worker" {
		return api.Operations{Registry: p.metrics, Logger: log, Ready: ready}.HTTPServer(""), nil
	}
	key, err := p.db.SigningKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	ready["recordings"] = p.recorder.Ready
	deps := api.Deps{DB: p.db, Objects: p.blobs, Bus: p.bus, Live: p.recorder, Registry: p.metrics, Logger: log, Ready: ready}
	s, err := api.New(deps, api.Config{
		PublicURL: p.cfg.PublicURL, SigningKey: key, Version: version, CORSOrigins: p.cfg.CORSOrigins,
		Intake: intake.Config{Limits: media.Limits{MaxBytes: p.cfg.MaxUploadBytes, MaxDuration: p.cfg.MaxDuration}},
	})
	if err != nil {
		return nil, err
	}
	return s.HTTPServer(""), nil
}
