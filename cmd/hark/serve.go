package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"hark/storage"
)

// errShutdown is the cause by which work is ended when the grace is over.
var errShutdown = errors.New("hark is shutting down")

type serveCmd struct {
	Config
}

// Help is more of what 'hark serve --help' says.
func (*serveCmd) Help() string {
	return "Secrets are no flags, since a command line can be read by others: they are variables of the environment, as the README lists them, or files named by those variables with _FILE at the end."
}

// Run serves until ctx ends.
func (s *serveCmd) Run(ctx context.Context) (err error) {
	if err := s.resolve(); err != nil {
		return err
	}
	outliveReaders()
	log := s.logger()
	p, err := Open(ctx, s.Config, log)
	if err != nil && wasInterrupted(ctx, err) {
		log.InfoContext(ctx, "stopped before it was ready")
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	fmt.Printf("\n  Hark is at      %s\n", p.cfg.PublicURL)
	if s.Role != "worker" {
		if err := p.welcome(ctx); err != nil {
			return err
		}
	}
	log.InfoContext(ctx, "serving", "role", s.Role, "addr", p.Addr(), "version", version)
	return p.Serve(ctx)
}

// signInTTL is how long the address printed at first start can be used.
const signInTTL = 24 * time.Hour

// welcome makes the first workspace and its owner on an empty database, gives
// the owner the bootstrap token, and prints where to go. Only on a terminal is
// that an address that signs in.
func (p *Program) welcome(ctx context.Context) error {
	owner, created, err := p.db.Bootstrap(ctx, "Hark", "Owner")
	if err != nil {
		return fmt.Errorf("make the first workspace: %w", err)
	}
	if created {
		if _, err := p.db.CreateConversation(ctx, owner, storage.Channel, "General", nil); err != nil {
			return fmt.Errorf("make the first conversation: %w", err)
		}
	}
	if p.cfg.BootstrapToken != "" {
		err := p.db.ImportToken(ctx, owner.UserID, "bootstrap", string(p.cfg.BootstrapToken))
		if errors.Is(err, storage.ErrConflict) {
			p.log.WarnContext(ctx, "the bootstrap token was revoked, or is another user's, and is not given again; set HARK_BOOTSTRAP_TOKEN to another, or unset it")
		} else if err != nil {
			return fmt.Errorf("keep the bootstrap token: %w", err)
		}
	}
	// A log or a file that this goes to outlives the moment, and others read it.
	if created && isTerminal(os.Stdout) {
		_, secret, err := p.db.CreateToken(ctx, owner.UserID, storage.SignInToken, "first start", signInTTL)
		if err != nil {
			return fmt.Errorf("make the sign-in address: %w", err)
		}
		fmt.Printf("  Sign in once at %s/sign-in?code=%s\n", p.cfg.PublicURL, secret)
	} else {
		fmt.Printf("  Sign in by      hark user sign-in\n")
	}
	fmt.Printf("  API             %s/docs\n\n", p.cfg.PublicURL)
	return nil
}
