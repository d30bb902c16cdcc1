package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopSignals returns a context that ends when the program is asked to stop:
// by an interrupt, by SIGTERM, or by SIGHUP, which the end of a terminal
// sends. A second interrupt or SIGTERM ends the program at once; SIGHUP does
// not, since a shell and the kernel each send one when a terminal is closed.
// A program that was started to outlive its terminal (nohup) ignores SIGHUP.
func stopSignals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	if signal.Ignored(syscall.SIGHUP) {
		return ctx, stop
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-hangup:
			cancel() // hangup stays registered: another one is nothing new
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		stop()
	}
}

// outliveReaders keeps the program running when nobody reads what it prints
// any more: writing then fails, where it would otherwise end the program by
// SIGPIPE.
func outliveReaders() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
