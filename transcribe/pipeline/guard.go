package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// panicError is the error of code that panicError: a decoder on a clip made to
// break it, say. It costs the attempt and not the process.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// guard runs fn and turns a panic into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return fn()
}

// logPanic logs the stack when err comes from a panic.
func (a *attempt) logPanic(ctx context.Context, err error) {
	var p *panicError
	if errors.As(err, &p) {
		a.log.ErrorContext(ctx, "panic in a job", "panic", fmt.Sprint(p.value), "stack", string(p.stack))
	}
}

// routine is guarded work in a goroutine of its own.
type routine struct {
	done chan struct{}
	err  error // valid once done is closed
}

// start runs fn. The caller waits for it.
func start(fn func() error) *routine {
	r := &routine{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = guard(fn)
	}()
	return r
}

// wait returns fn's error once it has ended. It may be called by several.
func (r *routine) wait() error {
	<-r.done
	return r.err
}

// isDone reports whether fn has ended.
func (r *routine) isDone() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
