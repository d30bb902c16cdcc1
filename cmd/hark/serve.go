package main

import (
	"context"
	"errors"
	"fmt"

	"hark/cmd/hark/config"
	"hark/cmd/hark/server"
)

type serveCmd struct {
	config.Config
}

// Help is more of what 'hark serve --help' says.
func (*serveCmd) Help() string {
	return "Secrets are no flags, since a command line can be read by others: they are variables of the environment, as the README lists them, or files named by those variables with _FILE at the end."
}

// Run serves until ctx ends.
func (s *serveCmd) Run(ctx context.Context) (err error) {
	if err := s.Resolve(); err != nil {
		return err
	}
	outliveReaders()
	log := s.NewLogger()
	p, err := server.Open(ctx, s.Config, version, log)
	if err != nil && wasInterrupted(ctx, err) {
		log.InfoContext(ctx, "stopped before it was ready")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	fmt.Printf("\n  Hark is at      %s\n", p.PublicURL())
	if s.Role != "worker" {
		if err := p.Welcome(ctx); err != nil {
			return err
		}
	}
	log.InfoContext(ctx, "serving", "role", s.Role, "addr", p.Addr(), "version", version)
	return p.Serve(ctx)
}
