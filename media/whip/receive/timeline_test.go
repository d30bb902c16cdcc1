package receive

import (
	"testing"
	"time"

	"hark/media/opus"
)

const (
	ms    = time.Millisecond
	frame = 960 // samples of the usual 20 ms
)

// clocked feeds a timeline with packets of 20 ms by two clocks.
type clocked struct {
	t    *testing.T
	line timeline
	ts   uint32
	now  time.Duration
	end  int64 // of the last packet placed
	lost int   // packets that found no place
}

// say sends n packets, each step apart on our clock.
func (c *clocked) say(n int, step time.Duration) {
	c.t.Helper()
	for range n {
		pos, ok := c.line.place(c.ts, frame, c.now)
		if ok && pos < c.end {
			c.t.Fatalf("a packet at %d before %d", pos, c.end)
		}
		if ok {
			c.end = pos + frame
		} else {
			c.lost++
		}
		c.ts += frame
		c.now += step
	}
}

// silence lets time pass on both clocks.
func (c *clocked) silence(d time.Duration) {
	c.ts += uint32(samplesOf(d))
	c.now += d
}

func (c *clocked) want(d time.Duration) {
	c.t.Helper()
	got := time.Duration(c.end) * time.Second / opus.Rate
	if got < d-5*ms || got > d+5*ms {
		c.t.Errorf("the recording is %v long, want %v", got, d)
	}
}

func TestTimeline(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*clocked)
		want time.Duration
	}{
		{"as it should be", func(c *clocked) { c.say(100, 20*ms) }, 2 * time.Second},
		{"the timestamp wraps", func(c *clocked) { c.ts = 1<<32 - 10*frame; c.say(100, 20*ms) }, 2 * time.Second},
		{"silence that is not sent", func(c *clocked) {
			c.say(50, 20*ms)
			c.silence(400 * ms)
			c.say(50, 20*ms)
		}, 2400 * ms},
		{"ten minutes of it", func(c *clocked) {
			c.say(50, 20*ms)
			c.silence(10 * time.Minute)
			c.say(50, 20*ms)
		}, 10*time.Minute + 2*time.Second},
		{"a clock that leaps forward", func(c *clocked) {
			c.say(50, 20*ms)
			c.ts += 3600 * opus.Rate
			c.say(50, 20*ms)
		}, 2 * time.Second},
		{"a clock that leaps back", func(c *clocked) {
			c.say(50, 20*ms)
			c.ts -= 3600 * opus.Rate
			c.say(50, 20*ms)
		}, 2 * time.Second},
		{"a clock that begins anew after an outage", func(c *clocked) {
			c.say(50, 20*ms)
			c.now += 3 * time.Second
			c.ts -= 12345678
			c.say(50, 20*ms)
		}, 5 * time.Second},
		{"another source after an outage", func(c *clocked) {
			c.say(50, 20*ms)
			c.now += 3 * time.Second
			c.ts += 12345678
			c.line.leap = true
			c.say(50, 20*ms)
		}, 5 * time.Second},
		{"a sender that stands still", func(c *clocked) {
			c.say(50, 20*ms)
			c.now += 10 * time.Second
			c.say(50, 20*ms)
		}, 12 * time.Second},
		{"a network that stands still and hands over", func(c *clocked) {
			c.say(50, 20*ms)
			c.now += 3 * time.Second
			c.say(150, ms/10)
			c.now += -15 * ms
			c.say(1000, 20*ms)
		}, 24 * time.Second},
		{"a network that hands over slowly", func(c *clocked) {
			c.say(50, 20*ms)
			c.now += 2 * time.Second
			c.say(200, 10*ms) // twice as fast as it is said
			c.say(1000, 20*ms)
		}, 25 * time.Second},
		{"a clock that runs slow for an hour", func(c *clocked) { c.say(180000, 20*ms+4*time.Microsecond) }, time.Hour},
		{"a clock that runs fast for an hour", func(c *clocked) { c.say(180000, 20*ms-4*time.Microsecond) }, time.Hour},
		{"a pause", func(c *clocked) {
			c.say(50, 20*ms)
			c.silence(time.Minute)
			c.line.cut = true
			c.say(50, 20*ms)
			c.silence(time.Second)
			c.say(50, 20*ms)
		}, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &clocked{t: t, now: 5 * time.Second}
			c.run(s)
			s.want(c.want)
			if s.lost > 0 {
				t.Errorf("%d packets found no place", s.lost)
			}
		})
	}
}

func TestTimelineSpeedsNobodyUp(t *testing.T) {
	c := &clocked{t: t}
	c.say(10000, ms) // 200 s in 10
	if limit := int64(16 * opus.Rate); c.end > limit {
		t.Errorf("%d s in 10 s", c.end/opus.Rate)
	}
	c.say(1000, 20*ms)
	c.want(35 * time.Second)
}

func TestTimelineDropsOverlap(t *testing.T) {
	var l timeline
	l.place(0, frame, 0)
	if _, ok := l.place(frame/2, frame, 10*ms); ok {
		t.Error("a packet over another found a place")
	}
	if pos, ok := l.place(frame, frame, 20*ms); !ok || pos != frame {
		t.Errorf("the next one is at %d, %t", pos, ok)
	}
}
