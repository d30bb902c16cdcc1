package decode

import (
	"fmt"
	"math"
	"testing"

	"hark/media"
)

func tone(rate int, hz, seconds float64) []float32 {
	p := make([]float32, int(seconds*float64(rate)))
	for i := range p {
		p[i] = float32(0.5 * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)))
	}
	return p
}

func resampled(rate int, in []float32, step int) []float32 {
	var out []float32
	r := newResampler(rate, media.SampleRate, func(p []float32) { out = append(out, p...) })
	for len(in) > 0 {
		n := min(step, len(in))
		r.write(in[:n])
		in = in[n:]
	}
	r.flush()
	return out
}

func level(p []float32) float64 {
	sum := 0.0
	for _, x := range p {
		sum += float64(x) * float64(x)
	}
	return 10 * math.Log10(sum/float64(len(p))*8+1e-20) // 0 dB is the tone
}

// TestResamplerKeepsTones compares tones with what they should have become,
// sample by sample, at rates with exact and with interpolated phases.
func TestResamplerKeepsTones(t *testing.T) {
	for _, rate := range []int{1000, 4000, 8000, 11025, 12000, 22050, 24000, 32000, 44100, 44101, 48000, 96000, 192000, 767999, 768000} {
		for _, part := range []float64{0.01, 0.3, 0.86} {
			hz := part * 0.5 * math.Min(float64(rate), media.SampleRate)
			t.Run(fmt.Sprintf("%d Hz/%.0f Hz", rate, hz), func(t *testing.T) {
				got, want := resampled(rate, tone(rate, hz, 0.5), 1001), tone(media.SampleRate, hz, 0.5)
				if d := len(got) - len(want); d < 0 || d > 1 {
					t.Fatalf("%d samples, want %d", len(got), len(want))
				}
				middle := len(want) / 4 // away from the ends, where the tone begins and stops
				difference := make([]float32, len(want)-2*middle)
				for i := range difference {
					difference[i] = got[middle+i] - want[middle+i]
				}
				if db := level(difference); db > -75 {
					t.Errorf("differs from the tone by %.1f dB", db)
				}
			})
		}
	}
}

func TestResamplerStopsAliases(t *testing.T) {
	for _, rate := range []int{22050, 24000, 32000, 44100, 44101, 48000, 96000, 192000} {
		for hz := 8000.0; hz < float64(rate)/2; hz += 777 {
			out := resampled(rate, tone(rate, hz, 0.3), 4096)
			quarter := len(out) / 4
			if db := level(out[quarter : 3*quarter]); db > -80 {
				t.Errorf("%d Hz: a tone at %.0f Hz comes through at %.1f dB", rate, hz, db)
			}
		}
	}
}

func TestResamplerDoesNotDependOnBlocks(t *testing.T) {
	in := tone(44100, 300, 0.3)
	want := resampled(44100, in, len(in))
	for _, step := range []int{1, 7, 2048, 5000} {
		got := resampled(44100, in, step)
		if len(got) != len(want) {
			t.Fatalf("blocks of %d give %d samples, want %d", step, len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("blocks of %d: sample %d is %v, want %v", step, i, got[i], want[i])
			}
		}
	}
}

func TestResamplerAllocatesNothing(t *testing.T) {
	in := tone(48000, 300, 0.1)
	r := newResampler(48000, media.SampleRate, func([]float32) {})
	if n := testing.AllocsPerRun(20, func() { r.write(in) }); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func BenchmarkNewResampler(b *testing.B) {
	for _, rate := range []int{11025, 44100, 44101, 767_975, 767_999} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			for b.Loop() {
				newResampler(rate, media.SampleRate, nil)
			}
		})
	}
}

func BenchmarkResample(b *testing.B) {
	for _, rate := range []int{8000, 44100, 44101, 48000, 96000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			in := tone(rate, 300, 1)
			r := newResampler(rate, media.SampleRate, func([]float32) {})
			for b.Loop() {
				r.write(in)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "x-real-time")
		})
	}
}
