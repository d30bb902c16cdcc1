package api

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hark/api/recorder"
	"hark/storage"
)

// smallBuffer is what is asked for as the kernel's buffers, in bytes, so that
// little fills them.
const smallBuffer = 4096

// closings tells when the server's end of a connection is closed.
type closings struct {
	mu    sync.Mutex
	conns map[string]chan struct{} // by the client's address; of those that are watched and not closed
}

// watch returns what is closed when the server has closed the connection of
// the client at addr, who has sent nothing yet. Addresses come again.
func (c *closings) watch(addr string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns[addr] = make(chan struct{})
	return c.conns[addr]
}

func (c *closings) closed(addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if gone, watched := c.conns[addr]; watched {
		close(gone)
		delete(c.conns, addr)
	}
}

// smallListener gives each connection small buffers.
type smallListener struct{ net.Listener }

// Accept returns the next connection.
func (l smallListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(smallBuffer)
	}
	return conn, err
}

// watchClosings has a server tell which connections it closed, and gives each
// small buffers.
func watchClosings(c *closings) options {
	return options{server: func(s *httptest.Server) {
		s.Listener = smallListener{s.Listener}
		s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				c.closed(conn.RemoteAddr().String())
			}
		}
	}}
}

// TestUnreadAnswers asks every route again and again over one connection and
// reads nothing: the server lets go of each.
func TestUnreadAnswers(t *testing.T) {
	closed := &closings{conns: map[string]chan struct{}{}}
	h := liveHarness(t, recorder.Config{}, watchClosings(closed), options{config: func(c *Config) {
		c.StallTimeout = 50 * time.Millisecond
		c.Heartbeat = time.Millisecond
	}})
	conversation := h.owner.conversation()
	message := h.owner.record(conversation).ID
	var readers sync.WaitGroup
	for _, r := range h.api.api.Echo().Routes() {
		if !strings.HasPrefix(r.Path, "/") { // echo's own names for no route
			continue
		}
		token, id := h.user("Rae", storage.RoleMember).token, storage.NewID()
		if r.Method == http.MethodGet { // what changes nothing is answered in full
			token, id = h.owner.token, idFor(r.Path, conversation, message, h)
		}
		path := strings.NewReplacer(":id", id, ":user_id", storage.NewID(), ":session", "NOSUCHSESSION", "*", "x").Replace(r.Path)
		readers.Go(func() {
			if err := h.neverRead(r.Method, path, token, closed); err != nil {
				t.Errorf("%s %s: %v", r.Method, r.Path, err)
			}
		})
	}
	readers.Wait()
}

// neverRead sends one request after the other until the server lets go.
func (h *harness) neverRead(method, path, token string, closed *closings) error {
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		_ = raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, smallBuffer)
		})
		return err
	}}
	conn, err := dialer.DialContext(h.t.Context(), "tcp", h.http.Listener.Addr().String())
	if err != nil {
		return err
	}
	gone := closed.watch(conn.LocalAddr().String())
	request := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: hark.test\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", method, path, token)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for err := error(nil); err == nil; {
			_, err = io.WriteString(conn, request)
		}
	}()
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		err = errors.New("the connection is held")
	}
	conn.Close()
	<-sent
	return err
}
