package whip_test

import (
	"testing"
	"time"

	"hark/media/whip"
	"hark/media/whip/whiptest"
)

func TestSpeakAndStop(t *testing.T) {
	server := listen(t)
	speaker, sink := dial(t, server)
	packets := tone(t, 50)
	say(t, speaker, packets)
	sink.until(t, "all packets", func() bool { return sink.count() >= len(packets) })
	if server.Sessions() != 1 {
		t.Errorf("%d sessions", server.Sessions())
	}
	stop(t, speaker, sink)
	if !equal(said(sink), packets) {
		t.Error("what was said is not what was recorded")
	}
	near(t, "the recording", sink.length(), time.Second, 0)
	if server.Sessions() != 0 {
		t.Errorf("%d sessions are left", server.Sessions())
	}
}

func TestDataChannel(t *testing.T) {
	server := listen(t)
	heard := make(chan string, 10)
	speaker, sink := dial(t, server, func(c *whiptest.Config) {
		c.Channel, c.Trickle = true, true
		c.OnMessage = func(text []byte) { heard <- string(text) }
	})
	sink.mu.Lock()
	sink.onMessage = func(r *recording, text string) {
		if err := r.session.Send([]byte("echo " + text)); err != nil {
			t.Error(err)
		}
		if text == "stop" {
			r.session.End(whip.Stopped)
		}
	}
	sink.mu.Unlock()
	for _, text := range []string{"hello", "stop"} {
		if err := speaker.Message(text); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; got != "echo "+text {
			t.Errorf("heard %q", got)
		}
	}
	sink.wait(t, whip.Stopped)
	<-speaker.Closed()
}
