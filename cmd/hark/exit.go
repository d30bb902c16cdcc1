package main

import (
	"context"
	"errors"
	"syscall"

	"hark/cmd/hark/terminal"
)

// The exit codes of all commands. One that is ended by a signal exits with 128
// and the signal's number: 130 after Ctrl-C.
const (
	exitFailed = 1 // it failed, or nothing was found
	exitUsage  = 2 // it was asked wrongly; of search, it failed
)

// codedError is an error that ends the program with a code of its own. One
// without an error inside says nothing.
type codedError struct {
	code int
	err  error // nil when all is said
}

func (e *codedError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *codedError) Unwrap() error { return e.err }

// usageError is an error in how a command was asked.
func usageError(text string) error { return &codedError{exitUsage, errors.New(text)} }

// interrupted is the cause by which a signal ends the commands' context.
type interrupted struct{ signal syscall.Signal }

func (i interrupted) Error() string {
	if i.signal == syscall.SIGINT {
		return "interrupted"
	}
	return i.signal.String()
}

// Is makes it a way of being cancelled.
func (i interrupted) Is(target error) bool { return target == context.Canceled }

// wasInterrupted reports whether err came of a signal that has ended ctx.
func wasInterrupted(ctx context.Context, err error) bool {
	var i interrupted
	return errors.As(context.Cause(ctx), &i) && errors.Is(err, context.Canceled)
}

// exitCode is what the program ends with after a command that returned err.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	var i interrupted
	if errors.As(context.Cause(ctx), &i) {
		return 128 + int(i.signal)
	}
	var coded *codedError
	if errors.As(err, &coded) {
		return coded.code
	}
	return exitFailed
}

// said is what people are told of an error; empty when all is said.
func said(ctx context.Context, err error) string {
	if wasInterrupted(ctx, err) {
		return context.Cause(ctx).Error()
	}
	return terminal.PrintableLines(err.Error())
}
