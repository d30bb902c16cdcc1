package front

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// How long a refused body is read on, and how much of it.
const (
	lingerTime  = 10 * time.Second
	lingerBytes = 256 << 20
)

// lingering is the answer to a request with a body. A refusal is often clear
// before all of the body has come, and its sender still writing. To close the
// connection on bytes that nobody read resets it, and that takes the answer
// away from most senders: they would see a broken connection, and try again
// (RFC 9112, section 9.6). So a refusal is held until the handler ends, sent
// whole, and the rest of the body is read and discarded for a while.
type lingering struct {
	http.ResponseWriter
	req    *http.Request
	body   *watchedBody
	status int // of the refusal that is held; 0 for none
	held   bytes.Buffer
}

// watchedBody knows whether anything of it was read, and how reading ended.
type watchedBody struct {
	io.ReadCloser
	begun bool
	err   error
}

// Read reads on in the body.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.begun = true
	n, err := b.ReadCloser.Read(p)
	b.err = err
	return n, err
}

func (b *watchedBody) ended() bool { return errors.Is(b.err, io.EOF) }

// linger makes the answer of c one that lingers, if its request has a body.
// The returned function ends it.
func linger(c echo.Context) (end func()) {
	req := c.Request()
	if req.ContentLength == 0 || req.ProtoMajor != 1 {
		return func() {}
	}
	l := &lingering{ResponseWriter: c.Response().Writer, req: req, body: &watchedBody{ReadCloser: req.Body}}
	req.Body = l.body
	c.Response().Writer = l
	return l.end
}

// WriteHeader sends the header, or holds that of a refusal.
func (l *lingering) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		l.status = status
		return
	}
	l.ResponseWriter.WriteHeader(status)
}

// Write sends p, or holds it if it is of a refusal.
func (l *lingering) Write(p []byte) (int, error) {
	if l.status != 0 {
		return l.held.Write(p)
	}
	return l.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (l *lingering) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// end sends the refusal that is held, if one is, and reads on. The connection
// closes after it unless the body is over: net/http would otherwise wait for
// more of the body before it sends anything.
func (l *lingering) end() {
	if l.status == 0 {
		return
	}
	header := l.Header()
	header.Set("Content-Length", strconv.Itoa(l.held.Len()))
	if !l.body.ended() {
		header.Set("Connection", "close")
	}
	l.ResponseWriter.WriteHeader(l.status)
	_, err := l.ResponseWriter.Write(l.held.Bytes())
	if err != nil || !l.worthReading() {
		return
	}
	rc := http.NewResponseController(l.ResponseWriter)
	if rc.Flush() == nil && rc.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, l.body, lingerBytes)
	}
}

// worthReading reports whether there is a rest of the body that may come to an
// end: it was asked for, did not stop coming, and is not known to be too long.
func (l *lingering) worthReading() bool {
	asked := l.body.begun || l.req.Header.Get("Expect") == ""
	return asked && l.body.err == nil && l.req.ContentLength <= lingerBytes
}
