package render

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"hark/media"
)

func peaksOf(p []float32) []float64 {
	var w Waveform
	w.Write(p)
	return w.Peaks()
}

func TestWaveformOfShortSounds(t *testing.T) {
	ramp := make([]float32, 200)
	for i := range ramp {
		ramp[i] = float32(i+1) / 200
	}
	halves := slices.Repeat([]float64{0.5, 1}, bins/2)
	slices.Sort(halves)
	tests := map[string]struct {
		in   []float32
		want func(bin int) float64
	}{
		"no sound":               {nil, func(int) float64 { return 0 }},
		"one sample fills all":   {[]float32{-0.3}, func(int) float64 { return 1 }},
		"two samples":            {[]float32{0.2, -0.4}, func(bin int) float64 { return halves[bin] }},
		"two samples in a bin":   {ramp, func(bin int) float64 { return float64(bin+1) / 100 }},
		"digital silence":        {make([]float32, 12345), func(int) float64 { return 0 }},
		"one 16-bit step":        {slices.Repeat([]float32{1.0 / 32768}, 5000), func(int) float64 { return 0.006 }},
		"quiet speech is drawn":  {slices.Repeat([]float32{0.006}, 5000), func(int) float64 { return 1 }},
		"room noise is kept low": {slices.Repeat([]float32{0.001}, 5000), func(int) float64 { return 0.2 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := peaksOf(test.in)
			if len(got) != bins {
				t.Fatalf("%d peaks", len(got))
			}
			for bin, v := range got {
				if math.Abs(v-test.want(bin)) > 1e-9 {
					t.Errorf("bin %d is %v, want %v", bin, v, test.want(bin))
				}
			}
		})
	}
}

// A burst inside one share of the time must appear in that bin alone, however
// long the sound is.
func TestWaveformEdgesAreProportional(t *testing.T) {
	for _, samples := range []int{1000, 1037, 25599, 25600, 25601, 51200, 100_003, 777_777, 5_000_011} {
		for _, bin := range []int{0, 1, 33, 50, 98, 99} {
			p := make([]float32, samples)
			from, to := bin*samples/bins, (bin+1)*samples/bins
			margin := 1 + (to-from)/100
			for i := from + margin; i < to-margin; i++ {
				p[i] = 0.5
			}
			for i, v := range peaksOf(p) {
				if (v == 1) != (i == bin) || v != 0 && v != 1 {
					t.Errorf("%d samples, burst in bin %d: bin %d is %v", samples, bin, i, v)
				}
			}
		}
	}
}

// Up to 1.6 s nothing is merged, so every bin is the true maximum of its share.
func TestWaveformIsExactWhenShort(t *testing.T) {
	p := noise(1, 1.59)
	loudest := float64(magnitude(p))
	for i, v := range peaksOf(p) {
		share := p[(i*len(p)+bins/2)/bins : ((i+1)*len(p)+bins/2)/bins]
		if want := math.Round(1000*float64(magnitude(share))/loudest) / 1000; v != want {
			t.Errorf("bin %d is %v, want %v", i, v, want)
		}
	}
}

func TestWaveformDoesNotDependOnHowItIsWritten(t *testing.T) {
	p := noise(0.7, 20)
	want := peaksOf(p)
	rng := rand.New(rand.NewPCG(1, 1))
	var w Waveform
	for rest := p; len(rest) > 0; {
		n := min(len(rest), rng.IntN(5000))
		w.Write(rest[:n])
		if rng.IntN(10) == 0 {
			w.Peaks() // looking changes nothing
		}
		rest = rest[n:]
	}
	if got := w.Peaks(); !slices.Equal(got, want) {
		t.Errorf("in pieces: %v\nat once: %v", got, want)
	}
	if len(w.fine) > fineBins || cap(w.fine) != fineBins {
		t.Errorf("%d fine bins of %d", len(w.fine), cap(w.fine))
	}
}

func TestWaveformOfHours(t *testing.T) {
	if testing.Short() {
		t.Skip("writes three hours of sound")
	}
	var w Waveform
	loud, quiet := slices.Repeat([]float32{0.8}, media.SampleRate), slices.Repeat([]float32{-0.2}, media.SampleRate)
	for second := range 3 * 3600 {
		if second < 3*1800+2 { // past what edges may be off by
			w.Write(quiet)
		} else {
			w.Write(loud)
		}
	}
	for i, v := range w.Peaks() {
		if want := map[bool]float64{true: 0.25, false: 1}[i < 50]; v != want {
			t.Errorf("bin %d is %v, want %v", i, v, want)
		}
	}
}
