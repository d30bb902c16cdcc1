package whip_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"hark/media/opus"
	"hark/media/whip"
)

// offerOf is an offer of audio as pion makes one.
func offerOf(t *testing.T) string {
	t.Helper()
	peer, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := peer.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return offer.SDP
}

// TestRefusedSessionIsNotTold is about sessions that fail while they are
// opened: whoever asked is told by Open, and by nothing else.
func TestRefusedSessionIsNotTold(t *testing.T) {
	server := listen(t, func(c *whip.Config) {
		// Nobody answers there, so that finding our addresses takes a while.
		c.ICEServers = []whip.ICEServer{{URLs: []string{"stun:127.0.0.1:9"}}}
	})
	gone := errors.New("the client is gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	offer, sinks := offerOf(t), []*recording{}
	for range 8 {
		sink := newRecording()
		if _, err := server.Open(ctx, offer, sink); err == nil {
			continue // the addresses were found at once
		} else if !errors.Is(err, gone) {
			t.Fatal(err)
		}
		sinks = append(sinks, sink)
	}
	if len(sinks) == 0 {
		t.Fatal("no session was refused")
	}
	if err := server.Close(); err != nil { // which waits for what is under way
		t.Fatal(err)
	}
	for _, sink := range sinks {
		select {
		case <-sink.ended:
			t.Fatal("a session that was refused ended")
		default:
		}
	}
}

// slowSink takes its time to end.
type slowSink struct{ ending, end chan struct{} }

func (s slowSink) Opus(opus.Packet) {}
func (s slowSink) Message([]byte)   {}
func (s slowSink) Ended(whip.Reason) {
	close(s.ending)
	<-s.end
}

// TestCloseWaitsForSessionsThatEnd is about a server that is closed while a
// session ends by itself.
func TestCloseWaitsForSessionsThatEnd(t *testing.T) {
	server := listen(t)
	sink := slowSink{make(chan struct{}), make(chan struct{})}
	session, err := server.Open(t.Context(), offerOf(t), sink)
	if err != nil {
		t.Fatal(err)
	}
	go session.Close(whip.Stopped)
	<-sink.ending
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = server.Close()
	}()
	select {
	case <-closed:
		t.Error("closed before the session had ended")
	case <-time.After(100 * time.Millisecond):
	}
	close(sink.end)
	<-closed
}
