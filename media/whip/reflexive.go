package whip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4"
)

// askAgain is when a STUN server that did not answer is asked once more.
const askAgain = 250 * time.Millisecond

// reflexive finds out from STUN servers how the one UDP port is reached from
// outside, for a server behind NAT without a public address in its configuration.
type reflexive struct {
	servers []string // host:port
	net     transport.Net
	conn    *answersConn // nil without servers

	mu      sync.Mutex
	found   []netip.AddrPort
	askedAt time.Time
}

// stunServers checks the addresses of all servers and returns the host:port of
// those that can be asked without a password.
func stunServers(all []ICEServer) ([]string, error) {
	var servers []string
	for _, server := range all {
		for _, url := range server.URLs {
			uri, err := stun.ParseURI(url)
			if err != nil {
				return nil, fmt.Errorf("the ICE server %q: %w", url, err)
			}
			if uri.Scheme == stun.SchemeTypeSTUN {
				servers = append(servers, net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)))
			}
		}
	}
	return servers, nil
}

// over returns the connection of the one port, of which r hears what servers
// answer. Without servers it is left as it is.
func (r *reflexive) over(conn net.PacketConn) net.PacketConn {
	if len(r.servers) == 0 {
		return conn
	}
	r.conn = &answersConn{PacketConn: conn, expected: map[transactionID]chan netip.AddrPort{}}
	return r.conn
}

// candidates are those that clients get beside the machine's own:
// its port, and that of TCP, at each address under which it is seen.
func (r *reflexive) candidates(ctx context.Context, own []string) []string {
	var more []string
	for _, at := range r.ask(ctx) {
		if slices.ContainsFunc(own, func(c string) bool { return candidateField(c, 4) == at.Addr().String() }) {
			continue
		}
		more = append(more, hostCandidate(len(own)+len(more), "udp", at.Addr(), strconv.Itoa(int(at.Port()))))
		tcp := slices.IndexFunc(own, func(c string) bool { return strings.EqualFold(candidateField(c, 2), "tcp") })
		if tcp >= 0 {
			more = append(more, hostCandidate(len(own)+len(more), "tcp", at.Addr(), candidateField(own[tcp], 5)))
		}
	}
	return more
}

// ask asks all servers at once, at most once a minute, whether or not they
// answer. A client that goes away meanwhile does not end it for the others.
func (r *reflexive) ask(ctx context.Context) []netip.AddrPort {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.servers) == 0 || !r.askedAt.IsZero() && time.Since(r.askedAt) < time.Minute {
		return r.found
	}
	ctx = context.WithoutCancel(ctx)
	answers := make([]netip.AddrPort, len(r.servers))
	var all sync.WaitGroup
	for i, server := range r.servers {
		all.Go(func() { answers[i] = r.askOne(ctx, server) })
	}
	all.Wait()
	answers = slices.DeleteFunc(answers, func(a netip.AddrPort) bool { return !a.IsValid() })
	slices.SortFunc(answers, netip.AddrPort.Compare)
	if len(answers) > 0 { // what was found last holds while nobody answers
		r.found = slices.Compact(answers)
	}
	r.askedAt = time.Now()
	return r.found
}

// askOne returns the address that a server sees; the zero value when it tells
// none in time.
func (r *reflexive) askOne(ctx context.Context, server string) netip.AddrPort {
	at, err := r.net.ResolveUDPAddr("udp", server)
	if err != nil {
		return netip.AddrPort{}
	}
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return netip.AddrPort{}
	}
	answer := r.conn.expect(request.TransactionID)
	defer r.conn.forget(request.TransactionID)
	ctx, cancel := context.WithTimeout(ctx, gatherTimeout)
	defer cancel()
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for {
		if _, err := r.conn.WriteTo(request.Raw, at); err != nil {
			return netip.AddrPort{}
		}
		select {
		case seen := <-answer:
			return seen
		case <-again.C:
		case <-ctx.Done():
			return netip.AddrPort{}
		}
	}
}
