// Package listen stands between the kernel and net/http. It bounds what
// strangers can hold: how many connections there are, in all and by address,
// and how long an answer may wait for a reader who does not read.
//
// [Wrap] makes a listener of another:
//
//   - A connection over a bound is closed at once, counted, and logged, at most
//     once a minute for each reason. To leave it in the kernel's queue would
//     let a stranger keep everybody out.
//   - Every write to a connection, by whatever part of net/http or of Hark,
//     must make progress within [Config].StallTimeout, or the connection is
//     reset. Large writes are cut into pieces, and the kernel is asked to hold
//     little of what is not sent yet: so a slow reader, who takes 10 kB/s of a
//     recording of gigabytes, is never taken for one who has stopped.
//   - A failure of accept, such as too many open files, is logged and counted,
//     and accepting goes on after a pause; net/http would give up on some.
//
// Reading is bounded elsewhere: headers and idle time by http.Server, bodies by
// the handlers that read them.
package listen

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"hark/media/backoff"
)

// The defaults of [Config].
const (
	DefaultMax          = 4096
	DefaultPerAddress   = 1024
	DefaultStallTimeout = 30 * time.Second
)

// Config bounds a listener. Zero fields mean the defaults.
type Config struct {
	// Max is how many connections may be open at once.
	Max int
	// PerAddress is how many of them may come from one IPv4 address or one /64
	// of IPv6. Loopback and Exempt are not bounded by it.
	PerAddress int
	// Exempt are the addresses of proxies, through which many people come.
	Exempt []netip.Prefix
	// StallTimeout is how long a reader may take nothing of an answer.
	StallTimeout time.Duration

	Registry *prometheus.Registry // nil: nothing is counted for others to see
	Logger   *slog.Logger
}

// acceptPauses are after failures of accept.
var acceptPauses = backoff.Policy{First: 10 * time.Millisecond, Most: time.Second}

// listener is safe for concurrent use.
type listener struct {
	net.Listener
	cfg     Config
	metrics *metrics
	warn    warnings

	mu     sync.Mutex
	open   int
	byAddr map[netip.Prefix]int // only addresses that are bounded and have connections
	closed chan struct{}
	once   sync.Once
}

// Wrap bounds l, and registers the metrics of it. The result owns l.
func Wrap(l net.Listener, cfg Config) (net.Listener, error) {
	if cfg.Max == 0 {
		cfg.Max = DefaultMax
	}
	if cfg.PerAddress == 0 {
		cfg.PerAddress = DefaultPerAddress
	}
	if cfg.StallTimeout == 0 {
		cfg.StallTimeout = DefaultStallTimeout
	}
	m, err := newMetrics(cfg.Registry)
	if err != nil {
		return nil, err
	}
	return &listener{
		Listener: l, cfg: cfg, metrics: m, warn: newWarnings(cfg.Logger),
		byAddr: map[netip.Prefix]int{}, closed: make(chan struct{}),
	}, nil
}

// Accept returns the next connection within the bounds. It fails only when the
// listener is closed.
func (l *listener) Accept() (net.Conn, error) {
	for failures := 0; ; {
		accepted, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil, err
		case err != nil:
			l.metrics.acceptErrors.Inc()
			l.warn.acceptFailed(err)
			failures++
			select {
			case <-time.After(acceptPauses.After(failures)):
			case <-l.closed:
				return nil, net.ErrClosed
			}
			continue
		}
		failures = 0
		addr, bounded := l.bounded(accepted.RemoteAddr())
		if reason := l.enter(addr, bounded); reason != "" {
			l.metrics.refused.WithLabelValues(reason).Inc()
			l.warn.refused(reason, accepted.RemoteAddr())
			_ = accepted.Close() // nothing was promised
			continue
		}
		return newConn(accepted, l.cfg.StallTimeout, l.metrics.stalled.Inc, func() { l.leave(addr, bounded) }), nil
	}
}

// Close stops accepting; connections stay.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// The reasons for which a connection is refused.
const (
	reasonTotal   = "total"
	reasonAddress = "address"
)

// enter takes a place, or says why there is none.
func (l *listener) enter(addr netip.Prefix, bounded bool) (reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.open >= l.cfg.Max:
		return reasonTotal
	case bounded && l.byAddr[addr] >= l.cfg.PerAddress:
		return reasonAddress
	}
	l.open++
	if bounded {
		l.byAddr[addr]++
	}
	l.metrics.open.Inc()
	return ""
}

func (l *listener) leave(addr netip.Prefix, bounded bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	l.metrics.open.Dec()
	if !bounded {
		return
	}
	if l.byAddr[addr]--; l.byAddr[addr] == 0 {
		delete(l.byAddr, addr)
	}
}

// bounded returns the addresses that remote shares its bound with, and whether
// it has one.
func (l *listener) bounded(remote net.Addr) (netip.Prefix, bool) {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}, false
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if addr.IsLoopback() {
		return netip.Prefix{}, false
	}
	for _, exempt := range l.cfg.Exempt {
		if exempt.Contains(addr) {
			return netip.Prefix{}, false
		}
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64 // what one subscriber has
	}
	prefix, err := addr.Prefix(bits)
	return prefix, err == nil
}
