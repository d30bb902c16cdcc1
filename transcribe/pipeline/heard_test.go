package pipeline

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hark/media"
	"hark/storage"
	"hark/storage/work"
)

// deaf is an engine that nobody may ask.
func deaf(t *testing.T) parrot {
	return parrot{before: func(context.Context) error {
		t.Error("the engine was asked to listen")
		return nil
	}}
}

// heardBench is a bench whose message was heard while it was spoken, and ready
// since.
func heardBench(t *testing.T, length time.Duration) *bench {
	t.Helper()
	b := newBench(t, length)
	b.records.task.HaveTranscript = true
	b.deps.Engine = deaf(t)
	return b
}

func TestOnlyWhatIsMissingIsMade(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(b *bench)
		calls  []string
	}{
		{"all of the audio", func(*bench) {}, []string{"begin", "sound", "rendition", "finish"}},
		{"the rendition", func(b *bench) { b.records.sound = &storage.Sound{} }, []string{"begin", "rendition", "finish"}},
		{"the sound", func(b *bench) { b.records.rendition = &storage.Rendition{} }, []string{"begin", "sound", "finish"}},
		{"nothing", func(b *bench) {
			b.records.sound, b.records.rendition = &storage.Sound{}, &storage.Rendition{}
			delete(b.objectStore.objects, "original") // which nobody fetches
		}, []string{"begin", "finish"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := heardBench(t, 2*time.Second)
			tc.change(b)
			if got := b.handle(t.Context(), t); got != (work.Outcome{Done: true}) || b.last() != work.Done {
				t.Fatalf("got %+v, %v; log: %s", got, b.last(), b.log)
			}
			if got := b.records.did(); !slices.Equal(got, tc.calls) {
				t.Errorf("database was asked to %v, want %v", got, tc.calls)
			}
			if b.stages[listening] != 0 || b.records.transcript != nil {
				t.Error("it was listened to")
			}
			for _, name := range b.names {
				if name == listening {
					t.Error("people were told that it is listened to")
				}
			}
		})
	}
}

// Nothing makes up for a rendition that cannot be made: the last attempt of a
// job that was only there for it fails.
func TestRenditionOfAReadyMessageFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := heardBench(t, time.Second)
		b.renderer.fail = func() error { return errors.New("no encoder") }
		if got := b.handle(t.Context(), t); got.Done || b.last() != work.Retried || b.records.sound == nil {
			t.Errorf("first attempt: %+v, %v", got, b.last())
		}
		b.records.task.Try = 4
		if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Failed || slices.Contains(b.records.did(), "finish") {
			t.Errorf("last attempt: %+v, %v; database was asked to %v", got, b.last(), b.records.did())
		}
	})
}

func TestFinishIsSatOutAndOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := heardBench(t, time.Second)
		b.records.away["finish"] = 3
		if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Done || !b.records.ended {
			t.Errorf("got %+v, %v", got, b.last())
		}
		b = heardBench(t, time.Second)
		b.renderer.fail = func() error { b.records.remove(); return nil }
		if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Dropped {
			t.Errorf("deleted meanwhile: %+v, %v", got, b.last())
		}
	})
}

// What came in live is an Ogg/Opus that the real decoder and renderer take.
func TestRealRecordingThatWasHeard(t *testing.T) {
	clip := speech(t, "live.ogg", "-c:a", "libopus", "-b:a", "32k")
	b := realBench(t, clip)
	b.records.task.Format, b.records.task.HaveTranscript = media.OggOpus, true
	b.records.sound = &storage.Sound{DurationMS: 1}
	b.deps.Engine = deaf(t)
	if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Done {
		t.Fatalf("got %+v, %v; log: %s", got, b.last(), b.log)
	}
	length := b.audio.Seconds()
	if got := seconds(t, b.objectStore.objects["rendition"]); length < 1 || math.Abs(got-length) > 0.15 {
		t.Errorf("rendition is %v s, sound is %v s", got, length)
	}
	if b.records.sound.DurationMS != 1 {
		t.Error("what was measured live was measured again")
	}
}
