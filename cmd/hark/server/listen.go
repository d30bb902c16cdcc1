package server

import (
	"context"
	"errors"
	"fmt"
	"net"

	"hark/api/listen"
	"hark/cmd/hark/config"
)

// listen opens the port that answers come from, and bounds its connections.
func (p *Program) listen(ctx context.Context) error {
	opened, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s (HARK_ADDR): %w", p.cfg.Addr, err)
	}
	p.closeLast(opened)
	proxies, err := p.cfg.Trusted(p.cfg.Addr)
	if err != nil {
		return err
	}
	p.listener, err = listen.Wrap(opened, listen.Config{
		Max: p.cfg.MaxConnections, PerAddress: p.cfg.MaxConnectionsPerAddress, Exempt: proxies,
		Registry: p.metrics, Logger: p.log.With("part", "http"),
	})
	if err != nil {
		return err
	}
	if p.cfg.PublicURL == "" {
		p.cfg.PublicURL = config.AddressOf(opened.Addr().String())
	}
	return nil
}

// closeLast closes l with the program, unless its server has.
func (p *Program) closeLast(l net.Listener) {
	p.closers = append(p.closers, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
}
