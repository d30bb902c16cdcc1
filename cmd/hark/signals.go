package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopSignals returns a context that ends when the program is asked to stop,
// with the signal as its cause (see interrupted): by an interrupt, by SIGTERM,
// or by SIGHUP, which the end of a terminal sends. A second interrupt or
// SIGTERM ends the program at once; SIGHUP does not, since a shell and the
// kernel each send one when a terminal is closed. A program that was started to
// outlive its terminal (nohup) ignores SIGHUP.
func stopSignals(parent context.Context) (context.Context, context.CancelFunc) {
	signals := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancelCause(parent)
	go func() {
		select {
		case s := <-signals:
			signal.Reset(os.Interrupt, syscall.SIGTERM) // SIGHUP stays registered: another one is nothing new
			cancel(interrupted{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// outliveReaders keeps the program running when nobody reads what it prints
// any more: writing then fails, where it would otherwise end the program by
// SIGPIPE.
func outliveReaders() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
