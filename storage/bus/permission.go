package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// The server answers a request that is forbidden by an error of the
// connection, not of the request, which then waits for its time-out in vain.
// watchDenials ends do's context when the server forbids something meanwhile,
// and returns what the server said.
func (b *Bus) watchDenials(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b.mu.Lock()
	b.denied = cancel
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.denied = nil
		b.mu.Unlock()
	}()
	err := do(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, nats.ErrPermissionViolation) {
		return cause
	}
	return err
}

// noteDenial tells who watches that the server forbade something.
func (b *Bus) noteDenial(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.denied != nil {
		b.denied(err)
	}
}

// probeSubjects finds out whether the user may use the subjects on which no
// request is made, so that it shows now and not when the first job comes.
// Nobody listens to what is published.
func (b *Bus) probeSubjects(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	probe := b.names.prefix + ".probe"
	for _, subject := range []string{probe, nats.NewInbox()} {
		sub, err := b.conn.SubscribeSync(subject)
		if err != nil {
			return fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		defer func() { _ = sub.Unsubscribe() }()
	}
	for _, subject := range []string{probe, "$JS.ACK." + b.names.stream() + ".probe"} {
		if err := b.conn.Publish(subject, nil); err != nil {
			return fmt.Errorf("publish to %s: %w", subject, err)
		}
	}
	if err := b.conn.FlushWithContext(ctx); err != nil {
		return err
	}
	if err := b.conn.LastError(); errors.Is(err, nats.ErrPermissionViolation) {
		return err
	}
	return nil
}
