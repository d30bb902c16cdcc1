package recorder

import (
	"testing"
	"time"
)

// TestHoldsByTheLongerClock doubts a lease when either clock says that it is
// over: the monotonic one stands still while the machine sleeps, and the
// other one may be set back.
func TestHoldsByTheLongerClock(t *testing.T) {
	r := &Recorder{cfg: Config{Lease: time.Minute}}
	begun := time.Now()
	hour := time.Hour
	for name, c := range map[string]struct {
		begun, renewed, now time.Time
		holds               bool
	}{
		"just begun":      {begun: begun, now: begun.Add(time.Second), holds: true},
		"long ago":        {begun: begun, now: begun.Add(hour)},
		"renewed":         {begun: begun, renewed: begun.Add(hour), now: begun.Add(hour + time.Second), holds: true},
		"asleep meantime": {begun: begun.Round(0), now: begun.Round(0).Add(hour)},
	} {
		t.Run(name, func(t *testing.T) {
			r.renewed.Store(nil)
			if !c.renewed.IsZero() {
				r.renewed.Store(&c.renewed)
			}
			if got := r.holds(&Recording{begun: c.begun}, c.now); got != c.holds {
				t.Errorf("holds: %v", got)
			}
		})
	}
}
