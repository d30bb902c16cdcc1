package render

import (
	"math"
	"testing"
)

func TestWantedGain(t *testing.T) {
	speech := func(loudness float64) Analysis {
		return Analysis{LoudnessLUFS: loudness, FloorLUFS: max(loudness-15, lowestFloor)}
	}
	steady := func(loudness float64) Analysis { return Analysis{LoudnessLUFS: loudness, FloorLUFS: loudness} }
	for name, test := range map[string]struct {
		of   Analysis
		want float64
	}{
		"loud speech":       {speech(-5), -11},
		"right as it is":    {speech(-16), 0},
		"quiet headset":     {speech(-50), 34},
		"very quiet speech": {speech(-58), 42},
		"hardly there":      {speech(-65), 42},
		"silence":           {Analysis{LoudnessLUFS: SilenceLUFS, FloorLUFS: lowestFloor}, 0},
		"loud noise":        {steady(-10), -6},
		"quiet tone":        {steady(-43), 27},
		"fan":               {steady(-46), 30},
		"quiet room":        {steady(-50), 22},
		"quieter room":      {steady(-61), 0},
		"empty room":        {steady(-65), 0},
	} {
		if got := wantedGain(test.of); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %.1f dB, want %.1f", name, got, test.want)
		}
	}
}

// Without peaks above the ceiling the gain is what it says, and nothing of the
// sound is changed but its level.
func TestLevelIsLinearBelowTheCeiling(t *testing.T) {
	p := scaled(noise(1, 3), 0.2)
	spool := spoolOf(t, p)
	var out []float32
	err := level(t.Context(), spool, 6, func(piece []float32) error {
		out = append(out, piece...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != len(p) {
		t.Fatalf("%d samples, want %d", len(out), len(p))
	}
	for i := range p {
		if want := p[i] * float32(factor(6)); abs(out[i]-want) > 1e-4 { // the spool rounds to 16 bits
			t.Fatalf("sample %d is %v, want %v", i, out[i], want)
		}
	}
}
