package whip

import (
	"net/netip"
	"slices"
	"testing"
)

func TestTold(t *testing.T) {
	const (
		loopback = "1 1 udp 2130706431 127.0.0.1 8189 typ host"
		lan      = "2 1 udp 2130706431 192.168.1.2 8189 typ host"
		lan6     = "3 1 udp 2130706431 2001:db8::2 8189 typ host"
		tcp      = "4 1 tcp 1671430143 192.168.1.2 8190 typ host tcptype passive"
		relay    = "5 1 udp 16777215 198.51.100.9 4000 typ relay raddr 0.0.0.0 rport 5000"
	)
	for _, c := range []struct {
		name       string
		candidates []string
		public     []string
		want       []string
	}{
		{"loopback alone", []string{loopback}, nil, []string{loopback}},
		{"loopback and others", []string{loopback, lan, lan6, tcp}, nil, []string{lan, lan6, tcp}},
		{"of RTCP", []string{lan, "2 2 udp 2130706430 192.168.1.2 8189 typ host"}, nil, []string{lan}},
		{"a public address", []string{loopback, lan, lan6, tcp, relay}, []string{"203.0.113.5"}, []string{
			"1 1 udp 2130706431 203.0.113.5 8189 typ host", "101 1 tcp 1512046591 203.0.113.5 8190 typ host tcptype passive", relay,
		}},
		{"two", []string{lan}, []string{"203.0.113.5", "2001:db8::5"}, []string{
			"1 1 udp 2130706431 203.0.113.5 8189 typ host", "2 1 udp 2130706175 2001:db8::5 8189 typ host",
		}},
	} {
		var public []netip.Addr
		for _, p := range c.public {
			public = append(public, netip.MustParseAddr(p))
		}
		if got := advertised(c.candidates, public); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
