package intake

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestGate(t *testing.T) {
	g := newGate(2, 3, time.Millisecond)
	var leave []func()
	for _, user := range []string{"a", "a", "b"} {
		l, err := g.enter(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := g.enter(t.Context(), "a"); !errors.Is(err, ErrTooManyUploads) {
		t.Errorf("a third of one user: %v", err)
	}
	if _, err := g.enter(t.Context(), "b"); !errors.Is(err, ErrSaturated) {
		t.Errorf("a fourth of all: %v", err)
	}
	for _, l := range leave {
		l()
	}
	wantEmpty(t, g)
}

// TestGateInTurn has two hundred of one user come at once: all get in, two at a
// time.
func TestGateInTurn(t *testing.T) {
	g := newGate(2, 3, time.Minute)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			leave, err := g.enter(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			if n := g.inFlight(); n > 2 {
				t.Errorf("%d are in", n)
			}
			leave()
		})
	}
	all.Wait()
	wantEmpty(t, g)
}

func TestGateLeftWaiting(t *testing.T) {
	g := newGate(1, 1, time.Minute)
	leave, err := g.enter(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.enter(ctx, "a"); !errors.Is(err, ErrIncomplete) {
		t.Errorf("a sender who has gone: %v", err)
	}
	g.waiting = maxWaiting
	if _, err := g.enter(t.Context(), "a"); !errors.Is(err, ErrTooManyUploads) {
		t.Errorf("one too many to wait: %v", err)
	}
	g.waiting = 0
	leave()
	wantEmpty(t, g)
}

func wantEmpty(t *testing.T, g *gate) {
	t.Helper()
	if g.inFlight() != 0 || g.waiting != 0 || len(g.users) != 0 {
		t.Errorf("%d in flight, %d waiting, users %v, after all have left", g.inFlight(), g.waiting, g.users)
	}
}
