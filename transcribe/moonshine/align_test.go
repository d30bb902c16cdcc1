package moonshine

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// listening makes the attention of tokens that were each heard from one of
// the frames on.
func listening(frames int, starts ...int) *attention {
	a := &attention{frames: frames}
	heads := make([]float32, 2*len(starts)*frames)
	for i, start := range starts {
		end := frames
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		for f := start; f < end; f++ {
			heads[i*frames+f], heads[(len(starts)+i)*frames+f] = 0.2, 0.1
		}
	}
	for i := range starts {
		a.add([][]float32{heads, heads}, i, len(starts))
	}
	return a
}

func TestStarts(t *testing.T) {
	for _, want := range [][]int{{0}, {0, 1, 2}, {0, 10, 11, 40}, {0, 63}} {
		if got := listening(64, want...).starts(); !slices.Equal(got, want) {
			t.Errorf("tokens start in frames %v, want %v", got, want)
		}
	}
}

func TestStartsAlwaysAdvance(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		frames := 1 + rng.IntN(40)
		rows := 1 + rng.IntN(frames)
		a := &attention{frames: frames}
		for range rows * frames {
			a.weights = append(a.weights, rng.Float32())
		}
		starts := a.starts()
		if len(starts) != rows || starts[0] != 0 || starts[rows-1] >= frames {
			t.Fatalf("%d tokens in %d frames start in %v", rows, frames, starts)
		}
		for i := 1; i < rows; i++ {
			if starts[i] <= starts[i-1] {
				t.Fatalf("%d tokens in %d frames start in %v", rows, frames, starts)
			}
		}
	}
}

// speech makes loud sound in spans of milliseconds, and a murmur elsewhere.
func speech(totalMS int, loud ...span) []float32 {
	samples := make([]float32, totalMS*sampleRate/1000)
	for i := range samples {
		level := 0.001
		for _, s := range loud {
			if ms := int64(i) * 1000 / sampleRate; ms >= s.start && ms < s.end {
				level = 0.3
			}
		}
		samples[i] = float32(level * math.Sin(float64(i)))
	}
	return samples
}

func TestPauses(t *testing.T) {
	for _, test := range []struct {
		name    string
		samples []float32
		want    []span
	}{
		{"nothing", nil, nil},
		{"less than a step", make([]float32, 100), nil},
		{"one pause", speech(1000, span{0, 400}, span{700, 1000}), []span{{400, 700}}},
		{"both edges", speech(1000, span{50, 950}), []span{{0, 50}, {950, 1000}}},
		{"a closure", speech(1000, span{0, 400}, span{460, 1000}), nil},
	} {
		got := pauses(test.samples)
		ok := len(got) == len(test.want)
		for i := 0; ok && i < len(got); i++ {
			ok = max(got[i].start-test.want[i].start, test.want[i].start-got[i].start) <= levelMS &&
				max(got[i].end-test.want[i].end, test.want[i].end-got[i].end) <= levelMS
		}
		if !ok {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

func TestAlign(t *testing.T) {
	// Two words and a full stop, over 100 frames of 24 ms and a bit.
	a := listening(100, 0, 20, 50, 60, 95)
	words := []wordTokens{{text: "one", first: 0, last: 0, end: 1}, {text: "two.", first: 1, last: 2, end: 2}, {text: "three", first: 3, last: 3, end: 4}}
	for _, test := range []struct {
		name string
		loud []span
		want []span
	}{
		{"no pauses", []span{{0, 2420}}, []span{{0, 480}, {480, 1200}, {1200, 2280}}},
		{"silence around", []span{{100, 2200}}, []span{{60, 480}, {480, 1200}, {1200, 2240}}},
		{"a pause at the full stop", []span{{0, 1150}, {1500, 2420}}, []span{{0, 480}, {480, 1190}, {1460, 2280}}},
		{"a breath in the pause", []span{{0, 1150}, {1290, 1320}, {1460, 2420}}, []span{{0, 480}, {480, 1190}, {1420, 2280}}},
		{"a pause within a word", []span{{0, 1700}, {1900, 2420}}, []span{{0, 480}, {480, 1200}, {1200, 2280}}},
	} {
		got := align(a, words, speech(2420, test.loud...))
		for i := range got {
			if max(got[i].start-test.want[i].start, test.want[i].start-got[i].start) > levelMS ||
				max(got[i].end-test.want[i].end, test.want[i].end-got[i].end) > levelMS {
				t.Errorf("%s: got %v, want %v", test.name, got, test.want)
				break
			}
		}
	}
}
