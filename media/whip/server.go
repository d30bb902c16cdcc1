package whip

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"
)

// Server takes in sessions. It is safe for concurrent use.
type Server struct {
	cfg    Config
	net    transport.Net
	udp    *ice.UDPMuxDefault
	tcp    *ice.TCPMuxDefault // nil: none
	public publicAddresses
	cert   webrtc.Certificate

	mu       sync.Mutex
	sessions map[string]*Session
	closing  bool
	closed   chan struct{}  // when Close is done
	work     sync.WaitGroup // what outlives the call that began it
}

// Listen opens the server's ports. Close gives them back.
func Listen(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg.withDefaults(), net: cfg.Net,
		sessions: map[string]*Session{}, closed: make(chan struct{}),
	}
	s.public.named = cfg.Public
	var err error
	if _, err = s.public.lookup(ctx); err != nil {
		return nil, err
	}
	if s.cert, err = newCertificate(); err != nil {
		return nil, err
	}
	if s.net == nil {
		if s.net, err = newMachineNet(); err != nil {
			return nil, err
		}
	}
	if s.udp, err = listenUDP(s.net, cfg.UDP, logs{cfg.Logger}); err != nil {
		return nil, err
	}
	if cfg.TCP != "" {
		if s.tcp, err = listenTCP(s.net, cfg.TCP, logs{cfg.Logger}); err != nil {
			return nil, errors.Join(err, s.udp.Close())
		}
	}
	if err := s.try(); err != nil {
		return nil, errors.Join(fmt.Errorf("set WebRTC up: %w", err), s.Close())
	}
	return s, nil
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

// Addr is the UDP address that the server listens on.
func (s *Server) Addr() net.Addr { return s.udp.LocalAddr() }

// Sessions returns how many sessions are open.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Session returns the open session of an id.
func (s *Server) Session(id string) (*Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session, ok := s.sessions[id]
	return session, ok
}

// Links returns the values of Link headers that tell clients about the STUN and
// TURN servers (RFC 9725, section 4.6).
func (s *Server) Links() []string {
	var links []string
	for _, server := range s.cfg.ICEServers {
		for _, url := range server.URLs {
			link := fmt.Sprintf(`<%s>; rel="ice-server"`, url)
			if server.Username != "" {
				link += fmt.Sprintf(`; username=%s; credential=%s; credential-type="password"`, quoted(server.Username), quoted(server.Credential))
			}
			links = append(links, link)
		}
	}
	return links
}

// quoted writes a quoted-string (RFC 9110, section 5.6.4).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// begin reserves a place for a session that is being opened.
func (s *Server) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return fmt.Errorf("the recording server: %w", ErrClosed)
	}
	s.work.Add(1)
	return nil
}

// begun takes an opened session in. It is false when the server closes.
func (s *Server) begun(session *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions[session.id] = session
	return true
}

func (s *Server) forget(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session.id)
}

// background runs f, which Close waits for. When all is closed already, there
// is nothing left that f could do.
func (s *Server) background(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return
	default:
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		f()
	}()
}

// Close ends all sessions, each with [ServerStopped], and returns when nothing
// of the server is left. A second call waits for the first.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		<-s.closed
		return nil
	}
	s.closing = true
	var ends sync.WaitGroup
	for _, session := range s.sessions {
		ends.Go(func() { session.Close(ServerStopped) })
	}
	s.mu.Unlock()
	ends.Wait()
	s.work.Wait()
	err := s.udp.Close()
	if s.tcp != nil {
		err = errors.Join(err, s.tcp.Close())
	}
	close(s.closed)
	return err
}

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
		return nil, fmt.Errorf("set Opus up: %w", err)
	}
	// No interceptors: what they would do (NACK, receiver reports), the
	// session does itself, without a goroutine and a timer for each.
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
		webrtc.WithSettingEngine(s.settings(in)))
	cfg := webrtc.Configuration{
		Certificates: []webrtc.Certificate{s.cert},
		BundlePolicy: webrtc.BundlePolicyMaxBundle, RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
	}
	if len(s.cfg.Public) == 0 {
		cfg.ICEServers = ownServers(s.cfg.ICEServers)
	}
	return api.NewPeerConnection(cfg)
}

// ownServers are those that the server can use itself: TURN takes a password,
// which clients may have from elsewhere.
func ownServers(all []ICEServer) []webrtc.ICEServer {
	var own []webrtc.ICEServer
	for _, server := range all {
		urls := slices.DeleteFunc(slices.Clone(server.URLs), func(url string) bool {
			return strings.HasPrefix(url, "turn") && (server.Username == "" || server.Credential == "")
		})
		if len(urls) > 0 {
			own = append(own, webrtc.ICEServer{URLs: urls, Username: server.Username, Credential: server.Credential})
		}
	}
	return own
}

// disconnectedAfter is how long ICE hears nothing before it says so.
func (s *Server) disconnectedAfter() time.Duration { return min(5*time.Second, s.cfg.Grace/2) }

func (s *Server) settings(in *intake) webrtc.SettingEngine {
	e := webrtc.SettingEngine{LoggerFactory: logs{s.cfg.Logger}, BufferFactory: in.buffer}
	e.SetNet(s.net)
	e.SetICEUDPMux(s.udp)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if s.tcp != nil {
		e.SetICETCPMux(s.tcp)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(networks)
	e.SetIncludeLoopbackCandidate(true) // told says who is told
	// Looking names up by multicast takes a socket and goroutines a session,
	// and is not needed: clients reach us.
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.DisableActiveTCP(true) // no connections to where a stranger says
	e.SetSTUNGatherTimeout(gatherTimeout)
	// ICE never gives up: the session does, after its grace.
	e.SetICETimeouts(s.disconnectedAfter(), 0, 2*time.Second)
	e.SetDTLSRetransmissionInterval(300 * time.Millisecond)
	// Retransmissions come as themselves, however much came in between.
	e.SetSRTPReplayProtectionWindow(window)
	e.SetSCTPMaxReceiveBufferSize(8 * MaxMessage)
	e.SetSCTPMaxMessageSize(MaxMessage)
	return e
}
