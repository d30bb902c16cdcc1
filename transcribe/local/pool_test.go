package local

import (
	"context"
	"errors"
	"slices"
	"testing"

	"hark/transcribe"
)

// held makes a pool of one slot whose worker is busy until release is called.
func held(t *testing.T) (p *pool, release func()) {
	t.Helper()
	p = newPool(1)
	t.Cleanup(p.close)
	begun, end := make(chan struct{}), make(chan struct{})
	p.submit(t.Context(), &share{}, 0, func(context.Context) {
		close(begun)
		<-end
	})
	<-begun
	return p, func() { close(end) }
}

func TestPoolOrder(t *testing.T) {
	p, release := held(t)
	var order []string
	var jobs []*job
	submit := func(s *share, name string) {
		jobs = append(jobs, p.submit(t.Context(), s, 10, func(context.Context) { order = append(order, name) }))
	}
	long, other := &share{priority: transcribe.Bulk}, &share{priority: transcribe.Bulk}
	short, shorter := &share{}, &share{}
	for range 3 {
		submit(long, "long")
	}
	submit(other, "other")
	submit(short, "short")
	submit(short, "short")
	submit(shorter, "shorter")
	release()
	for _, j := range jobs {
		<-j.done
	}
	want := []string{"short", "shorter", "short", "long", "other", "long", "long"}
	if !slices.Equal(order, want) {
		t.Errorf("order is %v, want %v", order, want)
	}
}

func TestPoolNewcomerDoesNotMakeUpForThePast(t *testing.T) {
	p, release := held(t)
	old, young := &share{used: 1000}, &share{}
	a := p.submit(t.Context(), old, 10, func(context.Context) {})
	b := p.submit(t.Context(), young, 10, func(context.Context) {})
	if young.used != 1000 {
		t.Errorf("a newcomer starts at %d, want 1000 like the other", young.used)
	}
	release()
	<-a.done
	<-b.done
}

func TestPoolGivesUp(t *testing.T) {
	p, release := held(t)
	s := &share{}
	never := func(context.Context) { t.Error("work that was given up ran") }
	gone := errors.New("gone")
	forgotten := p.submit(t.Context(), s, 1, never)
	p.forget(s, gone)
	<-forgotten.done
	if !errors.Is(forgotten.err, gone) {
		t.Errorf("forgotten work has %v", forgotten.err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancelled := p.submit(ctx, s, 1, never)
	cancel(gone)
	release()
	<-cancelled.done
	if !errors.Is(cancelled.err, gone) {
		t.Errorf("cancelled work has %v", cancelled.err)
	}
	p.close()
	late := p.submit(t.Context(), s, 1, never)
	<-late.done
	if !errors.Is(late.err, transcribe.ErrClosed) {
		t.Errorf("late work has %v", late.err)
	}
}

func TestPoolMakesRoomForTheUrgent(t *testing.T) {
	p := newPool(1)
	t.Cleanup(p.close)
	outdated := errors.New("outdated")
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := make(chan struct{})
	patient := &job{ctx: ctx, share: &share{}, run: func(ctx context.Context) {
		close(begun)
		<-ctx.Done()
	}}
	patient.yield = func() { cancel(outdated) }
	p.queue(patient)
	<-begun
	equal := p.submit(t.Context(), &share{}, 1, func(context.Context) {})
	if context.Cause(ctx) != nil {
		t.Error("it yielded to work that is no more urgent")
	}
	urgent := p.submit(t.Context(), &share{priority: transcribe.Live}, 1, func(context.Context) {
		if !errors.Is(context.Cause(ctx), outdated) {
			t.Error("nothing yielded")
		}
	})
	<-urgent.done
	<-equal.done
}

func TestPoolWithdraws(t *testing.T) {
	p, release := held(t)
	told := make(chan struct{})
	j := &job{
		ctx: t.Context(), share: &share{priority: transcribe.Live}, onDone: func() { close(told) },
		run: func(context.Context) { t.Error("work that was withdrawn ran") },
	}
	p.queue(j)
	if !p.waits(transcribe.Live) || !p.waits(transcribe.Bulk) {
		t.Error("what waits is not seen")
	}
	if !p.withdraw(j, errOutdated) || p.withdraw(j, errOutdated) || p.waits(transcribe.Bulk) {
		t.Error("work is withdrawn once")
	}
	<-told
	<-j.done
	release()
}
