package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/media"
	"hark/transcribe"
)

func TestReady(t *testing.T) {
	b := newBench(t, 3500*time.Millisecond)
	if got := b.handle(t.Context(), t); got != (Outcome{Done: true}) {
		t.Fatalf("got %+v; log: %s", got, b.log)
	}
	if got, want := b.ledger.did(), []string{"begin", "sound", "rendition", "transcript"}; !slices.Equal(got, want) {
		t.Errorf("ledger was asked to %v, want %v", got, want)
	}
	if s := b.ledger.sound; s.DurationMS != 3500 || len(s.Peaks) != 100 || s.LoudnessLUFS > 0 || s.LoudnessLUFS < -40 {
		t.Errorf("sound is %+v", s)
	}
	if r := b.ledger.rendition; r.Key != "rendition" || r.Bytes != 5 || string(b.shelf.objects[r.Key]) != "sound" {
		t.Errorf("rendition is %+v", r)
	}
	if got := b.ledger.transcript.Text(); got != "word word word" {
		t.Errorf("transcript is %q", got)
	}
	if b.last() != Ready || b.audio != 3500*time.Millisecond {
		t.Errorf("observer was told %v of %v", b.last(), b.audio)
	}
	for _, stage := range []string{fetching, decoding, analysing, listening, rendering, saving} {
		if b.stages[stage] != 1 {
			t.Errorf("observer was told of %s %d times", stage, b.stages[stage])
		}
	}
}

func TestEngineErrorKeepsTheAudioAndIsRetried(t *testing.T) {
	b := newBench(t, time.Second)
	b.deps.Engine = parrot{before: func(context.Context) error { return errors.New("cuda is unhappy") }}
	got := b.handle(t.Context(), t)
	if got.Done || got.RetryAfter <= 0 || got.RetryAfter > 5*time.Second || b.ledger.retryAfter != got.RetryAfter {
		t.Errorf("got %+v, ledger waits %v", got, b.ledger.retryAfter)
	}
	if b.ledger.sound == nil || b.ledger.rendition == nil || b.ledger.transcript != nil || b.last() != Retried {
		t.Fatalf("ledger was asked to %v, ended %v", b.ledger.did(), b.last())
	}

	b.deps.Engine = parrot{}
	if got := b.handle(t.Context(), t); !got.Done || b.ledger.transcript == nil {
		t.Fatalf("second attempt: %+v", got)
	}
	if b.renderer.runs != 1 || b.stages[analysing] != 1 {
		t.Errorf("what was saved was made again: %d renditions, %d analyses", b.renderer.runs, b.stages[analysing])
	}
}

func TestFinalFailures(t *testing.T) {
	failing := func(err error) transcribe.Engine {
		return parrot{before: func(context.Context) error { return err }}
	}
	for _, tc := range []struct {
		name   string
		change func(b *bench)
		reason string
		audio  bool // sound and rendition are saved all the same
	}{
		{"last attempt", func(b *bench) {
			b.ledger.task.Attempt = 4
			b.deps.Engine = failing(errors.New("secret detail"))
		}, "Work on this recording failed 5 times, at last while listening. The recording is kept. You can retry.", true},
		{"no model", func(b *bench) {
			b.deps.Engine = failing(fmt.Errorf("load: %w", transcribe.Fail(errors.New("ENOENT"), "The recogniser's model is missing.")))
		}, "The recogniser's model is missing.", true},
		{"bare permanent error", func(b *bench) {
			b.deps.Engine = failing(fmt.Errorf("secret detail: %w", transcribe.ErrPermanent))
		}, "The recogniser cannot work as it is set up; the server's log says why. The recording is kept and plays. Retry when the recogniser is mended.", true},
		{"refused clip", func(b *bench) {
			b.deps.Decoder = rawDecoder{fail: func(int64) error { return media.Refuse(media.Damaged, nil, "This is cut off.") }}
		}, "This is cut off.", false},
		{"refused halfway", func(b *bench) {
			b.deps.Decoder = rawDecoder{fail: func(done int64) error {
				if done < media.SampleRate {
					return nil
				}
				return media.Refuse(media.TooLong, nil, "This is too long.")
			}}
		}, "This is too long.", false},
		{"no sound", func(b *bench) {
			b.shelf.objects["original"], b.ledger.task.Bytes = nil, 0
		}, "There is no sound in this recording.", false},
		{"no clip", func(b *bench) {
			delete(b.shelf.objects, "original")
		}, "The sound of this recording is missing from the store. It has to be sent again.", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, 2*time.Second)
			tc.change(b)
			if got := b.handle(t.Context(), t); got != (Outcome{Done: true}) || b.last() != Failed {
				t.Errorf("got %+v, %v", got, b.last())
			}
			if b.ledger.reason != tc.reason || b.ledger.retryAfter >= 0 {
				t.Errorf("failed after %v with %q, want %q", b.ledger.retryAfter, b.ledger.reason, tc.reason)
			}
			if saved := b.ledger.sound != nil && b.ledger.rendition != nil; saved != tc.audio {
				t.Errorf("audio saved: %v", saved)
			}
			if b.ledger.transcript != nil {
				t.Error("a transcript was saved")
			}
		})
	}
}

