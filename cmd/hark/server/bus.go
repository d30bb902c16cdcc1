package server

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"hark/storage/bus"
	"hark/storage/work"
)

// openBus connects to the server of jobs and events, and starts it first where
// it is in process.
func (p *Program) openBus(ctx context.Context) error {
	id, err := p.db.InstanceID(ctx)
	if err != nil {
		return err
	}
	n := p.cfg.NATS
	c := bus.Config{
		URL: n.URL, Name: "hark-" + p.cfg.Role, Prefix: cmp.Or(n.Prefix, "hark-"+id), Replicas: n.Replicas, MaxBytes: n.MaxBytes,
		Auth:   bus.Auth{User: n.User, Password: string(n.Password), Token: string(n.Token), NKeySeed: string(n.NKey), CredsFile: n.Creds},
		TLS:    bus.TLS{CAFile: n.CA, CertFile: n.Cert, KeyFile: n.Key},
		Logger: p.log.With("part", "bus"),
	}
	if c.URL == "" {
		embedded, err := bus.Serve(filepath.Join(p.cfg.Data, "nats"), c.Logger)
		if err != nil {
			return fmt.Errorf("start bus: %w", err)
		}
		p.closers = append(p.closers, embedded.Close)
		c.Embedded = embedded
	}
	err = p.reach(ctx, "bus", func() (err error) {
		p.bus, err = bus.Connect(ctx, c)
		return err
	})
	if err != nil {
		return n.Explain(err)
	}
	p.closers = append(p.closers, p.bus.Close)
	p.jobs = work.NewPublisher(p.bus, p.log.With("part", "jobs"))
	return nil
}
