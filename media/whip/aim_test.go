package whip_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"hark/media/whip"
	"hark/media/whip/whiptest"
)

// bystander listens on UDP and TCP for what it never asked for.
type bystander struct {
	udp net.PacketConn
	tcp *net.TCPListener
}

func newBystander(t *testing.T) bystander {
	t.Helper()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
	})
	return bystander{udp, tcp.(*net.TCPListener)}
}

// candidates name the bystander in every way that SDP has.
func (b bystander) candidates() string {
	_, udp, _ := net.SplitHostPort(b.udp.LocalAddr().String())
	_, tcp, _ := net.SplitHostPort(b.tcp.Addr().String())
	return fmt.Sprintf("a=candidate:1 1 udp 2130706431 127.0.0.1 %[1]s typ host\r\n"+
		"a=candidate:2 1 udp 1694498815 127.0.0.1 %[1]s typ srflx raddr 0.0.0.0 rport 0\r\n"+
		"a=candidate:3 1 udp 16777215 127.0.0.1 %[1]s typ relay raddr 0.0.0.0 rport 0\r\n"+
		"a=candidate:4 1 udp 2130706431 localhost %[1]s typ host\r\n"+
		"a=candidate:5 1 udp 2130706431 d9a5f8e4-0000-4000-8000-000000000000.local %[1]s typ host\r\n"+
		"a=candidate:6 1 tcp 1671430143 127.0.0.1 %[2]s typ host tcptype passive\r\n"+
		"a=candidate:7 1 tcp 1671430143 127.0.0.1 %[2]s typ host tcptype so\r\n", udp, tcp)
}

// check fails when anything came. Loopback delivers while it is sent.
func (b bystander) check(t *testing.T, named string) {
	t.Helper()
	soon := time.Now().Add(10 * time.Millisecond)
	if err := errors.Join(b.udp.SetReadDeadline(soon), b.tcp.SetDeadline(soon)); err != nil {
		t.Fatal(err)
	}
	packet := make([]byte, 2000)
	if n, from, err := b.udp.ReadFrom(packet); err == nil {
		t.Errorf("%s: %d bytes came from %v, STUN: %v", named, n, from, stun.IsMessage(packet[:n]))
	}
	if conn, err := b.tcp.Accept(); err == nil {
		conn.Close()
		t.Errorf("%s: a connection came from %v", named, conn.RemoteAddr())
	}
}

// TestSendsNowhereThatIsNamed has a client name somebody else in its offer, in
// a trickled fragment and in a restart: nothing is sent there, until the
// session ends for want of a client.
func TestSendsNowhereThatIsNamed(t *testing.T) {
	t.Parallel()
	server := listen(t, func(c *whip.Config) { c.TCP, c.ConnectTimeout = "127.0.0.1:0", 1500*time.Millisecond })
	offer, err := os.ReadFile("testdata/chromium.sdp")
	if err != nil {
		t.Fatal(err)
	}
	offered, trickled, restarted := newBystander(t), newBystander(t), newBystander(t)
	sink := newRecording()
	session, err := server.Open(t.Context(), string(offer)+offered.candidates(), sink)
	if err != nil {
		t.Fatal(err)
	}
	for _, fragment := range []string{trickled.candidates(), newUfrag + newPwd + restarted.candidates()} {
		if _, err := session.Patch(t.Context(), fragment, "*"); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(session.Answer(), "a=ice-lite\r\n") {
		t.Errorf("the answer does not tell that the server is ICE lite:\n%s", session.Answer())
	}
	sink.wait(t, whip.NeverConnected)
	offered.check(t, "in the offer")
	trickled.check(t, "in a fragment")
	restarted.check(t, "in a restart")
}

// TestSendsToClientsOnly has a client that speaks name somebody else too.
func TestSendsToClientsOnly(t *testing.T) {
	t.Parallel()
	server := listen(t)
	speaker, sink := dial(t, server)
	named := newBystander(t)
	if _, err := sink.session.Patch(t.Context(), named.candidates(), "*"); err != nil {
		t.Fatal(err)
	}
	packets := tone(t, 50)
	sayAll(t, speaker, sink, packets)
	named.check(t, "by a speaker")
}

// TestPatchesAreBounded patches and restarts without end.
func TestPatchesAreBounded(t *testing.T) {
	t.Parallel()
	server := listen(t)
	offer, err := os.ReadFile("testdata/chromium.sdp")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		fragment func(i int) string
		most     int
	}{
		"candidates": {func(int) string { return someCandidate }, 64},
		"restarts": {func(i int) string {
			return fmt.Sprintf("a=ice-ufrag:again%d\r\na=ice-pwd:abcdefghijklmnopqrstuvwx%d\r\n", i, i)
		}, 10},
	} {
		session, err := server.Open(t.Context(), string(offer), newRecording())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; n < 200 && err == nil; n++ {
			_, err = session.Patch(t.Context(), c.fragment(n), "*")
		}
		if n-1 < c.most || n-1 > c.most+20 || !errors.Is(err, whip.ErrTooMany) {
			t.Errorf("%s: the %d. was refused (%v), want the %d.", name, n, err, c.most+1)
		}
		session.Close(whip.Stopped)
	}
}

// TestAsksHowItIsReached has a server behind NAT find its address out: a STUN
// server sees another than the machine has, and clients are told of both.
func TestAsksHowItIsReached(t *testing.T) {
	t.Parallel()
	asked, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer asked.Close()
	go func() { // ends with asked
		packet := make([]byte, 1500)
		for {
			n, from, err := asked.ReadFrom(packet)
			if err != nil {
				return
			}
			request := &stun.Message{Raw: packet[:n]}
			if request.Decode() != nil {
				continue
			}
			answer, err := stun.Build(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingSuccess,
				&stun.XORMappedAddress{IP: net.IPv4(203, 0, 113, 7), Port: 40_000})
			if err == nil {
				_, _ = asked.WriteTo(answer.Raw, from)
			}
		}
	}()
	server := listen(t, func(c *whip.Config) {
		c.TCP = "127.0.0.1:0"
		c.ICEServers = []whip.ICEServer{{URLs: []string{"stun:" + asked.LocalAddr().String()}}}
	})
	speaker, sink := dial(t, server, func(*whiptest.Config) {})
	for _, want := range []string{" 127.0.0.1 ", " 203.0.113.7 40000 typ host\r\n", " 203.0.113.7 "} {
		if !strings.Contains(sink.session.Answer(), want) {
			t.Errorf("no %q in the answer:\n%s", want, sink.session.Answer())
		}
	}
	speaker.Vanish()
}
