package sqldb_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"hark/storage"
	"hark/storage/storagetest"
)

// TestCommitWhoseAnswerIsLost breaks the connection when the server has
// committed and has not said so. To do it again would find the message there,
// and take that for somebody else's.
func TestCommitWhoseAnswerIsLost(t *testing.T) {
	address := storagetest.Postgres(t)
	h := newHarness(t, storagetest.Open(t, address))
	proxy := newLossyProxy(t, address)
	direct := h.DB
	h.DB = storagetest.Open(t, proxy.url)
	h.send(h.ada, h.room.ID)
	proxy.lossy.Store(true)
	m := newMessage(h.room)
	_, _, err := h.Accept(t.Context(), h.ada, m)
	wantErr(t, err, storage.ErrUnreachable)
	if lost := proxy.lost.Load(); lost != 1 {
		t.Errorf("committed %d times", lost)
	}
	h.DB = direct
	if got := h.state(m.ID); got.State != storage.Received {
		t.Errorf("message %+v", got)
	}
}

// lossyProxy stands before a Postgres and, while it is lossy, breaks each
// connection instead of answering its COMMIT.
type lossyProxy struct {
	url, server string
	lossy       atomic.Bool
	lost        atomic.Int64
}

func newLossyProxy(t *testing.T, address string) *lossyProxy {
	t.Helper()
	conf := must(pgconn.ParseConfig(address))(t)
	network, server := pgconn.NetworkAddress(conf.Host, conf.Port)
	if network != "unix" {
		t.Skip("the test's Postgres is not on a Unix socket")
	}
	p := &lossyProxy{server: server}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	u := url.URL{Scheme: "postgres", User: url.User(conf.User), Host: listener.Addr().String(), Path: "/" + conf.Database, RawQuery: "sslmode=disable"}
	p.url = u.String()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return p
}

func (p *lossyProxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	var committing atomic.Bool
	go func() {
		defer client.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if committing.Load() && n > 0 {
				p.lost.Add(1)
				return
			}
			if _, failed := client.Write(buf[:n]); err != nil || failed != nil {
				return
			}
		}
	}()
	_, _ = io.Copy(writerFunc(func(b []byte) (int, error) {
		if p.lossy.Load() && bytes.Contains(b, []byte("commit\x00")) {
			committing.Store(true)
		}
		return server.Write(b)
	}), client)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
