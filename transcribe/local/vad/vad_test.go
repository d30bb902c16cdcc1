package vad

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	// The library of ONNX Runtime comes with it, as it does in the program.
	_ "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"
	ort "github.com/yalue/onnxruntime_go"

	"hark/media"
	"hark/transcribe/internal/onnx"
	"hark/transcribe/internal/speechtest"
)

// sileroPath locates the detector's file.
func sileroPath(t testing.TB) string {
	t.Helper()
	path := filepath.Join(speechtest.Models(t), "silero-vad", "silero_vad_v5.onnx")
	if _, err := os.Stat(path); err != nil {
		speechtest.Missing(t, "no detector: "+err.Error())
	}
	return path
}

func openModel(t testing.TB) *Model {
	t.Helper()
	m, err := Open(sileroPath(t), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func newDetector(t testing.TB, m *Model) *Detector {
	t.Helper()
	d, err := m.NewDetector()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
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
	if err := onnx.OpenRuntime(""); err != nil {
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
		{&o.input, ort.NewShape(1, contextSamples+WindowSamples)},
		{&o.state, ort.NewShape(2, 1, hidden)},
		{&o.output, ort.NewShape(1, 1)},
		{&o.stateAfter, ort.NewShape(2, 1, hidden)},
	} {
		if *tensor.to, err = ort.NewEmptyTensor[float32](tensor.shape); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*tensor.to).Destroy() })
	}
	if o.rate, err = ort.NewTensor(ort.NewShape(1), []int64{media.SampleRate}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.rate.Destroy() })
	return o
}

func (o *original) probabilities(samples []float32) (all []float32, err error) {
	for ; len(samples) > 0; samples = samples[WindowSamples:] {
		window, input := samples[:WindowSamples], o.input.GetData()
		copy(input, input[WindowSamples:])
		gain := o.volume.follow(window)
		for i, s := range window {
			input[contextSamples+i] = min(max(s*gain, -1), 1)
		}
		if err := o.session.Run([]ort.Value{o.input, o.state, o.rate}, []ort.Value{o.output, o.stateAfter}); err != nil {
			return nil, err
		}
		copy(o.state.GetData(), o.stateAfter.GetData())
		o.volume.answer(o.output.GetData())
		all = append(all, o.output.GetData()[0])
		if n := len(all); n%MostWindows == 0 && slices.Max(all[n-MostWindows:]) < quietWindow {
			clear(o.state.GetData())
		}
	}
	return all, nil
}

// dialogue is speech, faint speech, silence and music, in whole windows.
func dialogue(t testing.TB) []float32 {
	t.Helper()
	sound := append(speechtest.Prompt(t, "demo-echotest"), make([]float32, 2*media.SampleRate)...)
	for _, s := range speechtest.Prompt(t, "conf-usermenu-162") {
		sound = append(sound, s/50)
	}
	for i := range 2 * media.SampleRate {
		sound = append(sound, float32(speechtest.Melody(float64(i)/media.SampleRate)))
	}
	return sound[:len(sound)/WindowSamples*WindowSamples]
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
func in(d *Detector, sound []float32, sizes ...int) (all []float32, err error) {
	for i := 0; len(sound) > 0; i++ {
		n := min(sizes[i%len(sizes)]*WindowSamples, len(sound))
		some, err := d.Probabilities(sound[:n])
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
	m := openModel(t)
	for _, sizes := range [][]int{{1}, {MostWindows}, {len(want)}, {3, 1, MostWindows, 0, 7, 2 * MostWindows, 1, MostWindows - 1}} {
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
	m := openModel(t)
	var all sync.WaitGroup
	for i := range 4 {
		mine := sound[i*100*WindowSamples:]
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
	d := newDetector(t, openModel(t))
	if _, err := d.Probabilities(make([]float32, WindowSamples+1)); err == nil {
		t.Error("it took a window and a sample")
	}
	if got, err := d.Probabilities(nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing it says %v, %v", got, err)
	}
}

// BenchmarkDetector hears a dialogue by so many windows at a time, and
// with the file's own graph.
func BenchmarkDetector(b *testing.B) {
	sound := dialogue(b)
	windows := float64(len(sound) / WindowSamples)
	perWindow := func(b *testing.B) {
		b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/windows, "µs/window")
		b.ReportMetric(0, "ns/op")
	}
	m := openModel(b)
	for _, n := range []int{1, 4, 8, MostWindows} {
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
