package api

import (
	"io"
	"net"
	"net/http/httptest"
	"testing"
	"time"
)

// TestSilentClients connects and says nothing, or half a head: the server lets
// go when the time for headers is over.
func TestSilentClients(t *testing.T) {
	h := newHarness(t, options{server: func(s *httptest.Server) { s.Config.ReadHeaderTimeout = 50 * time.Millisecond }})
	if real := h.api.HTTPServer("").ReadHeaderTimeout; real <= 0 || real > time.Minute {
		t.Errorf("headers may take %s", real)
	}
	for name, said := range map[string]string{
		"nothing":     "",
		"a method":    "GET",
		"half a head": "GET /v1/me HTTP/1.1\r\nHost: hark.test\r\nX-Slow: ",
	} {
		conn, err := net.Dial("tcp", h.http.Listener.Addr().String())
		must(t, err)
		_, err = io.WriteString(conn, said)
		must(t, err)
		must(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		conn.Close()
	}
}
