package render

import (
	"math"
	"math/rand/v2"
	"testing"

	"hark/media"
)

// limited runs p through a limiter in pieces of random length, in time with p.
func limited(p []float32, gain, ceiling float64, rng *rand.Rand) []float32 {
	l := newLimiter(gain, ceiling)
	out := joined(p, make([]float32, limiterDelay))
	for rest := out; len(rest) > 0; {
		n := min(len(rest), 1+rng.IntN(5000))
		l.process(rest[:n])
		rest = rest[n:]
	}
	return out[limiterDelay:]
}

func TestLimiterNeverPassesTheCeiling(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	signals := map[string][]float32{
		"white noise":        noise(1, 2),
		"full-scale square":  square(100, 1, 2),
		"fast square":        square(3000, 1, 2),
		"sine from nothing":  joined(make([]float32, 1000), sine(777, 1, 1)),
		"sines near 8 kHz":   mixed(sine(7600, 0.5, 2), sine(7200, 0.5, 2)),
		"direct current":     constant(1, 3),
		"impulses":           impulses(rng, 3),
		"bursts":             bursts(rng, 3),
		"one sample":         {1},
		"loud to the end":    sine(300, 1, 0.01),
		"alternating":        square(8000, 1, 1),
		"quiet then a click": joined(scaled(noise(1, 1), 0.01), []float32{1, -1, 1}, scaled(noise(1, 1), 0.01)),
	}
	for name, p := range signals {
		t.Run(name, func(t *testing.T) {
			for _, gainDB := range []float64{0, 6, 20, 42} {
				out := limited(p, factor(gainDB), factor(CeilingDBTP), rng)
				if len(out) != len(p) {
					t.Fatalf("%d samples, want %d", len(out), len(p))
				}
				if peak := decibels(float64(magnitude(out))); peak > CeilingDBTP+0.001 {
					t.Errorf("gain %v dB: sample peak %.3f dBFS", gainDB, peak)
				}
				if peak := truePeakOf(out); peak > CeilingDBTP+0.02 {
					t.Errorf("gain %v dB: true peak %.3f dBTP", gainDB, peak)
				}
			}
		})
	}
}

// impulses are single samples of either sign at random places.
func impulses(rng *rand.Rand, seconds int) []float32 {
	p := make([]float32, seconds*media.SampleRate)
	for range 200 * seconds {
		p[rng.IntN(len(p))] = float32(2*rng.Float64() - 1)
	}
	return p
}

// bursts are stretches of noise or tone of random level and length.
func bursts(rng *rand.Rand, seconds int) (p []float32) {
	for len(p) < seconds*media.SampleRate {
		length, level := rng.Float64()*0.05, math.Pow(rng.Float64(), 3)
		if rng.IntN(2) == 0 {
			p = append(p, noise(level, length)...)
		} else {
			p = append(p, sine(50+7000*rng.Float64(), level, length)...)
		}
	}
	return p
}

// Sound below the ceiling comes out sample for sample, after a peak too.
func TestLimiterLeavesTheRestAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	quiet := scaled(noise(1, 2), 0.3)
	out := limited(quiet, 1, factor(CeilingDBTP), rng)
	for i := range quiet {
		if out[i] != quiet[i] {
			t.Fatalf("sample %d is %v, want %v", i, out[i], quiet[i])
		}
	}
	p := joined(quiet, []float32{1}, quiet)
	out = limited(p, 1, factor(CeilingDBTP), rng)
	for i := range p {
		near := i > len(quiet)-2*lookAhead && i < len(quiet)+10*releaseSamples
		if !near && out[i] != p[i] {
			t.Fatalf("sample %d, away from the peak, is %v, want %v", i, out[i], p[i])
		}
	}
}

func TestSlidingMin(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	var s slidingMin
	all := make([]float32, lookAhead, 5000)
	for i := range all {
		all[i] = 1
	}
	for len(all) < 4900 {
		if n := rng.IntN(400); rng.IntN(40) == 0 {
			s.skip(n)
			for range n {
				all = append(all, 1)
			}
		}
		v := rng.Float32()
		all = append(all, v)
		want := v
		for _, x := range all[len(all)-lookAhead:] {
			want = min(want, x)
		}
		if got := s.next(v); got != want {
			t.Fatalf("after %d values: %v, want %v", len(all), got, want)
		}
	}
}
