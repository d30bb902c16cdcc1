package intake

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// body reads a request's body with a deadline that moves on with the bytes, so
// that a sender may be slow but not silent.
type body struct {
	io.Reader
	rc       *http.ResponseController
	stall    time.Duration
	received prometheus.Counter
}

// Body is the body of a request that carries a recording or speaks of one. A read
// from it ends when nothing has come for [Config].StallTimeout.
func (in *Intake) Body(w http.ResponseWriter, req *http.Request) io.Reader {
	return &body{Reader: req.Body, rc: http.NewResponseController(w), stall: in.stall, received: in.received}
}

func (b *body) Read(p []byte) (int, error) {
	_ = b.rc.SetReadDeadline(time.Now().Add(b.stall)) // a writer that has no deadlines is a test's
	n, err := b.Reader.Read(p)
	b.received.Add(float64(n))
	if errors.Is(err, io.EOF) {
		_ = b.rc.SetReadDeadline(time.Time{}) // or it would cancel the work that follows
	}
	return n, err
}
