// Package proxy finds out who asks when a reverse proxy asks for them: by
// X-Forwarded-For and X-Forwarded-Host, or Forwarded (RFC 7239). Anybody can
// send these headers, so they are believed of trusted peers only, and read from
// the right: what the nearest proxy wrote, then what the one before it did, for
// as long as each was written by a trusted one.
//
// A proxy that writes one kind of header passes the other on as it came. So
// when both kinds are there and name different callers, neither is believed.
//
// X-Forwarded-Proto is not read: the public address says how Hark is reached.
package proxy

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how many proxies are looked through.
const maxHops = 32

// Trusted are the networks of proxies that are believed. Nil trusts nobody. It
// is not to be changed, and safe for concurrent use.
type Trusted []netip.Prefix

// Loopback are the proxies of this machine.
func Loopback() Trusted {
	return Trusted{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// ParseTrusted reads networks such as 10.0.0.0/8, and single addresses.
func ParseTrusted(entries []string) (Trusted, error) {
	var trusted Trusted
	for _, entry := range entries {
		entry = strings.TrimSpace(entry)
		network, err := netip.ParsePrefix(entry)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(entry); err == nil {
				network, err = addr.Prefix(addr.BitLen())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.0.0.0/8, or an address", entry)
		}
		trusted = append(trusted, network.Masked())
	}
	return trusted, nil
}

func (t Trusted) contain(addr netip.Addr) bool {
	for _, network := range t {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// Request returns r as its caller made it: with their address in RemoteAddr and
// the host that they asked in Host, as far as trusted proxies say. The port of
// an address that a proxy tells is 0. r itself is not changed.
func (t Trusted) Request(r *http.Request) *http.Request {
	peer, ok := peerOf(r.RemoteAddr)
	if !ok || !t.contain(peer) {
		return r
	}
	told := t.told(peer, r.Header)
	if told == (hop{addr: peer}) {
		return r
	}
	asked := r.WithContext(r.Context())
	if told.addr != peer {
		asked.RemoteAddr = net.JoinHostPort(told.addr.String(), "0")
	}
	if told.host != "" {
		asked.Host = told.host
	}
	return asked
}

// told is what the headers of a trusted peer say of the caller.
func (t Trusted) told(peer netip.Addr, h http.Header) hop {
	plain := t.walk(peer, forwardedFor(h))
	plain.host = lastHost(h)
	if len(h.Values("Forwarded")) == 0 {
		return plain
	}
	standard := t.walk(peer, parseForwarded(h.Values("Forwarded")))
	switch {
	case len(h.Values("X-Forwarded-For")) == 0 && plain.host == "":
		return standard
	case standard.addr == plain.addr && (standard.host == "" || standard.host == plain.host):
		return plain
	}
	return hop{addr: peer}
}

// walk goes from the nearest hop outwards, to the first that is not a trusted
// proxy: the caller. A hop that is not an address ends the way at the one
// before it.
func (t Trusted) walk(peer netip.Addr, hops []hop) hop {
	caller := hop{addr: peer}
	for i := len(hops) - 1; i >= 0 && len(hops)-i <= maxHops; i-- {
		if !hops[i].addr.IsValid() {
			break
		}
		caller = hops[i]
		if !t.contain(caller.addr) {
			break
		}
	}
	return caller
}

func peerOf(remote string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}, false
	}
	return plainAddr(at.Addr()), true
}

// plainAddr is an address without what differs between ways of writing it.
func plainAddr(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
