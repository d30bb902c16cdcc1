package whip_test

import (
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4/vnet"
	"github.com/pion/webrtc/v4"

	"hark/media/whip"
	"hark/media/whip/whiptest"
)

// network is a virtual one with a server's machine and a client's, which has
// two addresses.
func network(t *testing.T) (server, client *vnet.Net) {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.1.0.0/16", LoggerFactory: logging.NewDefaultLoggerFactory()})
	if err != nil {
		t.Fatal(err)
	}
	nets := make([]*vnet.Net, 2)
	for i, ips := range [][]string{{"10.1.0.1"}, {"10.1.0.2", "10.1.0.3"}} {
		if nets[i], err = vnet.NewNet(&vnet.NetConfig{StaticIPs: ips}); err != nil {
			t.Fatal(err)
		}
		if err := router.AddNet(nets[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := router.Stop(); err != nil {
			t.Error(err)
		}
	})
	return nets[0], nets[1]
}

// TestAddressChange is a client that leaves one network for another: nothing
// that it sends arrives until it has restarted ICE from its new address.
func TestAddressChange(t *testing.T) {
	t.Parallel()
	machine, phone := network(t)
	server := listen(t, func(c *whip.Config) { c.UDP, c.Net = "10.1.0.1:8189", machine })
	var address atomic.Value
	address.Store("10.1.0.2")
	speaker, sink := dial(t, server, func(c *whiptest.Config) {
		c.Net = phone
		c.Settings = func(e *webrtc.SettingEngine) {
			e.SetIPFilter(func(ip net.IP) bool { return ip.String() == address.Load() })
		}
	})
	packets := tone(t, 50)
	say(t, speaker, packets)
	speaker.Cut(true)
	say(t, speaker, packets) // into the void
	address.Store("10.1.0.3")
	speaker.Cut(false)
	restarted := make(chan error, 1)
	go func() { restarted <- speaker.Restart(t.Context()) }()
	say(t, speaker, packets)
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	say(t, speaker, packets)
	sink.until(t, "what was said from the new address", func() bool { return sink.length() >= 3900*time.Millisecond })
	stop(t, speaker, sink)
	near(t, "the recording", sink.length(), 4*time.Second, 60*time.Millisecond)
	t.Logf("%d packets of %d, %d sent again", sink.count(), 4*len(packets), speaker.SentAgain())
}

func TestTCP(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) { c.TCP = "127.0.0.1:0" })
	speaker, sink := dial(t, server, func(c *whiptest.Config) {
		c.Settings = func(e *webrtc.SettingEngine) {
			e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
		}
	})
	packets := tone(t, 25)
	sayAll(t, speaker, sink, packets)
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	probe, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6: ", err)
	}
	probe.Close()
	server := listen(t, func(c *whip.Config) { c.UDP = "[::1]:0" })
	speaker, sink := dial(t, server, func(c *whiptest.Config) {
		c.Settings = func(e *webrtc.SettingEngine) {
			e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP6})
		}
	})
	packets := tone(t, 25)
	say(t, speaker, packets)
	sink.until(t, "all packets", func() bool { return sink.count() == len(packets) })
	speaker.Vanish()
}

// TestEveryAddress listens as a server does that is told no address.
func TestEveryAddress(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) { c.UDP, c.TCP = ":0", ":0" })
	speaker, sink := dial(t, server, func(c *whiptest.Config) { c.Channel = true })
	packets := tone(t, 25)
	say(t, speaker, packets)
	sink.until(t, "all packets", func() bool { return sink.count() == len(packets) })
	answer := sink.session.Answer()
	for _, want := range []string{" udp ", " tcp ", "tcptype passive"} {
		if !strings.Contains(answer, want) {
			t.Errorf("no %q in the answer:\n%s", want, answer)
		}
	}
}

// TestListenRefuses is about settings that could never work.
func TestListenRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]whip.Config{
		"an address":        {UDP: "nowhere"},
		"a TCP address":     {UDP: "127.0.0.1:0", TCP: "192.0.2.1:1"},
		"an ICE server":     {UDP: "127.0.0.1:0", ICEServers: []whip.ICEServer{{URLs: []string{"http://example.net"}}}},
		"an ICE server too": {UDP: "127.0.0.1:0", ICEServers: []whip.ICEServer{{URLs: []string{"stun:"}}}},
	} {
		cfg.Logger = slog.New(slog.DiscardHandler)
		if server, err := whip.Listen(t.Context(), cfg); err == nil {
			t.Errorf("%s that cannot be used was taken", name)
			server.Close()
		}
	}
}

// TestSilentICEServers is a session whose servers never answer: the client is
// told what is known without them.
func TestSilentICEServers(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	server := listen(t, func(c *whip.Config) {
		c.ICEServers = []whip.ICEServer{
			{URLs: []string{"stun:" + silent.LocalAddr().String()}},
			{URLs: []string{"turn:turn.example.net"}}, // the client's password is its own
		}
	})
	speaker, sink := dial(t, server)
	packets := tone(t, 10)
	say(t, speaker, packets)
	sink.until(t, "all packets", func() bool { return sink.count() == len(packets) })
}
