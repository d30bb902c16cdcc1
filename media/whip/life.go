package whip

import (
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// life ends a session that does not connect, or is not heard any more.
type life struct {
	mu        sync.Mutex
	connected bool        // it was, once
	waiting   *time.Timer // for the client to connect or to come back; nil: it is there
	over      bool
}

// watch hears what pion knows of the client.
func (l *life) watch(s *Session) {
	s.peer.OnICEConnectionStateChange(func(state webrtc.ICEConnectionState) {
		switch state {
		case webrtc.ICEConnectionStateDisconnected, webrtc.ICEConnectionStateFailed:
			l.missed(s, s.server.cfg.Grace-s.server.disconnectedAfter())
		case webrtc.ICEConnectionStateConnected, webrtc.ICEConnectionStateCompleted:
			l.returned()
		}
	})
	s.peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			l.arrived()
		case webrtc.PeerConnectionStateFailed:
			if s.peer.SCTP().Transport().State() == webrtc.DTLSTransportStateFailed {
				s.End(Failed)
			}
		case webrtc.PeerConnectionStateClosed:
			// Unless it is us, who have an end already: the client closed its
			// side properly, as a browser does with a tab.
			s.End(Stopped)
		}
	})
}

// begin waits for the client to connect.
func (l *life) begin(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connected || l.over || l.waiting != nil {
		return
	}
	l.waiting = time.AfterFunc(s.server.cfg.ConnectTimeout, func() { s.End(NeverConnected) })
}

// arrived means that ICE and DTLS are there.
func (l *life) arrived() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connected = true
	l.stop()
}

// missed waits for a client that was there to come back.
func (l *life) missed(s *Session, grace time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connected && !l.over && l.waiting == nil {
		l.waiting = time.AfterFunc(grace, func() { s.End(Disconnected) })
	}
}

// returned means that ICE is there again.
func (l *life) returned() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.connected {
		l.stop()
	}
}

func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.stop()
}

func (l *life) stop() {
	if l.waiting != nil {
		l.waiting.Stop()
		l.waiting = nil
	}
}
