package sherpa

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	ort "github.com/yalue/onnxruntime_go"

	"hark/transcribe/moonshine"
)

// sileroPath locates the detector's file.
func sileroPath(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("HARK_MODELS")
	if dir == "" {
		missing(t, "HARK_MODELS does not name a folder with models")
	}
	path := filepath.Join(dir, "silero-vad", "silero_vad_v5.onnx")
	if _, err := os.Stat(path); err != nil {
		missing(t, "no detector: "+err.Error())
	}
	return path
}

func vad(t testing.TB) *vadModel {
	t.Helper()
	m, err := openVAD(sileroPath(t), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	return m
}

func newDetector(t testing.TB, m *vadModel) *detector {
	t.Helper()
	d, err := m.newDetector()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	return d
}

// original runs the graph of the file as it is, a window at a time.
type original struct {
	session                          *ort.DynamicAdvancedSession
	volume                           volume
	input, state, output, stateAfter *ort.Tensor[float32]
	rate                             *ort.Tensor[int64]
}

func newOriginal(t testing.TB) *original {
	t.Helper()
	path := sileroPath(t)
	if err := moonshine.OpenRuntime(""); err != nil {
		t.Fatal(err)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		t.Fatal(err)
	}
	defer options.Destroy()
	if err := options.SetIntraOpNumThreads(1); err != nil {
		t.Fatal(err)
	}
	o := &original{}
	o.session, err = ort.NewDynamicAdvancedSession(path, []string{"input", "state", "sr"}, []string{"output", "stateN"}, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.session.Destroy() })
	for _, tensor := range []struct {
		to    **ort.Tensor[float32]
		shape ort.Shape
	}{
		{&o.input, ort.NewShape(1, contextSamples+windowSamples)},
		{&o.state, ort.NewShape(2, 1, hidden)},
		{&o.output, ort.NewShape(1, 1)},
		{&o.stateAfter, ort.NewShape(2, 1, hidden)},
	} {
		if *tensor.to, err = ort.NewEmptyTensor[float32](tensor.shape); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*tensor.to).Destroy() })
	}
	if o.rate, err = ort.NewTensor(ort.NewShape(1), []int64{sampleRate}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.rate.Destroy() })
	return o
}

func (o *original) probabilities(samples []float32) (all []float32, err error) {
	for ; len(samples) > 0; samples = samples[windowSamples:] {
		window, input := samples[:windowSamples], o.input.GetData()
		copy(input, input[windowSamples:])
		gain := o.volume.follow(window)
		for i, s := range window {
			input[contextSamples+i] = min(max(s*gain, -1), 1)
		}
		if err := o.session.Run([]ort.Value{o.input, o.state, o.rate}, []ort.Value{o.output, o.stateAfter}); err != nil {
			return nil, err
		}
		copy(o.state.GetData(), o.stateAfter.GetData())
		all = append(all, o.output.GetData()[0])
	}
	return all, nil
}

// dialogue is speech, faint speech, silence and music, in whole windows.
func dialogue(t testing.TB) []float32 {
	t.Helper()
	sound := append(prompt(t, "demo-echotest"), make([]float32, 2*sampleRate)...)
	for _, s := range prompt(t, "conf-usermenu-162") {
		sound = append(sound, s/50)
	}
	for i := range 2 * sampleRate {
		sound = append(sound, float32(melody(float64(i)/sampleRate)))
	}
	return sound[:len(sound)/windowSamples*windowSamples]
}

// farthest returns how far two lists of probabilities are from each other at most.
func farthest(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var most float64
	for i := range a {
		if off := math.Abs(float64(a[i]) - float64(b[i])); !(off <= most) {
			most = off
		}
	}
	return most
}

// in asks for the windows of sound, so many at a time.
func in(d *detector, sound []float32, sizes ...int) (all []float32, err error) {
	for i := 0; len(sound) > 0; i++ {
		n := min(sizes[i%len(sizes)]*windowSamples, len(sound))
		some, err := d.probabilities(sound[:n])
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		sound = sound[n:]
	}
	return all, nil
}

func TestDetectorAnswersAsTheOriginal(t *testing.T) {
	sound := dialogue(t)
	want, err := newOriginal(t).probabilities(sound)
	if err != nil {
		t.Fatal(err)
	}
	var speech int
	for _, p := range want {
		if p > 0.5 {
			speech++
		}
	}
	if speech < 100 || len(want)-speech < 100 {
		t.Fatalf("%d of %d windows are speech, which says little", speech, len(want))
	}
	m := vad(t)
	for _, sizes := range [][]int{{1}, {mostWindows}, {len(want)}, {3, 1, mostWindows, 0, 7, 2 * mostWindows, 1, mostWindows - 1}} {
		got, err := in(newDetector(t, m), sound, sizes...)
		if err != nil {
			t.Fatal(err)
		}
		if off := farthest(got, want); !(off < 1e-4) {
			t.Errorf("windows by %v: %v off", sizes, off)
		}
	}
}

func TestDetectorsAreIndependent(t *testing.T) {
	sound := dialogue(t)
	m := vad(t)
	var all sync.WaitGroup
	for i := range 4 {
		mine := sound[i*100*windowSamples:]
		want, err := in(newDetector(t, m), mine, 1)
		if err != nil {
			t.Fatal(err)
		}
		d := newDetector(t, m)
		all.Go(func() {
			got, err := in(d, mine, i+1)
			if err != nil {
				t.Error(err)
			}
			if off := farthest(got, want); !(off < 1e-4) {
				t.Errorf("detector %d beside others: %v off", i, off)
			}
		})
	}
	all.Wait()
}

func TestDetectorRefusesPartsOfWindows(t *testing.T) {
	d := newDetector(t, vad(t))
	if _, err := d.probabilities(make([]float32, windowSamples+1)); err == nil {
		t.Error("it took a window and a sample")
	}
	if got, err := d.probabilities(nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing it says %v, %v", got, err)
	}
}

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
	const most = mostWindows * windowSamples
	for _, tt := range []struct {
		name  string
		clip  int   // samples
		there []int // of them at a time
		want  []int // windows at a time
	}{
		{"nothing", 0, []int{1}, []int{0}},
		{"one sample", 1, []int{1}, []int{1}},
		{"whole windows", 2 * windowSamples, []int{most}, []int{2, 0}},
		{"a long clip", most + 700, []int{1 << 20}, []int{mostWindows, 1, 1}},
		{"no window waits for others", 1700, []int{300, 600}, []int{1, 1, 1, 1}},
		{"the rest is kept", 4 * windowSamples, []int{windowSamples + 500, 12}, []int{1, 1, 1, 1, 0}},
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
			got = append(got, len(some)/windowSamples)
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

// BenchmarkDetector hears a dialogue by so many windows at a time, and
// with the file's own graph.
func BenchmarkDetector(b *testing.B) {
	sound := dialogue(b)
	windows := float64(len(sound) / windowSamples)
	perWindow := func(b *testing.B) {
		b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/windows, "µs/window")
		b.ReportMetric(0, "ns/op")
	}
	m := vad(b)
	for _, n := range []int{1, 4, mostWindows} {
		b.Run(fmt.Sprintf("windows=%d", n), func(b *testing.B) {
			d := newDetector(b, m)
			for b.Loop() {
				if _, err := in(d, sound, n); err != nil {
					b.Fatal(err)
				}
			}
			perWindow(b)
		})
	}
	b.Run("original", func(b *testing.B) {
		o := newOriginal(b)
		for b.Loop() {
			if _, err := o.probabilities(sound); err != nil {
				b.Fatal(err)
			}
		}
		perWindow(b)
	})
}