// A clip that kills the process leaves attempts that began and never ended.
func TestJobThatKillsTheProcessEnds(t *testing.T) {
	b := newBench(t, time.Second)
	b.ledger.task.Attempt = 5
	if got := b.handle(t.Context(), t); !got.Done || b.last() != Failed {
		t.Fatalf("got %+v, %v", got, b.last())
	}
	if got := b.ledger.did(); !slices.Equal(got, []string{"begin", "fail"}) || b.stages[fetching] != 0 {
		t.Errorf("ledger was asked to %v", got)
	}
	if !strings.Contains(b.ledger.reason, "cut off 5 times") {
		t.Errorf("reason is %q", b.ledger.reason)
	}
}

func TestRenditionErrorIsRetriedAndAtLastDoneWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.renderer.fail = func() error { return errors.New("no encoder") }
		if got := b.handle(t.Context(), t); got.Done || b.ledger.transcript != nil || b.ledger.sound == nil {
			t.Errorf("first attempt: %+v, ledger was asked to %v", got, b.ledger.did())
		}
		b.ledger.task.Attempt = 4
		if got := b.handle(t.Context(), t); !got.Done || b.ledger.transcript == nil || b.last() != Ready {
			t.Errorf("last attempt: %+v, ledger was asked to %v", got, b.ledger.did())
		}
	})
}

func TestMomentsOfTroubleAreSatOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.ledger.away = map[string]int{"sound": 2, "rendition": 2, "transcript": 4, "renew": 1}
		b.shelf.putErrs = 2
		if got := b.handle(t.Context(), t); !got.Done || b.ledger.transcript == nil || b.ledger.rendition == nil {
			t.Errorf("got %+v, ledger was asked to %v", got, b.ledger.did())
		}
		if b.renderer.runs != 1 {
			t.Errorf("rendered %d times", b.renderer.runs)
		}
	})
}

func TestClipCutShortIsRetried(t *testing.T) {
	for _, more := range []int64{-2, 2} {
		b := newBench(t, time.Second)
		b.ledger.task.Bytes += more
		if got := b.handle(t.Context(), t); got.Done || b.last() != Retried || b.stages[decoding] != 0 {
			t.Errorf("%+d bytes: got %+v, %v", more, got, b.last())
		}
	}
}

func TestBegin(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(m *memory)
		want   func(Outcome) bool
	}{
		{"message deleted", func(m *memory) { m.deleted = true }, func(o Outcome) bool { return o.Done }},
		{
			"another's lease", func(m *memory) { m.leaseUntil = time.Now().Add(time.Hour) },
			func(o Outcome) bool { return o == Outcome{RetryAfter: 5 * time.Second} },
		},
		{
			"ledger away", func(m *memory) { m.away["begin"] = 1 },
			func(o Outcome) bool { return !o.Done && o.RetryAfter > 0 && o.RetryAfter <= 5*time.Second },
		},
	} {
		b := newBench(t, time.Second)
		tc.change(b.ledger)
		if got := b.handle(t.Context(), t); !tc.want(got) || len(b.results) > 0 {
			t.Errorf("%s: got %+v", tc.name, got)
		}
	}
}

