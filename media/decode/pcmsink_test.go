package decode

import (
	"math"
	"slices"
	"testing"

	"hark/media"
)

// through writes interleaved sound in portions and returns what the sink got.
func through(t testing.TB, rate, channels, step int, p []float32) (left, right []float32) {
	t.Helper()
	out := newPCMSink(t.Context(), 0, func(l, r []float32) error {
		if r != nil && len(r) != len(l) {
			t.Errorf("blocks of %d and %d samples", len(l), len(r))
		}
		if r != nil && right == nil {
			right = slices.Clone(left) // they were the same so far
		}
		left, right = append(left, l...), append(right, r...)
		if r == nil && right != nil {
			t.Error("two channels became one")
		}
		return nil
	})
	out.start(rate)
	for len(p) > 0 {
		n := min(len(p), step*channels)
		if err := out.write(p[:n], channels); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	if err := out.finish(); err != nil {
		t.Fatal(err)
	}
	return left, right
}

// interleaved makes sound of the channels.
func interleaved(channels ...[]float32) []float32 {
	var p []float32
	for i := range channels[0] {
		for _, c := range channels {
			p = append(p, c[i])
		}
	}
	return p
}

func equalSound(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-6 })
}

func TestFunnelKeepsTwoChannels(t *testing.T) {
	for _, rate := range []int{8000, media.SampleRate, 44100, 48000} {
		a, b := tone(rate, 440, 1.3), tone(rate, 700, 1.3)
		for i := range b[:rate] { // they part inside a block and between input samples
			b[i] = a[i]
		}
		wantA, none := through(t, rate, 1, 1000, a)
		wantB, _ := through(t, rate, 1, 1000, b)
		if none != nil {
			t.Errorf("%d Hz: one channel became two", rate)
		}
		for _, step := range []int{1, 977, 100_000} {
			left, right := through(t, rate, 2, step, interleaved(a, b))
			if !equalSound(left, wantA) || !equalSound(right, wantB) {
				t.Errorf("%d Hz in steps of %d: the channels are not what they are alone", rate, step)
			}
		}
		if left, right := through(t, rate, 2, 977, interleaved(a, a)); !equalSound(left, wantA) || right != nil {
			t.Errorf("%d Hz: twice the same is not one channel", rate)
		}
	}
}

func TestFunnelFoldsChannels(t *testing.T) {
	const rate = media.SampleRate
	a, b, c, none := tone(rate, 440, 0.5), tone(rate, 700, 0.5), tone(rate, 900, 0.5), make([]float32, rate/2)
	mean := func(parts ...[]float32) []float32 {
		sum := make([]float32, len(parts[0]))
		for _, p := range parts {
			for i, x := range p {
				sum[i] += x / float32(len(parts))
			}
		}
		return sum
	}
	for name, x := range map[string]struct {
		channels    [][]float32
		left, right []float32 // right is nil where there is one
	}{
		"three":              {[][]float32{a, b, c}, mean(a, c), b},
		"four":               {[][]float32{a, b, none, c}, mean(a, none), mean(b, c)},
		"six, one in use":    {[][]float32{none, none, a, none, none, none}, mean(none, a, none), none},
		"six, all the same":  {[][]float32{a, a, a, a, a, a}, a, nil},
		"eight, all silence": {[][]float32{none, none, none, none, none, none, none, none}, none, nil},
	} {
		left, right := through(t, rate, len(x.channels), 500, interleaved(x.channels...))
		if !equalSound(left, x.left) || (right == nil) != (x.right == nil) || right != nil && !equalSound(right, x.right) {
			t.Errorf("%s: folded otherwise", name)
		}
	}
}

// TestFunnelChangesRateAndChannels joins sounds as a file may.
func TestFunnelChangesRateAndChannels(t *testing.T) {
	var left, right []float32
	out := newPCMSink(t.Context(), 0, func(l, r []float32) error {
		if r == nil {
			r = l
		}
		left, right = append(left, l...), append(right, r...)
		return nil
	})
	for _, part := range []struct{ rate, channels int }{{44100, 1}, {48000, 2}, {16000, 2}, {8000, 1}} {
		out.start(part.rate)
		p := tone(part.rate, 300, 1)
		if part.channels == 2 {
			p = interleaved(p, make([]float32, len(p)))
		}
		if err := out.write(p, part.channels); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.finish(); err != nil {
		t.Fatal(err)
	}
	if len(left) != 4*media.SampleRate || len(right) != len(left) {
		t.Fatalf("%d and %d samples", len(left), len(right))
	}
	for second, both := range []bool{true, false, false, true} {
		at := second*media.SampleRate + 4000
		l, r := level(left[at:at+8000]), level(right[at:at+8000])
		if l < -10 || both != (r > -10) {
			t.Errorf("second %d: %.0f and %.0f dB", second, l, r)
		}
	}
}

func BenchmarkFunnel(b *testing.B) {
	const rate = 44100
	a, other := tone(rate, 440, 10), tone(rate, 700, 10)
	for _, c := range []struct {
		name     string
		channels int
		sound    []float32
	}{
		{"one channel", 1, a},
		{"the same twice", 2, interleaved(a, a)},
		{"two", 2, interleaved(a, other)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				out := newPCMSink(b.Context(), 0, func(_, _ []float32) error { return nil })
				out.start(rate)
				_ = out.write(c.sound, c.channels)
				_ = out.finish()
			}
			b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
		})
	}
}
