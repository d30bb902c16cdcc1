package listen

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// queue is a listener whose connections and failures come in turn.
type queue struct {
	net.Listener
	next []any // of net.Conn and error
}

// Accept returns the next in turn.
func (q *queue) Accept() (net.Conn, error) {
	if len(q.next) == 0 {
		return nil, net.ErrClosed
	}
	head := q.next[0]
	q.next = q.next[1:]
	if err, failed := head.(error); failed {
		return nil, err
	}
	return head.(net.Conn), nil
}

// from is a connection from an address.
type from struct {
	net.Conn
	addr   string
	closed bool
}

// RemoteAddr is that address.
func (f *from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(f.addr), 1))
}

// Close notes it.
func (f *from) Close() error {
	f.closed = true
	return nil
}

func wrap(t *testing.T, cfg Config, next ...any) (*listener, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg.Registry, cfg.Logger = prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil))
	l, err := Wrap(&queue{next: next}, cfg)
	must(t, err)
	return l.(*listener), &log
}

func TestBounds(t *testing.T) {
	comes := []string{
		"192.0.2.1", "192.0.2.1", "192.0.2.1", // the third is one too many
		"::ffff:192.0.2.1",                                  // the same address
		"2001:db8::1", "2001:db8::ffff", "2001:db8:0:0:1::", // one subscriber
		"198.51.100.7", "198.51.100.8", "198.51.100.9", // a proxy's
		"127.0.0.1", "127.0.0.1", "::1",
		"203.0.113.1", // one more than all may be
	}
	wantIn := []bool{true, true, false, false, true, true, false, true, true, true, true, true, true, false}
	conns := make([]*from, len(comes))
	next := make([]any, len(comes))
	for i, addr := range comes {
		conns[i] = &from{addr: addr}
		next[i] = conns[i]
	}
	l, log := wrap(t, Config{Max: 10, PerAddress: 2, Exempt: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}, next...)
	var in []net.Conn
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		}
		must(t, err)
		in = append(in, c)
	}
	for i, c := range conns {
		if c.closed == wantIn[i] {
			t.Errorf("%d, from %s: let in %v", i, c.addr, !c.closed)
		}
	}
	refused := l.metrics.refused
	if open, byTotal, byAddress := testutil.ToFloat64(l.metrics.open), testutil.ToFloat64(refused.WithLabelValues(reasonTotal)),
		testutil.ToFloat64(refused.WithLabelValues(reasonAddress)); open != 10 || byTotal != 1 || byAddress != 3 {
		t.Errorf("open %v, refused %v and %v", open, byTotal, byAddress)
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 2 || !strings.Contains(text, "HARK_MAX_CONNECTIONS\n") ||
		!strings.Contains(text, "HARK_MAX_CONNECTIONS_PER_ADDRESS\n") {
		t.Errorf("each bound is warned of once: %s", text)
	}
	for _, c := range in {
		must(t, c.Close())
		must(t, c.Close())
	}
	if l.open != 0 || len(l.byAddr) != 0 || testutil.ToFloat64(l.metrics.open) != 0 {
		t.Errorf("%d open, by address %v, after all have left", l.open, l.byAddr)
	}
}

// TestAcceptFails has accept fail as it does when files run out: it is told,
// and who comes afterwards is let in.
func TestAcceptFails(t *testing.T) {
	failed := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	fatal := &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.ENOBUFS)} // net/http would stop
	l, log := wrap(t, Config{}, failed, fatal, &from{addr: "192.0.2.1"})
	c, err := l.Accept()
	must(t, err)
	c.Close()
	if n := testutil.ToFloat64(l.metrics.acceptErrors); n != 2 {
		t.Errorf("%v failures counted", n)
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "too many open files") {
		t.Errorf("%s", text)
	}
}

// TestLastWords half-closes a connection, as net/http does before it closes.
func TestLastWords(t *testing.T) {
	server, client := pair(t)
	c := newConn(server, DefaultStallTimeout, func() {}, func() {})
	_, err := c.Write([]byte("bye"))
	must(t, err)
	must(t, c.CloseWrite())
	if said, err := io.ReadAll(client); string(said) != "bye" || err != nil {
		t.Errorf("%q, %v", said, err)
	}
}