func TestPanicsCostTheAttemptOnly(t *testing.T) {
	for name, change := range map[string]func(b *bench){
		"decoder":  func(b *bench) { b.deps.Decoder = rawDecoder{fail: func(int64) error { panic("bad frame") }} },
		"engine":   func(b *bench) { b.deps.Engine = parrot{before: func(context.Context) error { panic("bad model") }} },
		"renderer": func(b *bench) { b.renderer.fail = func() error { panic("bad gain") } },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, time.Second)
				change(b)
				if got := b.handle(t.Context(), t); got.Done || b.last() != Retried || b.ledger.task.Attempt != 1 {
					t.Errorf("got %+v, %v", got, b.last())
				}
				if !strings.Contains(b.log.String(), "helpers_test.go") || !strings.Contains(b.log.String(), "message=message") {
					t.Errorf("the log has no stack: %s", b.log)
				}
			})
		})
	}
}

// overloaded is a remote engine's answer.
type overloaded struct{}

func (overloaded) Error() string             { return "come back later" }
func (overloaded) RetryAfter() time.Duration { return 7 * time.Minute }

func TestEngineMayAskForTime(t *testing.T) {
	b := newBench(t, time.Second)
	b.deps.Engine = parrot{before: func(context.Context) error { return fmt.Errorf("remote: %w", overloaded{}) }}
	if got := b.handle(t.Context(), t); got != (Outcome{RetryAfter: 7 * time.Minute}) {
		t.Errorf("got %+v", got)
	}
}

// A message that people retry after it failed starts with short delays again.
func TestTriesCountAnewWhenPeopleRetry(t *testing.T) {
	b := newBench(t, time.Second)
	b.ledger.task.Attempt, b.ledger.task.MaxAttempts, b.ledger.task.Try = 5, 10, 1
	b.deps.Engine = parrot{before: func(context.Context) error { return errors.New("no") }}
	if got := b.handle(t.Context(), t); got.Done || got.RetryAfter > 5*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestDelaysGrowAndStayBounded(t *testing.T) {
	w := &Worker{cfg: Config{RetryBase: 5 * time.Second, RetryMax: time.Minute}}
	for attempt, bound := range map[int]time.Duration{1: 5 * time.Second, 3: 20 * time.Second, 4: 40 * time.Second, 5: time.Minute, 500: time.Minute} {
		for range 200 {
			if d := w.delay(attempt); d < bound/10 || d > bound {
				t.Fatalf("after attempt %d: %v", attempt, d)
			}
		}
	}
}

func TestNewWantsItsParts(t *testing.T) {
	b := newBench(t, time.Second)
	for name, change := range map[string]func(d *Deps, c *Config){
		"engine":  func(d *Deps, _ *Config) { d.Engine = nil },
		"errors":  func(d *Deps, _ *Config) { d.Errors.Stale = nil },
		"scratch": func(_ *Deps, c *Config) { c.Scratch = "" },
	} {
		deps, cfg := b.deps, b.cfg
		change(&deps, &cfg)
		if _, err := New(deps, cfg); err == nil {
			t.Errorf("a worker without %s was made", name)
		}
	}
}

// A clip that is not in the store is gone only where the store is the ledger's
// own. Until that is sure the job waits, however often it has to.
func TestMissingClipOfAnotherStore(t *testing.T) {
	b := newBench(t, time.Second)
	clip := b.shelf.objects["original"]
	delete(b.shelf.objects, "original")
	doubt := errors.New("the store belongs to another database")
	b.deps.Agree = func(context.Context) error { return doubt }
	for range 7 { // more than its tries
		out := b.handle(t.Context(), t)
		if out.Done || out.RetryAfter != otherStoreWait || b.last() != Deferred || b.ledger.ended {
			t.Fatalf("%+v, %s; the message failed: %q", out, b.last(), b.ledger.reason)
		}
	}
	if !strings.Contains(b.log.String(), doubt.Error()) {
		t.Errorf("log: %s", b.log)
	}
	b.shelf.objects["original"] = clip
	if out := b.handle(t.Context(), t); !out.Done || b.last() != Ready {
		t.Errorf("%+v, %s", out, b.last())
	}
}
