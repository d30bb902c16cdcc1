package whip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
)

// receiveBuffer is what the kernel may keep of all sessions' packets while we
// are busy: a quarter of a second of 1,000 of them.
const receiveBuffer = 16 << 20

// machineNet is the machine's network as it is now. Pion's own looks at the
// interfaces once, but a laptop changes them and a server outlives leases.
type machineNet struct {
	*stdnet.Net
	mu     sync.Mutex
	seen   []*transport.Interface
	seenAt time.Time
}

func newMachineNet() (*machineNet, error) {
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("read network interfaces: %w", err)
	}
	return &machineNet{Net: n}, nil
}

// Interfaces returns the interfaces, seen not long ago: looking is dear when
// many sessions begin at once.
func (n *machineNet) Interfaces() ([]*transport.Interface, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen != nil && time.Since(n.seenAt) < 5*time.Second {
		return n.seen, nil
	}
	now, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	if n.seen, err = now.Interfaces(); err != nil {
		return nil, err
	}
	n.seenAt = time.Now()
	return n.seen, nil
}

// listenUDP opens the one UDP port and shares it out. What r is to hear of, it
// hears.
func listenUDP(n transport.Net, addr string, r *reflexive, log logs) (*ice.UDPMuxDefault, error) {
	at, err := n.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for WebRTC on UDP %s: %w", addr, err)
	}
	conn, err := n.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("listen for WebRTC on UDP %s: %w", addr, err)
	}
	growReadBuffer(conn, receiveBuffer)
	return ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: r.over(conn), Net: n, Logger: log.NewLogger("udp")}), nil
}

// listenTCP opens the TCP port for those whom no UDP reaches.
func listenTCP(n transport.Net, addr string, log logs) (*ice.TCPMuxDefault, error) {
	at, err := n.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for WebRTC on TCP %s: %w", addr, err)
	}
	listener, err := n.ListenTCP("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("listen for WebRTC on TCP %s: %w", addr, err)
	}
	return ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: listener, Logger: log.NewLogger("tcp"),
		ReadBufferSize: 64, WriteBufferSize: 256 << 10, FirstStunBindTimeout: 5 * time.Second,
	}), nil
}

// advertised are those of our candidates that clients get in the answer. With
// public addresses, these replace the machine's own. Without, loopback is left
// out unless there is nothing else.
func advertised(candidates []string, public []netip.Addr) []string {
	// Pion has candidates for RTCP apart, which rtcp-mux makes no use of.
	candidates = slices.DeleteFunc(slices.Clone(candidates), func(c string) bool { return candidateField(c, 1) != "1" })
	if len(public) > 0 {
		return published(candidates, public)
	}
	outer := slices.DeleteFunc(slices.Clone(candidates), func(c string) bool {
		addr, err := netip.ParseAddr(candidateField(c, 4))
		return err == nil && (addr.IsLoopback() || addr.IsLinkLocalUnicast())
	})
	if len(outer) == 0 {
		return candidates
	}
	return outer
}

func candidateField(candidate string, i int) string {
	if fields := strings.Fields(candidate); i < len(fields) {
		return fields[i]
	}
	return ""
}

// published puts public addresses in the place of host candidates, once for
// each protocol and port.
func published(candidates []string, public []netip.Addr) []string {
	var out, seen []string
	for _, c := range candidates {
		if candidateField(c, 7) != "host" {
			out = append(out, c)
			continue
		}
		protocol, port := candidateField(c, 2), candidateField(c, 5)
		if slices.Contains(seen, protocol+port) {
			continue
		}
		seen = append(seen, protocol+port)
		for i, addr := range public {
			out = append(out, hostCandidate(i, protocol, addr, port))
		}
	}
	return out
}

// hostCandidate writes a candidate, the i-th of its protocol. Priorities are
// RFC 8445's, section 5.1.2.1: the first address first, TCP behind all UDP.
func hostCandidate(i int, protocol string, addr netip.Addr, port string) string {
	if protocol == "tcp" {
		return fmt.Sprintf("%d 1 tcp %d %s %s typ host tcptype passive", 101+i, 90<<24+(8191-i)<<8+255, addr, port)
	}
	return fmt.Sprintf("%d 1 udp %d %s %s typ host", 1+i, 126<<24+(65535-i)<<8+255, addr, port)
}
