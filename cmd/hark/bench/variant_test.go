package bench

import (
	"math"
	"testing"
	"time"

	"hark/media"
	"hark/transcribe/wer"
)

// speechAfter is a second of a tone after a quiet of that level.
func speechAfter(quiet time.Duration, level float64) []float32 {
	n := int(media.Samples(quiet))
	pcm := make([]float32, n+media.SampleRate)
	for i := range pcm {
		v := level * math.Sin(float64(i)*0.7)
		if i >= n {
			v = 0.3 * math.Sin(2*math.Pi*300*float64(i)/media.SampleRate)
		}
		pcm[i] = float32(v)
	}
	return pcm
}

func TestVariantIsTheSameForTheSameSeed(t *testing.T) {
	if a, b := newVariant("a.wav", 3, 1), newVariant("a.wav", 3, 1); a != b {
		t.Errorf("%v, then %v", a, b)
	}
	if a, b := newVariant("a.wav", 3, 1), newVariant("a.wav", 3, 2); a.start == b.start && a.gainDB == b.gainDB {
		t.Errorf("%v for both seeds", a)
	}
	early, late := false, false
	for n := range 100 {
		v := newVariant("a.wav", n, 1)
		early, late = early || v.start < 0, late || v.start > 0
		if v.start.Abs() > 500*time.Millisecond || math.Abs(v.gainDB) > 6 || v.bitrate < 24 || v.bitrate > 40 {
			t.Errorf("%v is too far off", v)
		}
	}
	if !early || !late {
		t.Errorf("early %v, late %v", early, late)
	}
}

func TestVariantCutsNoWord(t *testing.T) {
	for name, c := range map[string]struct {
		quiet time.Duration
		level float64
		cut   time.Duration // least and most that a variant may take off
		least time.Duration
	}{
		"digital silence": {300 * time.Millisecond, 0, 270 * time.Millisecond, 260 * time.Millisecond},
		"a room":          {300 * time.Millisecond, 0.002, 270 * time.Millisecond, 260 * time.Millisecond},
		"no silence":      {0, 0, 0, 0},
		"long silence":    {2 * time.Second, 0, 400 * time.Millisecond, 400 * time.Millisecond},
	} {
		pcm := speechAfter(c.quiet, c.level)
		got := variant{start: -400 * time.Millisecond}.apply(pcm)
		if cut := media.Duration(int64(len(pcm) - len(got))); cut > c.cut || cut < c.least {
			t.Errorf("%s: %v cut, want %v to %v", name, cut, c.least, c.cut)
		}
	}
}

func TestVariantAddsQuiet(t *testing.T) {
	pcm := speechAfter(400*time.Millisecond, 0.002)
	const added = 250 * time.Millisecond
	for _, silence := range []bool{true, false} {
		got := variant{start: added, quiet: silence}.apply(pcm)
		n := int(media.Samples(added))
		if len(got) != len(pcm)+n {
			t.Fatalf("%d samples added", len(got)-len(pcm))
		}
		loudest := float32(0)
		for _, s := range got[:n] {
			loudest = max(loudest, float32(math.Abs(float64(s))))
		}
		if loudest > 0.0021 || silence != (loudest == 0) {
			t.Errorf("silence %v: loudest is %v", silence, loudest)
		}
	}
}

func TestVariantGain(t *testing.T) {
	got := variant{gainDB: 6}.apply([]float32{0.25, -0.8})
	if math.Abs(float64(got[0])-0.4988) > 0.001 || got[1] != -1 {
		t.Errorf("%v", got)
	}
}

func TestVariantRunLost(t *testing.T) {
	for lost, want := range map[int]bool{0: false, 2: false, 3: true} {
		if r := (variantRun{words: wer.Counts{Words: 10, Deletions: lost, Insertions: 9}}); r.lost() != want {
			t.Errorf("%d of 10 words lost: %v", lost, r.lost())
		}
	}
}
