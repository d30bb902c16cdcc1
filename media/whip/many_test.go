package whip_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"hark/media/whip"
	"hark/media/whip/whiptest"
)

// TestManySessions opens sessions that end in every way, one after the other
// and together: TestMain sees what is left of them.
func TestManySessions(t *testing.T) {
	server := listen(t, func(c *whip.Config) { c.Grace = time.Second })
	sinks := new(recordings)
	url := endpoint(t, server, sinks.add)
	packets := tone(t, 5)
	one := func(i int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		speaker, err := whiptest.Dial(ctx, whiptest.Config{URL: url, Channel: i%2 == 0})
		if err != nil {
			t.Error(err)
			return
		}
		if err := speaker.Say(ctx, packets); err != nil {
			t.Error(err)
		}
		switch i % 3 {
		case 0:
			err = speaker.Close(ctx)
		case 1:
			err = speaker.HangUp()
		case 2:
			speaker.Vanish()
		}
		if err != nil {
			t.Error(err)
		}
	}
	several := func(n int) {
		var wg sync.WaitGroup
		slots := make(chan struct{}, 8)
		for i := range n {
			wg.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				one(i)
			})
		}
		wg.Wait()
		for _, sink := range sinks.take() {
			<-sink.ended
		}
	}
	several(20)
	before := heap()
	several(200)
	if server.Sessions() != 0 {
		t.Errorf("%d sessions are left", server.Sessions())
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	after := heap()
	t.Logf("%d kB before, %d kB after", before>>10, after>>10)
	if after > before+4<<20 {
		t.Errorf("%d kB are left of 200 sessions", (after-before)>>10)
	}
}

// heap is what is in use of it, in bytes.
func heap() uint64 {
	for range 3 { // pools let go in steps
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
