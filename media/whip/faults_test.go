package whip_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/media/whip"
	"hark/media/whip/whiptest"
)

// disturbance is a network that loses, delays and doubles packets.
type disturbance struct {
	loss, double float64       // shares of all packets
	jitter       time.Duration // the most that a packet is late
}

// hook is for one speaker. The same seed makes the same losses.
func (d disturbance) hook(pending *sync.WaitGroup) func([]byte, func([]byte)) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	return func(packet []byte, send func([]byte)) {
		mu.Lock()
		lost, double, late := random.Float64() < d.loss, random.Float64() < d.double, time.Duration(random.Float64()*float64(d.jitter))
		mu.Unlock()
		if lost {
			return
		}
		pending.Add(1)
		time.AfterFunc(late, func() {
			defer pending.Done()
			send(packet)
			if double {
				send(packet)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	packets := tone(t, 150)
	const length = 3 * time.Second
	for _, c := range []struct {
		name string
		disturbance
	}{
		{"loss of 1 %", disturbance{loss: 0.01}},
		{"loss of 5 %", disturbance{loss: 0.05}},
		{"loss of 10 %", disturbance{loss: 0.1}},
		{"loss of 20 %", disturbance{loss: 0.2}},
		{"jitter and reordering", disturbance{jitter: 100 * time.Millisecond}},
		{"duplication", disturbance{double: 0.5}},
		{"everything", disturbance{loss: 0.1, double: 0.1, jitter: 60 * time.Millisecond}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := listen(t)
			var pending sync.WaitGroup
			defer pending.Wait()
			speaker, sink := dial(t, server, func(cfg *whiptest.Config) {
				cfg.Sequence, cfg.Timestamp = 65500, 1<<32-9600 // both wrap
				cfg.Disturb = c.hook(&pending)
			})
			say(t, speaker, packets)
			// What is still missing may be asked for until it comes or is given up.
			sink.until(t, "the last packets", func() bool { return sink.length() >= length-100*time.Millisecond })
			stats := sink.session.Stats()
			stop(t, speaker, sink)
			t.Logf("%d packets of %d, %d sent again, %+v", sink.count(), len(packets), speaker.SentAgain(), stats)
			// The first packets may be lost, and then are not part of it.
			near(t, "the recording", sink.length(), length, 100*time.Millisecond)
			// On a machine with nothing else to do all come; on a slow one what is
			// sent again may be late.
			if least := int(float64(len(packets)) * 0.85 * (1 - c.loss)); sink.count() < least {
				t.Errorf("%d packets of %d came, want at least %d", sink.count(), len(packets), least)
			}
			if c.loss >= 0.05 && stats.Recovered == 0 {
				t.Error("nothing that was lost was sent again")
			}
		})
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server)
	packets := tone(t, 25)
	say(t, speaker, packets)
	speaker.Cut(true)
	for range 4 { // two seconds
		say(t, speaker, packets)
	}
	speaker.Cut(false)
	say(t, speaker, packets)
	sink.until(t, "what came after the outage", func() bool { return sink.length() >= 2900*time.Millisecond })
	stop(t, speaker, sink)
	near(t, "the recording", sink.length(), 3*time.Second, 60*time.Millisecond)
	t.Logf("%d packets of %d", sink.count(), 6*len(packets))
}

func TestVanish(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) { c.Grace = 2 * time.Second })
	speaker, sink := dial(t, server)
	if err := speaker.Say(t.Context(), tone(t, 10)); err != nil {
		t.Fatal(err)
	}
	speaker.Vanish()
	sink.wait(t, whip.Disconnected)
	near(t, "the recording", sink.length(), 200*time.Millisecond, 20*time.Millisecond)
}

func TestHangUp(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server)
	if err := speaker.Say(t.Context(), tone(t, 10)); err != nil {
		t.Fatal(err)
	}
	if err := speaker.HangUp(); err != nil {
		t.Error(err)
	}
	sink.wait(t, whip.Stopped)
}

func TestNeverConnected(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) { c.ConnectTimeout = time.Millisecond })
	sink := newRecording()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-sink.ended
		cancel()
	}()
	if speaker, err := whiptest.Dial(ctx, whiptest.Config{
		URL: endpoint(t, server, func() *recording { return sink }),
	}); err == nil {
		speaker.Vanish()
	}
	sink.wait(t, whip.NeverConnected)
}

func TestServerCloses(t *testing.T) {
	t.Parallel()
	server := listen(t)
	_, first := dial(t, server)
	_, second := dial(t, server)
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	first.wait(t, whip.ServerStopped)
	second.wait(t, whip.ServerStopped)
	if _, err := server.Open(t.Context(), "", newRecording()); err == nil {
		t.Error("a closed server opened a session")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server)
	packets := tone(t, 50)
	say(t, speaker, packets)
	for range 2 {
		before := sink.session.ETag()
		done := make(chan error, 1)
		go func() { done <- speaker.Restart(t.Context()) }()
		say(t, speaker, packets)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if sink.session.ETag() == before {
			t.Error("the entity tag is still the same")
		}
	}
	sink.until(t, "what came after the restarts", func() bool { return sink.length() >= 2900*time.Millisecond })
	stop(t, speaker, sink)
	near(t, "the recording", sink.length(), 3*time.Second, 60*time.Millisecond)
	t.Logf("%d packets of %d, %d sent again", sink.count(), 3*len(packets), speaker.SentAgain())
}

func TestTooFast(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) { c.MaxBitRate = 8000 })
	speaker, sink := dial(t, server)
	// 5,000 bytes are allowed in 5 s.
	for _, packet := range append(tone(t, 100), tone(t, 100)...) {
		if err := speaker.Send(packet); err != nil {
			break
		}
	}
	sink.wait(t, whip.TooFast)
}

func TestPause(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server)
	packets := tone(t, 25)
	for i, paused := range []bool{false, true, false} {
		if err := speaker.SetPaused(t.Context(), paused); err != nil {
			t.Fatal(err)
		}
		if sink.session.Paused() != paused {
			t.Errorf("paused is %t", !paused)
		}
		say(t, speaker, packets)
		if want := time.Duration(i/2+1) * 500 * time.Millisecond; !paused {
			sink.until(t, "what was said", func() bool { return sink.length() >= want-20*time.Millisecond })
		}
	}
	stop(t, speaker, sink)
	// What is on its way when Pause or Resume comes falls on either side.
	near(t, "the recording", sink.length(), time.Second, 200*time.Millisecond)
}

func TestMessagesCountAgainstTheRate(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server, func(c *whiptest.Config) { c.Channel = true })
	// 375,000 bytes are allowed in 5 s.
	for range 60 {
		if err := speaker.Message(strings.Repeat("x", 10_000)); err != nil {
			break
		}
	}
	sink.wait(t, whip.TooFast)
}

func TestVideoIsTurnedDown(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server, func(c *whiptest.Config) { c.Video, c.Channel = true, true })
	packets := tone(t, 10)
	say(t, speaker, packets)
	sink.until(t, "all packets", func() bool { return sink.count() == len(packets) })
	if answer := sink.session.Answer(); !strings.Contains(answer, "m=video 0 ") {
		t.Errorf("video is not turned down:\n%s", answer)
	}
	stop(t, speaker, sink)
}
