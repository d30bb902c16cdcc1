package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"hark/api/listen"
)

// listenForOperators opens the port where only those who run Hark ask, if there
// is one.
func (p *Program) listenForOperators(ctx context.Context) error {
	if p.cfg.MetricsAddr == "" {
		return nil
	}
	opened, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.cfg.MetricsAddr)
	if err != nil {
		return fmt.Errorf("listen on %s (HARK_METRICS_ADDR): %w", p.cfg.MetricsAddr, err)
	}
	p.closeLast(opened)
	p.operatorsOn, err = listen.Wrap(opened, listen.Config{Logger: p.log.With("part", "metrics")})
	if err == nil {
		p.log.InfoContext(ctx, "metrics", "addr", opened.Addr().String())
	}
	return err
}

// serveOperators answers on that port until ctx ends. A failure stops the
// program with its cause.
func (p *Program) serveOperators(ctx context.Context, stop context.CancelCauseFunc) {
	if p.operatorsOn == nil {
		return
	}
	operations := p.operations
	operations.Own = true
	server := operations.HTTPServer("")
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // nobody loses anything
	if err := server.Serve(p.operatorsOn); !errors.Is(err, http.ErrServerClosed) {
		stop(fmt.Errorf("serve metrics: %w", err))
	}
}
