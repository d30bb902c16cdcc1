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
	"hark/storage"
	"hark/storage/work"
	"hark/transcribe"
)

func TestReady(t *testing.T) {
	b := newBench(t, 3500*time.Millisecond)
	if got := b.handle(t.Context(), t); got != (work.Outcome{Done: true}) {
		t.Fatalf("got %+v; log: %s", got, b.log)
	}
	if got, want := b.records.did(), []string{"begin", "sound", "rendition", "transcript"}; !slices.Equal(got, want) {
		t.Errorf("database was asked to %v, want %v", got, want)
	}
	if s := b.records.sound; s.DurationMS != 3500 || len(s.Peaks) != 100 || s.LoudnessLUFS > 0 || s.LoudnessLUFS < -40 {
		t.Errorf("sound is %+v", s)
	}
	if r := b.records.rendition; r.Key != "rendition" || r.Bytes != 5 || string(b.objectStore.objects[r.Key]) != "sound" {
		t.Errorf("rendition is %+v", r)
	}
	if got := b.records.transcript.Text(); got != "word word word" {
		t.Errorf("transcript is %q", got)
	}
	if b.last() != work.Done || b.audio != 3500*time.Millisecond {
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
	if got.Done || got.RetryAfter <= 0 || got.RetryAfter > 5*time.Second || b.records.retryAfter != got.RetryAfter {
		t.Errorf("got %+v, database waits %v", got, b.records.retryAfter)
	}
	if b.records.sound == nil || b.records.rendition == nil || b.records.transcript != nil || b.last() != work.Retried {
		t.Fatalf("database was asked to %v, ended %v", b.records.did(), b.last())
	}

	b.deps.Engine = parrot{}
	if got := b.handle(t.Context(), t); !got.Done || b.records.transcript == nil {
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
			b.records.task.Try = 4
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
			b.objectStore.objects["original"], b.records.task.Bytes = nil, 0
		}, "There is no sound in this recording.", false},
		{"no clip", func(b *bench) {
			delete(b.objectStore.objects, "original")
		}, "The sound of this recording is missing from the store. It has to be sent again.", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, 2*time.Second)
			tc.change(b)
			if got := b.handle(t.Context(), t); got != (work.Outcome{Done: true}) || b.last() != work.Failed {
				t.Errorf("got %+v, %v", got, b.last())
			}
			want := storage.ForGood
			if slices.Contains([]string{"refused clip", "refused halfway", "no sound"}, tc.name) {
				want = storage.Hopeless
			}
			if b.records.reason != tc.reason || b.records.retryAfter != want {
				t.Errorf("failed after %v with %q, want %v and %q", b.records.retryAfter, b.records.reason, want, tc.reason)
			}
			if saved := b.records.sound != nil && b.records.rendition != nil; saved != tc.audio {
				t.Errorf("audio saved: %v", saved)
			}
			if b.records.transcript != nil {
				t.Error("a transcript was saved")
			}
		})
	}
}

func TestRenditionErrorIsRetriedAndAtLastDoneWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.renderer.fail = func() error { return errors.New("no encoder") }
		if got := b.handle(t.Context(), t); got.Done || b.records.transcript != nil || b.records.sound == nil {
			t.Errorf("first attempt: %+v, database was asked to %v", got, b.records.did())
		}
		b.records.task.Try = 4
		if got := b.handle(t.Context(), t); !got.Done || b.records.transcript == nil || b.last() != work.Done {
			t.Errorf("last attempt: %+v, database was asked to %v", got, b.records.did())
		}
	})
}

func TestMomentsOfTroubleAreSatOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, time.Second)
		b.records.away = map[string]int{"sound": 2, "rendition": 2, "transcript": 4, "renew": 1}
		b.objectStore.putErrs = 2
		if got := b.handle(t.Context(), t); !got.Done || b.records.transcript == nil || b.records.rendition == nil {
			t.Errorf("got %+v, database was asked to %v", got, b.records.did())
		}
		if b.renderer.runs != 1 {
			t.Errorf("rendered %d times", b.renderer.runs)
		}
	})
}

func TestClipCutShortIsRetried(t *testing.T) {
	for _, more := range []int64{-2, 2} {
		b := newBench(t, time.Second)
		b.records.task.Bytes += more
		if got := b.handle(t.Context(), t); got.Done || b.last() != work.Retried || b.stages[decoding] != 0 {
			t.Errorf("%+d bytes: got %+v, %v", more, got, b.last())
		}
	}
}

func TestBegin(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(m *memory)
		want   func(work.Outcome) bool
	}{
		{"message deleted", func(m *memory) { m.deleted = true }, func(o work.Outcome) bool { return o.Done }},
		{
			"another's lease", func(m *memory) { m.leaseUntil = time.Now().Add(time.Hour) },
			func(o work.Outcome) bool { return o == work.Outcome{RetryAfter: 5 * time.Second, Missed: true} },
		},
		{
			"ledger away", func(m *memory) { m.away["begin"] = 1 },
			func(o work.Outcome) bool { return !o.Done && o.RetryAfter > 0 && o.RetryAfter <= 5*time.Second },
		},
	} {
		b := newBench(t, time.Second)
		tc.change(b.records)
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
				if got := b.handle(t.Context(), t); got.Done || b.last() != work.Retried || b.records.task.Attempt != 1 {
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
	if got := b.handle(t.Context(), t); got != (work.Outcome{RetryAfter: 7 * time.Minute}) {
		t.Errorf("got %+v", got)
	}
}

// A message that people retry after it failed starts with short delays again.
func TestTriesCountAnewWhenPeopleRetry(t *testing.T) {
	b := newBench(t, time.Second)
	b.records.task.Attempt = 5
	b.deps.Engine = parrot{before: func(context.Context) error { return errors.New("no") }}
	if got := b.handle(t.Context(), t); got.Done || got.RetryAfter > 5*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestNewWantsItsParts(t *testing.T) {
	b := newBench(t, time.Second)
	for name, change := range map[string]func(d *Deps, c *Config){
		"engine":  func(d *Deps, _ *Config) { d.Engine = nil },
		"scratch": func(_ *Deps, c *Config) { c.Scratch = "" },
	} {
		deps, cfg := b.deps, b.cfg
		change(&deps, &cfg)
		if _, err := New(deps, cfg); err == nil {
			t.Errorf("a worker without %s was made", name)
		}
	}
}

// A clip that is not in the store is gone only where the store is the database's
// own. Until that is sure the job waits, however often it has to.
func TestMissingClipOfAnotherStore(t *testing.T) {
	b := newBench(t, time.Second)
	clip := b.objectStore.objects["original"]
	delete(b.objectStore.objects, "original")
	doubt := errors.New("the store belongs to another database")
	b.deps.Agree = func(context.Context) error { return doubt }
	for range 7 { // more than its tries
		out := b.handle(t.Context(), t)
		if out.Done || out.RetryAfter != otherStoreWait || b.last() != work.Deferred || b.records.ended {
			t.Fatalf("%+v, %s; the message failed: %q", out, b.last(), b.records.reason)
		}
	}
	if !strings.Contains(b.log.String(), doubt.Error()) {
		t.Errorf("log: %s", b.log)
	}
	b.objectStore.objects["original"] = clip
	if out := b.handle(t.Context(), t); !out.Done || b.last() != work.Done {
		t.Errorf("%+v, %s", out, b.last())
	}
}
