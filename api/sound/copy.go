package sound

import (
	"errors"
	"io"
	"net/http"
)

// copyBuffer is how much is read from a clip at a time, in bytes.
const copyBuffer = 64 << 10

// copyOut sends src to a caller. A player may be slow: package listen bounds
// how long one that has stopped taking holds a connection to the object store.
func copyOut(w http.ResponseWriter, src io.Reader) error {
	buf := make([]byte, copyBuffer)
	for {
		n, err := src.Read(buf)
		if n > 0 {
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
