package receive

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// order is what a jitter buffer gave out.
type order struct {
	jitter
	got []string
	now time.Duration
}

func newOrder() *order {
	o := &order{}
	o.out = func(p rtpPacket, _ time.Duration) { o.got = append(o.got, string(p.payload)) }
	return o
}

// come pushes packets with these numbers, 20 ms apart.
func (o *order) come(numbers ...int) *order {
	for _, n := range numbers {
		o.push(rtpPacket{sequence: uint16(n), payload: fmt.Append(nil, n)}, o.now)
		o.now += 20 * ms
		o.advance(o.now)
	}
	return o
}

func (o *order) pass(d time.Duration) *order {
	o.now += d
	o.advance(o.now)
	return o
}

func TestJitter(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*order)
		want string
	}{
		{"in order", func(o *order) { o.come(1, 2, 3) }, "1 2 3"},
		{"wraps", func(o *order) { o.come(65534, 65535, 65536, 65537) }, "65534 65535 65536 65537"},
		{"wraps out of order", func(o *order) { o.come(65534, 65536, 65535, 65537) }, "65534 65535 65536 65537"},
		{"doubled", func(o *order) { o.come(1, 1, 2, 4, 4, 3, 3, 2) }, "1 2 3 4"},
		{"swapped", func(o *order) { o.come(1, 3, 2, 5, 4) }, "1 2 3 4 5"},
		{"waits", func(o *order) { o.come(1, 3, 4) }, "1"},
		{"does not wait forever", func(o *order) { o.come(1, 3, 4).pass(maxWait) }, "1 3 4"},
		{"two gaps, one filled", func(o *order) { o.come(1, 3, 5, 2).pass(maxWait) }, "1 2 3 5"},
		{"too late", func(o *order) { o.come(1, 3).pass(maxWait); o.come(2, 4) }, "1 3 4"},
		{"flushed", func(o *order) { o.come(1, 3, 6); o.flush(); o.come(7) }, "1 3 6 7"},
		{"a leap ahead", func(o *order) { o.come(1, 3, 4000, 4001) }, "1 3 4000 4001"},
		{"a straggler from far behind", func(o *order) { o.come(30000, 20000, 30001) }, "30000 30001"},
		{"a sender that begins anew", func(o *order) { o.come(30000, 20000, 20001, 20002) }, "30000 20001 20002"},
		{"before the first", func(o *order) { o.come(5, 4, 6) }, "5 6"},
		{"all of a Window", func(o *order) {
			o.come(0)
			for n := 2; n <= Window; n++ {
				o.push(rtpPacket{sequence: uint16(n), payload: fmt.Append(nil, n)}, o.now)
			}
			o.come(1)
		}, joined(Window + 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOrder()
			c.run(o)
			if got := strings.Join(o.got, " "); got != c.want {
				t.Errorf("gave out %s, want %s", got, c.want)
			}
		})
	}
}

func joined(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d ", i)
	}
	return strings.TrimSpace(b.String())
}

func TestJitterAsks(t *testing.T) {
	o := newOrder()
	o.come(1, 4)
	if got := o.ask(nil, o.now); !slices.Equal(got, []uint16{2, 3}) {
		t.Fatalf("asks for %v", got)
	}
	if got := o.ask(nil, o.now); got != nil {
		t.Errorf("asks for %v again at once", got)
	}
	o.come(2)
	if got := o.ask(nil, o.now+minRepeat); !slices.Equal(got, []uint16{3}) {
		t.Errorf("asks for %v later", got)
	}
	if at, ok := o.wake(); !ok || at <= o.now {
		t.Errorf("wants to be called at %v, %t", at, ok)
	}
	o.come(3)
	if o.recovered != 2 {
		t.Errorf("%d recovered", o.recovered)
	}
	if _, ok := o.wake(); ok {
		t.Error("wants to be called for nothing")
	}
}

func TestJitterGivesUpAsking(t *testing.T) {
	o := newOrder()
	o.come(1, 3)
	asked := 0
	for range 10 {
		if at, ok := o.wake(); ok {
			o.now = at
			asked += len(o.ask(nil, o.now))
			o.advance(o.now)
		}
	}
	if asked == 0 || asked > maxAsks || strings.Join(o.got, " ") != "1 3" {
		t.Errorf("asked %d times, gave out %v", asked, o.got)
	}
}

func TestJitterLearnsPatience(t *testing.T) {
	o := newOrder()
	before := o.come(1, 3).wait()
	o.pass(before)
	o.come(2)
	if o.wait() <= before {
		t.Errorf("waits %v after a packet that came too late, as before", o.wait())
	}
	number := 4
	for range 20_000 {
		o.come(number)
		number++
	}
	if o.wait() > before+ms {
		t.Errorf("waits %v long after, want %v", o.wait(), before)
	}
}

// Where most is lost, asking for it again would only add to what is too much.
func TestJitterAsksNoMoreThanItMay(t *testing.T) {
	o := newOrder()
	asked, came := 0, 0
	for n := 0; n < 10_000; n += 5 {
		o.come(n)
		came++
		asked += len(o.ask(nil, o.now))
		if at, ok := o.wake(); ok && at < o.now-o.wait() {
			t.Fatalf("wants to be called at %v, at %v", at, o.now)
		}
	}
	if limit := fullCredit/2 + came/2 + 1; asked > limit || asked < limit/2 {
		t.Errorf("asked %d times after %d packets, at most %d", asked, came, limit)
	}
}
