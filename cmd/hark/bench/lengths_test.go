package bench

import (
	"strings"
	"testing"
	"time"
)

func TestWERReportByLength(t *testing.T) {
	r := newWERReport("m", []heardClip{
		heardAs("a", 400*time.Millisecond, "one", ""),
		heardAs("b", 600*time.Millisecond, "one two", "One. Three."),
		heardAs("c", 990*time.Millisecond, "one two", "One two three"),
		heardAs("d", time.Hour, "one two three", "one two three"),
	})
	var clips []int
	var right, rate []float64
	for _, c := range r.Lengths {
		clips, right, rate = append(clips, c.Clips), append(right, c.Right), append(rate, c.WER)
	}
	for i, want := range []struct {
		clips       int
		right, rate float64
	}{{1, 0, 1}, {2, 0.75, 0.5}, {0, 0, 0}, {0, 0, 0}, {1, 1, 0}} {
		if clips[i] != want.clips || right[i] != want.right || rate[i] != want.rate {
			t.Errorf("class %d: %d clips, %v right, WER %v; want %v", i, clips[i], right[i], rate[i], want)
		}
	}
	if r.All.Clips != 4 || r.All.Counts.Words != 8 || r.All.Counts.Errors() != 3 {
		t.Errorf("all = %+v", r.All)
	}
	var out strings.Builder
	if err := r.print(&out); err != nil || !strings.Contains(out.String(), "0.6 to 1 s") || !strings.Contains(out.String(), "5 s and more") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
