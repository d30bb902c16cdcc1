package intake

import (
	"errors"
	"fmt"
	"io"
	"os"

	"hark/media"
)

// source reads a sender's bytes up to a limit and remembers how that ended, so
// that a failure of the sender is not taken for one of the store, whatever the
// store makes of it.
type source struct {
	r    io.Reader
	left int64 // bytes that may still come
	full error // of a byte more
	err  error // what ended it; io.EOF when whole
}

// Read reads the sender's bytes; one byte over the limit is a refusal.
func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > s.left+1 {
		p = p[:s.left+1]
	}
	n, err := s.r.Read(p)
	if int64(n) > s.left {
		n, s.left, s.err = int(s.left), 0, s.full
		return n, s.err
	}
	s.left -= int64(n)
	if err != nil {
		s.err = ReadError(err)
	}
	return n, s.err
}

// ended reports whether the sender's bytes came to their proper end.
func (s *source) ended() bool {
	if s.err == nil { // a store that knows the size need not ask for the end
		var extra [1]byte
		_, _ = s.Read(extra[:])
	}
	return errors.Is(s.err, io.EOF)
}

func (s *source) failed() bool { return s.err != nil && !errors.Is(s.err, io.EOF) }

// blame says whose fault a failed transfer is: the sender's, if their bytes
// failed, or else the store's.
func (s *source) blame(err error) error {
	if s.failed() {
		return s.err
	}
	return fmt.Errorf("store clip: %w: %w", ErrUnavailable, err)
}

// ReadError puts a failure to read from the sender into this package's words.
func ReadError(err error) error {
	_, refused := media.AsRefusal(err)
	if refused || errors.Is(err, ErrIncomplete) || errors.Is(err, ErrTooSlow) || errors.Is(err, ErrMalformedForm) {
		return err
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTooSlow, err)
	}
	return fmt.Errorf("%w: %w", ErrIncomplete, err)
}
