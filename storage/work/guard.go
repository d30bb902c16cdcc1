package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// panicError is the error of code that panicked: a decoder on a clip made to
// break it, say. It costs the attempt and not the process.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// Guard runs fn and turns a panic into an error. A handler has to guard the
// goroutines that it starts; that of its own [Runner] guards.
func Guard(fn func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	return fn()
}

// logPanic logs the stack when err comes from a panic.
func logPanic(ctx context.Context, log *slog.Logger, err error) {
	var p *panicError
	if errors.As(err, &p) {
		log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p.value), "stack", string(p.stack))
	}
}
