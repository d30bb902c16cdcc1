package pipeline

import (
	"context"
	"os"
	"runtime"
	"testing"

	"hark/media"
	"hark/media/decode"
	"hark/storage/work"
)

// fiveMinutes is a decoder that makes a quiet noise of five minutes of any clip, and
// looks at the memory in use while it does.
type fiveMinutes struct{ peak *uint64 }

func (h fiveMinutes) Decode(_ context.Context, _ *os.File, _ int64, _ media.Format, sink decode.Sink) (r decode.Report, err error) {
	p := make([]float32, media.SampleRate)
	state := uint32(1)
	for second := range 300 {
		for i := range p {
			state = state*1664525 + 1013904223
			p[i] = float32(int32(state)) / (1 << 34)
		}
		if err := sink(p, nil); err != nil {
			return r, err
		}
		if second%30 == 0 {
			*h.peak = max(*h.peak, heap())
		}
	}
	return r, nil
}

// heap is what is live after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestMemoryDoesNotGrowWithTheClip(t *testing.T) {
	b := newBench(t, 0)
	var peak uint64
	b.deps.Decoder = fiveMinutes{&peak}
	before := heap()
	if got := b.handle(t.Context(), t); !got.Done || b.last() != work.Done {
		t.Fatalf("got %+v; log: %s", got, b.log)
	}
	if grown := int64(peak) - int64(before); grown > 2<<20 {
		t.Errorf("five minutes took %d kB of memory", grown>>10)
	}
	if b.records.sound.DurationMS != 300_000 {
		t.Errorf("sound is %d ms long", b.records.sound.DurationMS)
	}
}
