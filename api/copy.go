package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// copyBuffer is how much is read from a clip at a time, in bytes.
const copyBuffer = 64 << 10

// copyOut sends src to a caller, with a deadline that moves on with the bytes:
// a player may be slow, but one that has stopped taking does not hold a
// connection to the object store for ever.
func (s *Server) copyOut(w http.ResponseWriter, src io.Reader) error {
	rc := http.NewResponseController(w)
	buf := make([]byte, copyBuffer)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			_ = rc.SetWriteDeadline(time.Now().Add(s.cfg.StallTimeout)) // a writer that has no deadlines is a test's
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
