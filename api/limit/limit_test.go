package limit

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func newAt(cfg Config) (*Limiter, *time.Time) {
	now := time.Unix(1e9, 0)
	l := New(cfg)
	l.now = func() time.Time { return now }
	return l, &now
}

func TestTake(t *testing.T) {
	l, now := newAt(Config{Searches: Rate{3, time.Minute}})
	for left := 2; left >= 0; left-- {
		state, ok := l.Take(Searches, "ada", 1)
		if !ok || state.Remaining != left || state.Reset != time.Duration(3-left)*20*time.Second {
			t.Fatalf("got %+v, %v; want %d left", state, ok, left)
		}
	}
	state, ok := l.Take(Searches, "ada", 1)
	if ok || state.Retry != 20*time.Second || state.Remaining != 0 {
		t.Errorf("a fourth: %+v, %v", state, ok)
	}
	if _, ok := l.Take(Searches, "bob", 1); !ok {
		t.Error("another person waits for the first")
	}
	if _, ok := l.Take(Members, "ada", 1000); !ok {
		t.Error("a class without a limit is limited")
	}
	*now = now.Add(state.Retry)
	if state, ok := l.Take(Searches, "ada", 1); !ok || state.Remaining != 0 {
		t.Errorf("when it said: %+v, %v", state, ok)
	}
	*now = now.Add(time.Hour)
	if state, ok := l.Take(Searches, "ada", 200); !ok || state.Remaining != 0 {
		t.Errorf("more than there can be: %+v, %v", state, ok)
	}
	*now = now.Add(20 * time.Second)
	if state, ok := l.Take(Searches, "ada", 3); ok || state.Retry != 40*time.Second || state.Remaining != 1 {
		t.Errorf("two too many: %+v, %v", state, ok)
	}
}

// A clock that is set back refuses nobody for longer than the limit says.
func TestClockBack(t *testing.T) {
	l, now := newAt(Config{Searches: Rate{3, time.Minute}})
	l.Take(Searches, "ada", 3)
	*now = now.Add(-7 * 24 * time.Hour)
	if state, _ := l.Take(Searches, "ada", 1); state.Retry > time.Minute {
		t.Errorf("has to wait for %v", state.Retry)
	}
}

func TestMemoryFollowsWhoAsks(t *testing.T) {
	l, now := newAt(Config{Searches: Rate{1, time.Second}})
	for i := range 100 * leastSweep {
		l.Take(Searches, fmt.Sprint(i), 1)
		*now = now.Add(10 * time.Millisecond)
	}
	if len(l.buckets) > 2*leastSweep {
		t.Errorf("%d buckets are kept", len(l.buckets))
	}
}

func TestHold(t *testing.T) {
	l := New(Config{Streams: 8})
	var all sync.WaitGroup
	releases := make(chan func(), 64)
	for range 64 {
		all.Go(func() {
			if release, ok := l.Hold("ada"); ok {
				releases <- release
			}
		})
	}
	all.Wait()
	if len(releases) != 8 {
		t.Fatalf("%d are held at once; want 8", len(releases))
	}
	if _, ok := l.Hold("bob"); !ok {
		t.Error("another person waits for the first")
	}
	release := <-releases
	release()
	release()
	if _, ok := l.Hold("ada"); !ok {
		t.Error("a place that was given back is not there")
	}
	if _, ok := l.Hold("ada"); ok {
		t.Error("a place given back twice counts twice")
	}
}

func FuzzRate(f *testing.F) {
	for _, seed := range []string{"off", "60/m", "1/s", "0/m", "-1/h", "9999999/d", "60", "/", "60/w", "６/m", "1/m/s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil {
			if r != (Rate{}) {
				t.Errorf("%q is refused, and is %v", text, r)
			}
			return
		}
		var again Rate
		if err := again.UnmarshalText([]byte(r.String())); err != nil || again != r {
			t.Errorf("%q is %v, and again %v, %v", text, r, again, err)
		}
	})
}

func TestAddressKey(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "odd": "odd",
	} {
		if got := AddressKey(address); got != want {
			t.Errorf("%s is %s, not %s", address, got, want)
		}
	}
}
