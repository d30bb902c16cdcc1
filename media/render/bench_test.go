package render

import (
	"testing"
	"time"

	"hark/media"
)

// benchSpeech is a minute of speech.
func benchSpeech(b *testing.B) []float32 {
	b.Helper()
	p := prompt(b, "demo-instruct")
	return p[:60*media.SampleRate]
}

// realTime reports how many times faster than the sound itself an iteration
// over p is.
func realTime(b *testing.B, p []float32) {
	b.Helper()
	sound := media.Duration(int64(len(p))) * time.Duration(b.N)
	b.ReportMetric(sound.Seconds()/b.Elapsed().Seconds(), "x-real-time")
}

func BenchmarkAnalyse(b *testing.B) {
	p := benchSpeech(b)
	spool := spoolOf(b, p)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Analyse(spool.NewReader(b.Context())); err != nil {
			b.Fatal(err)
		}
	}
	realTime(b, p)
}

func BenchmarkMeter(b *testing.B) {
	p := benchSpeech(b)
	m := NewMeter()
	b.ReportAllocs()
	for b.Loop() {
		m.Write(p)
	}
	realTime(b, p)
}

func BenchmarkWaveform(b *testing.B) {
	p := benchSpeech(b)
	var w Waveform
	b.ReportAllocs()
	for b.Loop() {
		w.Write(p)
	}
	realTime(b, p)
}

func BenchmarkTruePeak(b *testing.B) {
	p := benchSpeech(b)
	b.ReportAllocs()
	for b.Loop() {
		m := newPeakMeter()
		m.write(p)
	}
	realTime(b, p)
}

// BenchmarkLevel limits speech at the drive that -16 LUFS takes.
func BenchmarkLevel(b *testing.B) {
	p := benchSpeech(b)
	spool := spoolOf(b, p)
	b.ReportAllocs()
	for b.Loop() {
		if err := level(b.Context(), spool, 2, func([]float32) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	realTime(b, p)
}

func BenchmarkRender(b *testing.B) {
	p := benchSpeech(b)
	spool := spoolOf(b, p)
	a, err := Analyse(spool.NewReader(b.Context()))
	if err != nil {
		b.Fatal(err)
	}
	renderer := New(Config{FFmpeg: needTool(b, "ffmpeg"), ScratchDir: b.TempDir()})
	b.ReportAllocs()
	for b.Loop() {
		r, err := renderer.Render(b.Context(), spool, a)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
	realTime(b, p)
}
