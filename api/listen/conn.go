package listen

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// maxWrite is the most that is given to the kernel under one deadline, in
// bytes.
const maxWrite = 16 << 10

// conn is a connection whose writes must make progress. It has no ReadFrom,
// by which net/http would go around Write.
type conn struct {
	net.Conn
	stall   time.Duration
	stalled func()
	leave   func()
	once    sync.Once
}

func newConn(c net.Conn, stall time.Duration, stalled, leave func()) *conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		holdLittle(tcp)
	}
	return &conn{Conn: c, stall: stall, stalled: stalled, leave: leave}
}

// Write writes p, giving each piece of it its own deadline. A reader who does
// not take the next piece in time loses the connection, and what the kernel
// holds for it.
func (c *conn) Write(p []byte) (n int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
			return n, err
		}
		took, err := c.Conn.Write(p[n:min(n+maxWrite, len(p))])
		n += took
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.reset()
		}
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// reset ends a connection whose reader has stopped.
func (c *conn) reset() {
	c.stalled()
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the kernel, too, must not hold what nobody reads
	}
	_ = c.Close() // the write's error is what matters
}

// CloseWrite ends what is sent; net/http uses it so that the last answer
// arrives before the connection closes.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close closes the connection and gives its place back. Closing twice is
// harmless.
func (c *conn) Close() error {
	c.once.Do(c.leave)
	return c.Conn.Close()
}
