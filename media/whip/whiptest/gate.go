package whiptest

import (
	"net"
	"slices"
	"sync/atomic"

	"github.com/pion/transport/v4"
)

// gate is the way to the network, which can be cut and disturbed.
type gate struct {
	transport.Net
	cut     atomic.Bool // nothing passes, either way
	udp     atomic.Bool // a UDP socket was opened
	media   atomic.Bool // a media packet was to leave over UDP
	disturb func(packet []byte, send func([]byte))
}

// ListenUDP implements [transport.Net].
func (g *gate) ListenUDP(network string, addr *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := g.Net.ListenUDP(network, addr)
	if err != nil {
		return nil, err
	}
	g.udp.Store(true)
	return &gatedConn{UDPConn: conn, gate: g}, nil
}

type gatedConn struct {
	transport.UDPConn
	gate *gate
}

// WriteTo implements [net.PacketConn].
func (c *gatedConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	media := mediaPacket(b)
	if media {
		c.gate.media.Store(true)
	}
	switch {
	case c.gate.cut.Load():
	case c.gate.disturb != nil && media:
		c.gate.disturb(slices.Clone(b), func(b []byte) {
			if !c.gate.cut.Load() {
				// What cannot be sent is lost, as on any network.
				_, _ = c.UDPConn.WriteTo(b, addr)
			}
		})
	default:
		return c.UDPConn.WriteTo(b, addr)
	}
	return len(b), nil
}

// ReadFrom implements [net.PacketConn].
func (c *gatedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, addr, err := c.UDPConn.ReadFrom(b)
		if err != nil || !c.gate.cut.Load() {
			return n, addr, err
		}
	}
}

// mediaPacket tells SRTP from SRTCP, DTLS and STUN (RFC 7983, RFC 5761).
func mediaPacket(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] < 192 && b[1]&0x7F == payloadType
}

// Cut cuts the network, both ways, or mends it.
func (s *Speaker) Cut(cut bool) { s.gate.cut.Store(cut) }
