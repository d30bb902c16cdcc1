package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hark/storage"
	"hark/storage/work"
)

var errShutdown = errors.New("shutting down")

// In these tests time is synctest's: it passes only while all work waits, and
// no goroutine may be left at the end.

func TestMessageDeletedMidway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.deps.Engine = parrot{before: func(ctx context.Context) error {
			b.records.remove()
			return untilCancelled(ctx)
		}}
		begun := time.Now()
		if got := b.handle(t.Context(), t); got != (work.Outcome{Done: true}) || b.last() != work.Dropped {
			t.Errorf("got %+v, %v", got, b.last())
		}
		if took := time.Since(begun); took > b.cfg.Lease/3 {
			t.Errorf("noticed after %v", took)
		}
		if got := b.records.did(); slices.Contains(got, "fail") || slices.Contains(got, "transcript") {
			t.Errorf("database was asked to %v", got)
		}
	})
}

func TestDeletedMessageIsNoticedWhenSaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.renderer.fail = func() error { b.records.remove(); return nil }
		b.deps.Engine = parrot{before: untilCancelled}
		if got := b.handle(t.Context(), t); got != (work.Outcome{Done: true}) || b.last() != work.Dropped {
			t.Errorf("got %+v, %v", got, b.last())
		}
	})
}

func TestSupersededAttemptIsDropped(t *testing.T) {
	b := newBench(t, time.Second)
	b.deps.Engine = parrot{before: func(context.Context) error {
		b.records.mu.Lock()
		defer b.records.mu.Unlock()
		b.records.task.Attempt++
		return nil
	}}
	if got := b.handle(t.Context(), t); got != (work.Outcome{Done: true}) || b.last() != work.Dropped || b.records.transcript != nil {
		t.Errorf("got %+v, %v", got, b.last())
	}
}

func TestLeaseLostMidway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.records.away["renew"] = 1000
		b.deps.Engine = parrot{before: untilCancelled}
		begun := time.Now()
		if got := b.handle(t.Context(), t); got != (work.Outcome{RetryAfter: b.cfg.Lease}) || b.last() != work.Lost {
			t.Errorf("got %+v, %v", got, b.last())
		}
		if took := time.Since(begun); took != b.cfg.Lease {
			t.Errorf("gave up after %v", took)
		}
		if slices.Contains(b.records.did(), "fail") {
			t.Error("a lost attempt was reported")
		}
	})
}

func TestLeaseSurvivesALedgerThatStumbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, 10*time.Second)
		b.records.away["renew"] = 2
		b.deps.Engine = parrot{pace: 10 * time.Second}
		if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Done {
			t.Errorf("got %+v, %v", got, b.last())
		}
	})
}

func TestUnreportedEndIsLeftToTheLease(t *testing.T) {
	b := newBench(t, time.Second)
	b.records.away["fail"] = 1
	b.deps.Engine = parrot{before: func(context.Context) error { return errors.New("no") }}
	if got := b.handle(t.Context(), t); got != (work.Outcome{RetryAfter: b.cfg.Lease}) || b.last() != work.Lost {
		t.Errorf("got %+v, %v", got, b.last())
	}
}

func TestShutdownMidway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		ctx, cancel := context.WithCancelCause(t.Context())
		b.deps.Engine = parrot{before: untilCancelled}
		time.AfterFunc(time.Minute, func() { cancel(errShutdown) })
		if got := b.handle(ctx, t); got != (work.Outcome{}) || b.last() != work.Released {
			t.Errorf("got %+v, %v", got, b.last())
		}
		if b.records.task.Try != 0 || !b.records.leaseUntil.IsZero() {
			t.Errorf("the job was not handed back: %+v", b.records.task)
		}

		b.deps.Engine = parrot{}
		if got := b.handle(t.Context(), t); !got.Done || b.records.transcript == nil {
			t.Errorf("afterwards: %+v", got)
		}
	})
}

func TestShutdownAtEveryStage(t *testing.T) {
	for name, change := range map[string]func(b *bench, stop func()){
		"decoding": func(b *bench, stop func()) {
			b.deps.Decoder = rawDecoder{fail: func(int64) error { stop(); return nil }}
		},
		"rendering": func(b *bench, stop func()) { b.renderer.fail = func() error { stop(); return context.Canceled } },
		"listening": func(b *bench, stop func()) {
			b.deps.Engine = parrot{before: func(ctx context.Context) error { stop(); return ctx.Err() }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, time.Second)
				ctx, cancel := context.WithCancelCause(t.Context())
				change(b, func() { cancel(errShutdown) })
				if got := b.handle(ctx, t); got != (work.Outcome{}) || b.last() != work.Released {
					t.Errorf("got %+v, %v; log: %s", got, b.last(), b.log)
				}
			})
		})
	}
}

func TestCancelledBecauseDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		b.deps.Engine = parrot{before: func(ctx context.Context) error {
			b.records.remove()
			cancel()
			return untilCancelled(ctx)
		}}
		if got := b.handle(ctx, t); got != (work.Outcome{Done: true}) || b.last() != work.Dropped {
			t.Errorf("got %+v, %v", got, b.last())
		}
	})
}

// A listener that hangs must not hold up the work, nor outlive it.
func TestProgressThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Minute)
		b.deps.Engine = parrot{pace: 100 * time.Millisecond}
		b.deps.Progress = hanging{}
		begun := time.Now()
		if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Done {
			t.Errorf("got %+v", got)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// hanging is a progress that takes long.
type hanging struct{}

func (hanging) Progress(ctx context.Context, _ storage.Task, _ float64, _ string) {
	select {
	case <-ctx.Done():
	case <-time.After(8 * time.Second):
	}
}

func TestProgressOfALongClip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Minute)
		b.deps.Engine = parrot{pace: 480 * time.Millisecond}
		if got := b.handle(t.Context(), t); !got.Done {
			t.Fatalf("got %+v", got)
		}
		if n := len(b.fractions); n < 30 || n > 62 { // 29 s of work
			t.Errorf("told %d times", n)
		}
		for i := 1; i < len(b.fractions); i++ {
			if b.fractions[i] < b.fractions[i-1] || b.fractions[i] > 1 {
				t.Errorf("progress went from %v to %v", b.fractions[i-1], b.fractions[i])
			}
			if gap := b.times[i].Sub(b.times[i-1]); gap < meterEvery {
				t.Errorf("told again after %v", gap)
			}
			if b.names[i] == b.names[i-1] && b.fractions[i]-b.fractions[i-1] < meterStep {
				t.Errorf("told of a change from %v to %v", b.fractions[i-1], b.fractions[i])
			}
		}
		if last := b.fractions[len(b.fractions)-1]; last < 0.9 {
			t.Errorf("progress ended at %v", last)
		}
		if b.names[0] != fetching || !slices.Contains(b.names, listening) {
			t.Errorf("stages were %v", b.names)
		}
	})
}
