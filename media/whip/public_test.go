package whip_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"hark/media/whip"
)

// nameServer answers for every name with 203.0.113.9 when it is well, and
// refuses to otherwise.
type nameServer struct {
	net.PacketConn
	well  atomic.Bool
	asked chan struct{} // gets a token when it was asked
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{PacketConn: conn, asked: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return s
}

func (s *nameServer) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		m.Response, m.Additionals = true, nil
		switch {
		case !s.well.Load():
			m.RCode = dnsmessage.RCodeServerFailure
		case q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte{203, 0, 113, 9}},
			}}
		}
		if answer, err := m.Pack(); err == nil {
			_, _ = s.WriteTo(answer, from)
		}
		select {
		case s.asked <- struct{}{}:
		default:
		}
	}
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", s.LocalAddr().String())
	}}
}

// TestPublicNameWithoutDNS is a server whose name cannot be looked up when it
// starts: it starts all the same, refuses sessions, and takes them when DNS is
// back. When DNS goes again, what it knew holds.
func TestPublicNameWithoutDNS(t *testing.T) {
	t.Parallel()
	offer, err := os.ReadFile("testdata/firefox.sdp")
	if err != nil {
		t.Fatal(err)
	}
	names := newNameServer(t)
	server := listen(t, func(c *whip.Config) {
		c.Public, c.Resolver, c.LookupEvery = []string{"voice.example.org"}, names.resolver(), 10*time.Millisecond
	})
	if err := server.Ready(); err == nil || !strings.Contains(err.Error(), "voice.example.org") {
		t.Errorf("without DNS it says %v", err)
	}
	if _, err := server.Open(t.Context(), string(offer), newRecording()); !errors.Is(err, whip.ErrNoAddress) {
		t.Errorf("a session without an address to tell: %v", err)
	}

	names.well.Store(true)
	for server.Ready() != nil {
		<-names.asked
	}
	sink := newRecording()
	session, err := server.Open(t.Context(), string(offer), sink)
	if err != nil {
		t.Fatal(err)
	}
	if answer := session.Answer(); !strings.Contains(answer, " 203.0.113.9 ") {
		t.Errorf("the answer tells other addresses:\n%s", answer)
	}
	session.End("duration")
	sink.wait(t, "duration")

	names.well.Store(false)
	for range 5 {
		<-names.asked
	}
	if err := server.Ready(); err != nil {
		t.Errorf("a name that was known is gone with DNS: %v", err)
	}
}

// TestPublicNamesKnownInPart tells clients what it knows.
func TestPublicNamesKnownInPart(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) {
		c.Public, c.Resolver = []string{"voice.example.org", "203.0.113.5"}, newNameServer(t).resolver()
	})
	if server.Ready() == nil {
		t.Error("it is ready without one of its names")
	}
	session, sink := openFirefox(t, server)
	if !strings.Contains(session.Answer(), " 203.0.113.5 ") {
		t.Errorf("%s", session.Answer())
	}
	session.End("duration")
	sink.wait(t, "duration")
}
