package whip

import (
	"net"
	"net/netip"
	"sync"

	"github.com/pion/stun/v4"
)

type transactionID = [stun.TransactionIDSize]byte

// answersConn is a UDP connection that passes on everything, and tells those
// who asked a STUN server what it answered.
type answersConn struct {
	net.PacketConn

	mu       sync.Mutex
	expected map[transactionID]chan netip.AddrPort
}

// expect returns a channel for the one answer to a request.
func (c *answersConn) expect(id transactionID) <-chan netip.AddrPort {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer := make(chan netip.AddrPort, 1)
	c.expected[id] = answer
	return answer
}

func (c *answersConn) forget(id transactionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.expected, id)
}

// ReadFrom reads a packet.
func (c *answersConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(p)
	if err == nil && stun.IsMessage(p[:n]) {
		c.hear(p[:n])
	}
	return n, from, err
}

// hear takes a packet that may be an answer. Nobody but the server that was
// asked knows the transaction's id (RFC 8489, section 5).
func (c *answersConn) hear(packet []byte) {
	id := transactionID(packet[8:20])
	c.mu.Lock()
	answer, ok := c.expected[id]
	c.mu.Unlock()
	if !ok {
		return
	}
	message := &stun.Message{Raw: packet}
	var seen stun.XORMappedAddress
	if message.Decode() != nil || message.Type != stun.BindingSuccess || seen.GetFrom(message) != nil {
		return
	}
	addr, ok := netip.AddrFromSlice(seen.IP)
	if !ok {
		return
	}
	select {
	case answer <- netip.AddrPortFrom(addr.Unmap(), uint16(seen.Port)):
	default: // it was answered twice
	}
}
