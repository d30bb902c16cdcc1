package whip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"
)

// Server takes in sessions. It is safe for concurrent use.
type Server struct {
	cfg    Config
	net    transport.Net
	udp    *ice.UDPMuxDefault
	tcp    *ice.TCPMuxDefault // nil: none
	public *publicAddresses
	cert   webrtc.Certificate

	stopWatch context.CancelFunc // of the public names
	reflexive *reflexive

	mu       sync.Mutex
	sessions map[string]*Session
	closing  bool
	work     int           // what Close waits for: sessions that are opened or ended
	idle     sync.Cond     // work is 0
	gone     bool          // Close has waited; there is nothing left to do
	closed   chan struct{} // when Close is done
}

// Listen opens the server's ports. Close gives them back. A public name that
// cannot be looked up now fails nothing; see [Server.Ready].
func Listen(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg.withDefaults(), net: cfg.Net,
		sessions: map[string]*Session{}, closed: make(chan struct{}), stopWatch: func() {},
	}
	s.idle.L = &s.mu
	s.public = &publicAddresses{
		named: cfg.Public, resolver: s.cfg.Resolver, every: s.cfg.LookupEvery, log: cfg.Logger, known: map[string][]netip.Addr{},
	}
	stun, err := stunServers(cfg.ICEServers)
	if err != nil {
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
	s.reflexive = &reflexive{servers: stun, net: s.net}
	if s.udp, err = listenUDP(s.net, cfg.UDP, s.reflexive, logs{cfg.Logger}); err != nil {
		return nil, err
	}
	if cfg.TCP != "" {
		if s.tcp, err = listenTCP(s.net, cfg.TCP, logs{cfg.Logger}); err != nil {
			return nil, errors.Join(err, s.udp.Close())
		}
	}
	if err := s.try(); err != nil {
		return nil, errors.Join(fmt.Errorf("set up WebRTC: %w", err), s.Close())
	}
	if len(cfg.Public) > 0 {
		s.public.lookup(ctx)
		watch, stop := context.WithCancel(context.WithoutCancel(ctx))
		s.stopWatch = stop
		s.background(func() { s.public.watch(watch) })
	}
	return s, nil
}

// Ready returns nil when clients get all addresses of [Config.Public],
// and otherwise why not. With none of them known, sessions are refused with
// [ErrNoAddress].
func (s *Server) Ready() error { return s.public.ready() }

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

// Links returns the values of Link headers that tell a user's client about the
// STUN and TURN servers (RFC 9725, section 4.6). A TURN server's log names the
// user as they are named here.
func (s *Server) Links(user string) []string {
	var links []string
	for _, server := range s.iceServers(user) {
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
	s.work++
	return nil
}

// hold has Close wait until done.
func (s *Server) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work++
}

func (s *Server) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work--; s.work == 0 {
		s.idle.Broadcast()
	}
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
	if s.gone {
		return
	}
	s.work++
	go func() {
		defer s.done()
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
	s.stopWatch()
	var ends sync.WaitGroup
	for _, session := range s.sessions {
		ends.Go(func() { session.Close(ServerStopped) })
	}
	s.mu.Unlock()
	ends.Wait()
	s.mu.Lock()
	for s.work > 0 {
		s.idle.Wait()
	}
	s.gone = true
	s.mu.Unlock()
	err := s.udp.Close()
	if s.tcp != nil {
		err = errors.Join(err, s.tcp.Close())
	}
	close(s.closed)
	return err
}
