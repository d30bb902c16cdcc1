package whip

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"hark/media/whip/receive"
)

// newPeer makes the peer connection of one session, whose packets go to in.
func (s *Server) newPeer(o *offer, in *intake) (*webrtc.PeerConnection, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
			SDPFmtpLine:  o.opusParameters(),
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: webrtc.TypeRTCPFBNACK}},
		},
		PayloadType: webrtc.PayloadType(o.payloadType),
	}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, fmt.Errorf("set up Opus: %w", err)
	}
	// No interceptors: what they would do (NACK, receiver reports), the
	// session does itself, without a goroutine and a timer for each.
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
		webrtc.WithSettingEngine(s.settings(in)))
	cfg := webrtc.Configuration{
		Certificates: []webrtc.Certificate{s.cert},
		BundlePolicy: webrtc.BundlePolicyMaxBundle, RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
	}
	return api.NewPeerConnection(cfg)
}

// disconnectedAfter is how long ICE hears nothing before it says so.
func (s *Server) disconnectedAfter() time.Duration { return min(5*time.Second, s.cfg.Grace/2) }

func (s *Server) settings(in *intake) webrtc.SettingEngine {
	e := webrtc.SettingEngine{LoggerFactory: logs{s.cfg.Logger}, BufferFactory: in.buffer}
	e.SetLite(true) // answers where it is asked from, and asks nobody
	e.SetNet(s.net)
	e.SetICEUDPMux(s.udp)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if s.tcp != nil {
		e.SetICETCPMux(s.tcp)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(networks)
	e.SetIncludeLoopbackCandidate(true) // advertised chooses
	// Looking names up by multicast takes a socket and goroutines a session,
	// and is not needed: clients reach us.
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.DisableActiveTCP(true) // no connections to where a stranger says
	// ICE never gives up: the session does, after its grace.
	e.SetICETimeouts(s.disconnectedAfter(), 0, 2*time.Second)
	e.SetDTLSRetransmissionInterval(300 * time.Millisecond)
	// Retransmissions come as themselves, however much came in between.
	e.SetSRTPReplayProtectionWindow(receive.Window)
	e.SetSCTPMaxReceiveBufferSize(8 * MaxMessage)
	e.SetSCTPMaxMessageSize(MaxMessage)
	// A client that comes back hears from us at once, not when we next dare.
	e.SetSCTPRTOMax(2 * time.Second)
	return e
}

// try makes a peer connection of the settings, so that what is wrong with them
// shows at once and not in every session.
func (s *Server) try() error {
	peer, err := s.newPeer(&offer{payloadType: 111}, &intake{})
	if err != nil {
		return err
	}
	return peer.Close()
}

// newCertificate makes the certificate of all sessions. Clients know it by its
// fingerprint in the answer; nobody looks at its dates but pion, which would
// open no more sessions past them.
func newCertificate() (webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	now := time.Now()
	cert, err := webrtc.NewCertificate(key, x509.Certificate{
		SerialNumber: serial, Version: 2,
		NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(10, 0, 0),
	})
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return *cert, nil
}
