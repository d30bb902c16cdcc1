package local

import (
	"io"
	"slices"
	"testing"

	"hark/transcribe/local/vad"
)

// trickle is a clip of which ever so much is there at a time.
type trickle struct {
	samples []float32
	sizes   []int
}

func (s *trickle) ReadSamples(p []float32) (int, error) {
	if len(s.samples) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.sizes[0])], s.samples)
	s.samples = s.samples[n:]
	s.sizes = append(s.sizes[1:], s.sizes[0])
	return n, nil
}

func TestWindows(t *testing.T) {
	const most = vad.MostWindows * vad.WindowSamples
	for _, tt := range []struct {
		name  string
		clip  int   // samples
		there []int // of them at a time
		want  []int // windows at a time
	}{
		{"nothing", 0, []int{1}, []int{0}},
		{"one sample", 1, []int{1}, []int{1}},
		{"whole windows", 2 * vad.WindowSamples, []int{most}, []int{2, 0}},
		{"a long clip", most + 700, []int{1 << 20}, []int{vad.MostWindows, 1, 1}},
		{"no window waits for others", 1700, []int{300, 600}, []int{1, 1, 1, 1}},
		{"the rest is kept", 4 * vad.WindowSamples, []int{vad.WindowSamples + 500, 12}, []int{1, 1, 1, 1, 0}},
	} {
		samples := make([]float32, tt.clip)
		for i := range samples {
			samples[i] = float32(i + 1)
		}
		w := windows{src: &trickle{samples, tt.there}}
		var read []float32
		var got []int
		for ended := false; !ended; {
			var some []float32
			var err error
			if some, ended, err = w.next(t.Context()); err != nil {
				t.Fatal(err)
			}
			got = append(got, len(some)/vad.WindowSamples)
			read = append(read, some...)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v windows, want %v", tt.name, got, tt.want)
		}
		if len(read) < tt.clip || !slices.Equal(read[:tt.clip], samples) || slices.ContainsFunc(read[tt.clip:], func(s float32) bool { return s != 0 }) {
			t.Errorf("%s: other samples came, or no silence after them", tt.name)
		}
	}
}
