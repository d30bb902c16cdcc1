package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"hark/api"
	"hark/api/health"
	"hark/api/intake"
	"hark/media"
	"hark/storage/reconcile"
	"hark/storage/sqldb"
)

// server makes what answers HTTP: the whole API, or health and metrics alone
// where this process only works.
func (p *Program) server(ctx context.Context) (*http.Server, error) {
	ready := map[string]func(context.Context) error{
		"records": p.db.Ping,
		"objects": p.blobs.Ping,
		"bus":     p.bus.Ping,
		"store":   p.storeReady,
	}
	if p.decoder != nil {
		ready["decoding"] = p.decoderReady
	}
	p.metrics.MustRegister(queueMetrics{p.db, p.log})
	log := p.log.With("part", "api")
	p.operations = health.Endpoints{Registry: p.metrics, Logger: log, Token: string(p.cfg.MetricsToken), Ready: ready}
	if p.cfg.Role == "worker" {
		return p.operations.HTTPServer(""), nil
	}
	key, err := p.db.SigningKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	trusted, err := p.cfg.Trusted(p.cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("read the trusted proxies: %w", err)
	}
	ready["recordings"] = p.recorder.Ready
	if p.webrtc != nil {
		ready["live"] = p.liveReady
	}
	deps := api.Deps{Records: recordsOf(p.db), Objects: p.blobs, Bus: p.bus, Live: p.recorder, Sounds: p.shortSounds(), Registry: p.metrics, Logger: log, Ready: ready}
	providers, err := p.cfg.SignIn.Providers()
	if err != nil {
		return nil, err
	}
	s, err := api.New(deps, api.Config{
		PublicURL: p.cfg.PublicURL, SigningKey: key, Version: p.version, CORSOrigins: p.cfg.CORSOrigins, MetricsToken: string(p.cfg.MetricsToken),
		Hosts: p.cfg.Hosts, TrustedProxies: trusted, EventsKept: eventsKept - sweepMargin,
		Limits: p.cfg.Limits(), Mail: p.mail.Possible(), OpenID: providers, CreateWorkspaces: p.cfg.SignIn.CreateWorkspaces,
		Intake: intake.Config{Limits: media.Limits{MaxBytes: p.cfg.MaxUploadBytes, MaxDuration: p.cfg.MaxDuration}, Quotas: p.cfg.Quotas()},
	})
	if err != nil {
		return nil, err
	}
	p.api = s
	return s.HTTPServer(""), nil
}

// recordsOf has the one database answer all nouns.
func recordsOf(db *sqldb.DB) api.Records {
	return api.Records{
		Account: db, Passkeys: db, SignInPasskeys: db, Audit: db, Conversations: db, Drafts: db, Emails: db, Events: db, Heard: db, Identities: db, Intake: db, Integrations: db, Invitations: db,
		Live: db, Members: db, Messages: db, People: db, Persons: db, Profiles: db, Providers: db, Provisioning: db, Search: db, SignIn: db,
		Sound: db, Roster: db, Transcripts: db, Usage: db, Workspaces: db,
	}
}

// storeReady says whether database and object store belong together.
func (p *Program) storeReady(ctx context.Context) error {
	err := p.stores.Check(ctx)
	var d *reconcile.Disagreement
	if errors.As(err, &d) {
		return health.NotReady(d.Reason(), nil)
	}
	return err
}
