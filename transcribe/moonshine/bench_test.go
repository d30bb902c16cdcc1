package moonshine

import (
	"maps"
	"slices"
	"testing"
	"time"

	sherpa "github.com/k2-fsa/sherpa-onnx-go/sherpa_onnx"

	"hark/transcribe/internal/speechtest"
)

// BenchmarkAgainstSherpa hears the same prompts with this package and with
// sherpa-onnx's Moonshine recogniser, one after the other on one thread, and
// reports how much of sherpa's time this one takes and how often real time it
// goes.
func BenchmarkAgainstSherpa(b *testing.B) {
	for _, size := range sizes {
		b.Run(size, func(b *testing.B) {
			m, peer := load(b, size), newPeer(b, size)
			var clips [][]float32
			var sound time.Duration
			for _, name := range slices.Sorted(maps.Keys(prompts)) {
				clip := speechtest.Prompt(b, name)
				clips = append(clips, clip)
				sound += time.Duration(len(clip)) * time.Second / sampleRate
			}
			var ours, theirs time.Duration
			for b.Loop() {
				for _, clip := range clips {
					start := time.Now()
					if _, err := m.Recognise(b.Context(), clip); err != nil {
						b.Fatal(err)
					}
					half := time.Now()
					peer(clip)
					ours += half.Sub(start)
					theirs += time.Since(half)
				}
			}
			b.ReportMetric(ours.Seconds()/theirs.Seconds(), "of-sherpa's-time")
			b.ReportMetric(float64(b.N)*sound.Seconds()/ours.Seconds(), "x-real-time")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// newPeer opens sherpa-onnx's recogniser on the same files.
func newPeer(b *testing.B, size string) func(samples []float32) {
	b.Helper()
	files := config(b, size)
	cfg := sherpa.OfflineRecognizerConfig{DecodingMethod: "greedy_search"}
	cfg.FeatConfig = sherpa.FeatureConfig{SampleRate: sampleRate, FeatureDim: 80}
	cfg.ModelConfig.Moonshine = sherpa.OfflineMoonshineModelConfig{Encoder: files.Encoder, MergedDecoder: files.Decoder}
	cfg.ModelConfig.Tokens = files.Tokens
	cfg.ModelConfig.NumThreads = 1
	recogniser := sherpa.NewOfflineRecognizer(&cfg)
	if recogniser == nil {
		b.Fatal("sherpa-onnx does not open the model")
	}
	b.Cleanup(func() { sherpa.DeleteOfflineRecognizer(recogniser) })
	return func(samples []float32) {
		stream := sherpa.NewOfflineStream(recogniser)
		defer sherpa.DeleteOfflineStream(stream)
		stream.AcceptWaveform(sampleRate, samples)
		recogniser.Decode(stream)
		_ = stream.GetResult()
	}
}
