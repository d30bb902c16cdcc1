package listen

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowReader has a reader take 10 kB/s of one write of 4 MB, for seven
// minutes: they get all of it.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, rate = 4 << 20, 10 << 10
		server, client := net.Pipe()
		c := newConn(server, DefaultStallTimeout, func() { t.Error("taken for one who has stopped") }, func() {})
		go func() {
			if n, err := c.Write(make([]byte, size)); n != size || err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
			c.Close()
		}()
		began, got := time.Now(), 0
		for buf := make([]byte, rate); ; time.Sleep(time.Second) {
			n, err := client.Read(buf)
			got += n
			if errors.Is(err, io.EOF) {
				break
			}
		}
		if took := time.Since(began); got != size || took < size/rate*time.Second {
			t.Errorf("%d bytes in %s", got, took)
		}
	})
}

// TestStoppedReader has a reader stop within a write: they are let go when the
// time is over.
func TestStoppedReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		stalled, left := 0, 0
		c := newConn(server, DefaultStallTimeout, func() { stalled++ }, func() { left++ })
		go func() { _, _ = io.ReadFull(client, make([]byte, 3*maxWrite)) }()
		began := time.Now()
		n, err := c.Write(make([]byte, 10*maxWrite))
		if n != 3*maxWrite || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != DefaultStallTimeout {
			t.Errorf("%d bytes, %v, after %s", n, err, time.Since(began))
		}
		if err := c.Close(); err != nil || stalled != 1 || left != 1 {
			t.Errorf("close: %v; stalled %d, left %d", err, stalled, left)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection is open: %v", err)
		}
	})
}

// TestKernelHoldsLittle writes until nothing more is taken: a reader who does
// not read costs kilobytes, and megabytes if the kernel is let.
func TestKernelHoldsLittle(t *testing.T) {
	server, _ := pair(t)
	c := newConn(server, 50*time.Millisecond, func() {}, func() {})
	n, err := c.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if n > 1<<20 {
		t.Errorf("%d bytes are held", n)
	}
}

// pair is a connection over loopback, seen from both ends.
func pair(t *testing.T) (server, client *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	accepted, err := l.Accept()
	must(t, err)
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return accepted.(*net.TCPConn), dialled.(*net.TCPConn)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
