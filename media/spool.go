package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

const (
	bytesPerSample = 2
	spoolBuffer    = 32 << 10 // bytes held back before they are written: about one second
	spoolRead      = 16 << 10 // bytes a reader takes from a file at a time
)

// ErrSpoolClosed is what readers and the writer of a [Spool] get after Close.
var ErrSpoolClosed = errors.New("spool is closed")

// Spool holds the decoded sound of one clip on disk ([SampleRate] Hz, 16-bit
// signed little-endian: 32 kB a second and channel) while it is being made and
// after. One goroutine writes; any number of readers, started at any time,
// each read it from the beginning and wait for more while it grows.
//
// The second channel is kept from the sample on at which it first differs from
// the first: most clips have one channel, or twice the same. What readers are
// to hear from there on, a [Mix], is decided when all is written, and until
// then they wait.
//
// The files have no name: they are unlinked as soon as they are open, so a
// crash leaves nothing behind. Memory stays small whatever the length. All
// methods are safe for concurrent use, but Write, WriteSamples and CloseWrite
// belong to one writer.
type Spool struct {
	dir  string
	file *os.File // of the first channel

	mu       sync.Mutex
	grown    sync.Cond // readable, ended or closed changed
	readable int64     // samples in the file; readers may read below this
	split    int64     // sample from which on the channels differ; -1 while they do not
	second   *os.File  // of the other channel, from split on
	mix      Mix       // of what follows split; valid once ended
	leak     [2][]bool // by window from split on, in channels heard apart: only the other speaker is heard; valid once ended
	ended    bool      // no more samples will come
	endErr   error     // what readers get after the last sample; valid once ended
	closed   bool

	// Touched by the writer only.
	pending [2][]byte // samples of each channel that are not yet in its file
	pair    *pair     // what is known of the channels from split on
	failed  error     // the first write error
}

// NewSpool makes an empty spool whose files live in dir, which must exist.
// The caller closes it.
func NewSpool(dir string) (*Spool, error) {
	file, err := ScratchFile(dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{dir: dir, file: file, split: -1}
	s.pending[0] = make([]byte, 0, spoolBuffer)
	s.grown.L = &s.mu
	return s, nil
}

// WriteSamples appends sound of one channel; see Write.
func (s *Spool) WriteSamples(p []float32) error { return s.Write(p, nil) }

// Write appends sound of two channels, equally long, or of one: right is then
// nil. Samples lie in -1..1; what lies outside is clamped and what is not a
// number becomes silence. Samples reach readers at the latest one second of
// sound later, or at CloseWrite. An error (a full disk) is final: every later
// call returns it too.
func (s *Spool) Write(left, right []float32) error {
	if right == nil {
		right = left
	}
	for len(left) > 0 && s.failed == nil {
		n := min(len(left), (spoolBuffer-len(s.pending[0]))/bytesPerSample)
		s.failed = s.hold(left[:n], right[:n])
		left, right = left[n:], right[n:]
		if s.failed == nil && len(s.pending[0]) == spoolBuffer {
			s.failed = s.flush()
		}
	}
	return s.failed
}

// hold adds samples to those that are pending.
func (s *Spool) hold(left, right []float32) error {
	from := len(s.pending[0])
	s.pending[0] = appendS16(s.pending[0], left)
	if s.pair == nil {
		if &left[0] == &right[0] {
			return nil
		}
		s.pending[1] = appendS16(s.pending[1][:0], right)
		same := alike(s.pending[0][from:], s.pending[1])
		if same == len(left) {
			return nil
		}
		if err := s.part(from/bytesPerSample + same); err != nil {
			return err
		}
		s.pending[1] = s.pending[1][:copy(s.pending[1], s.pending[1][same*bytesPerSample:])]
		s.pair.write(left[same:], right[same:])
		return nil
	}
	s.pending[1] = appendS16(s.pending[1], right)
	s.pair.write(left, right)
	return nil
}

// alike is how many samples a and b begin with that are the same.
func alike(a, b []byte) int {
	if bytes.Equal(a, b) {
		return len(a) / bytesPerSample
	}
	n := 0
	for a[n] == b[n] {
		n++
	}
	return n / bytesPerSample
}

// part begins to keep both channels, from the nth pending sample on.
func (s *Spool) part(n int) error {
	second, err := ScratchFile(s.dir)
	if err != nil {
		return err
	}
	s.pair = newPair()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.Join(ErrSpoolClosed, second.Close())
	}
	s.split, s.second = s.readable+int64(n), second
	return nil
}

// CloseWrite says that no more samples come. Readers get err after the last
// sample; nil gives them io.EOF. When samples still held back cannot be
// written, readers get that error instead, and it is returned. Only the first
// call counts.
func (s *Spool) CloseWrite(err error) error {
	if s.failed == nil {
		s.failed = s.flush()
	}
	if s.failed != nil {
		err = s.failed
	}
	if err == nil {
		err = io.EOF
	}
	var mix Mix
	var leak [2][]bool
	if s.pair != nil {
		mix, leak = s.pair.decide()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.mix, s.leak = mix, leak
		s.ended, s.endErr = true, err
		s.grown.Broadcast()
	}
	return s.failed
}

// flush writes what is pending to the files and shows it to readers.
func (s *Spool) flush() error {
	s.mu.Lock()
	at, split, closed, ended := s.readable, s.split, s.closed, s.ended
	s.mu.Unlock()
	if len(s.pending[0]) == 0 {
		return nil
	}
	if closed || ended {
		return ErrSpoolClosed
	}
	if _, err := s.file.WriteAt(s.pending[0], at*bytesPerSample); err != nil {
		return fmt.Errorf("write spool: %w", err)
	}
	if split >= 0 {
		if _, err := s.second.WriteAt(s.pending[1], max(at-split, 0)*bytesPerSample); err != nil {
			return fmt.Errorf("write spool: %w", err)
		}
		s.pending[1] = s.pending[1][:0]
	}
	s.mu.Lock()
	s.readable += int64(len(s.pending[0]) / bytesPerSample)
	s.grown.Broadcast()
	s.mu.Unlock()
	s.pending[0] = s.pending[0][:0]
	return nil
}

// Samples returns how many samples of a channel are written; after CloseWrite,
// the length of the sound.
func (s *Spool) Samples() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readable
}

// Mix returns how two channels that differ are heard together, once CloseWrite
// was called; false for a sound of one channel, or of twice the same.
func (s *Spool) Mix() (Mix, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mix, s.ended && s.split >= 0
}

// Close gives the files back. Readers and the writer get [ErrSpoolClosed] from
// then on. Closing again does nothing.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.grown.Broadcast()
	err := s.file.Close()
	if s.second != nil {
		err = errors.Join(err, s.second.Close())
	}
	return err
}
