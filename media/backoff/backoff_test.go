package backoff

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
)

func TestWaitsDoubleUpToTheLongest(t *testing.T) {
	p := Policy{First: time.Second, Most: 5 * time.Second}
	for failures, want := range map[int]time.Duration{0: 1, 1: 1, 2: 2, 3: 4, 4: 5, 100: 5, math.MaxInt: 5} {
		want *= time.Second
		if got := p.Bound(failures); got != want {
			t.Errorf("bound after %d failures is %v, want %v", failures, got, want)
		}
		for range 200 {
			if got := p.After(failures); got < want/2 || got > want {
				t.Errorf("after %d failures one waits %v, want %v to %v", failures, got, want/2, want)
			}
		}
	}
	if got := (Policy{First: math.MaxInt64 / 2, Most: math.MaxInt64 - 1}).Bound(9); got != math.MaxInt64-1 {
		t.Errorf("a bound that overflows is %v", got)
	}
	if got := (Policy{}).After(3); got != 0 {
		t.Errorf("without bounds one waits %v", got)
	}
	if got := (Policy{First: time.Second}).Bound(5); got != time.Second {
		t.Errorf("without a longest it is %v", got)
	}
}

func TestWaitsDiffer(t *testing.T) {
	p := Policy{First: time.Hour}
	seen := map[time.Duration]bool{}
	for range 20 {
		seen[p.After(1)] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 waits are of %d lengths", len(seen))
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	if err := Sleep(t.Context(), time.Millisecond); err != nil {
		t.Errorf("a wait that was not cut off failed: %v", err)
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if err := Sleep(ctx, time.Hour); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
