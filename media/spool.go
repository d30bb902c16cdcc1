package media

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

const (
	bytesPerSample = 2
	spoolBuffer    = 32 << 10 // bytes held back before they are written: about one second
	spoolRead      = 16 << 10 // bytes a reader takes from the file at a time
)

// ErrSpoolClosed is what readers and the writer of a [Spool] get after Close.
var ErrSpoolClosed = errors.New("spool is closed")

// Spool holds the decoded sound of one clip on disk (mono, [SampleRate] Hz,
// 16-bit signed little-endian: 32 kB a second) while it is being made and
// after. One goroutine writes; any number of readers, started at any time,
// each read it from the beginning and wait for more while it grows.
//
// The file has no name: it is unlinked as soon as it is open, so a crash
// leaves nothing behind. Memory stays small whatever the length. All methods
// are safe for concurrent use, but WriteSamples and CloseWrite belong to one
// writer.
type Spool struct {
	file *os.File

	mu       sync.Mutex
	grown    sync.Cond // readable, ended or closed changed
	readable int64     // samples in the file; readers may read below this
	ended    bool      // no more samples will come
	endErr   error     // what readers get after the last sample; valid once ended
	closed   bool

	pending []byte // samples not yet in the file; touched by the writer only
	failed  error  // the first write error; touched by the writer only
}

// NewSpool makes an empty spool whose file lives in dir, which must exist.
// The caller closes it.
func NewSpool(dir string) (*Spool, error) {
	file, err := os.CreateTemp(dir, "sound-*.s16le")
	if err != nil {
		return nil, fmt.Errorf("create spool: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink spool: %w", err), file.Close())
	}
	s := &Spool{file: file, pending: make([]byte, 0, spoolBuffer)}
	s.grown.L = &s.mu
	return s, nil
}

// WriteSamples appends samples in -1..1; what lies outside is clamped and what
// is not a number becomes silence. Samples reach readers at the latest one
// second of sound later, or at CloseWrite. An error (a full disk) is final:
// every later call returns it too.
func (s *Spool) WriteSamples(p []float32) error {
	for len(p) > 0 && s.failed == nil {
		n := min(len(p), (cap(s.pending)-len(s.pending))/bytesPerSample)
		s.pending = appendS16(s.pending, p[:n])
		p = p[n:]
		if len(s.pending) == cap(s.pending) {
			s.failed = s.flush()
		}
	}
	return s.failed
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended, s.endErr = true, err
		s.grown.Broadcast()
	}
	return s.failed
}

// flush writes what is pending to the file and shows it to readers.
func (s *Spool) flush() error {
	s.mu.Lock()
	at, closed, ended := s.readable, s.closed, s.ended
	s.mu.Unlock()
	if len(s.pending) == 0 {
		return nil
	}
	if closed || ended {
		return ErrSpoolClosed
	}
	if _, err := s.file.WriteAt(s.pending, at*bytesPerSample); err != nil {
		return fmt.Errorf("write spool: %w", err)
	}
	s.mu.Lock()
	s.readable += int64(len(s.pending) / bytesPerSample)
	s.grown.Broadcast()
	s.mu.Unlock()
	s.pending = s.pending[:0]
	return nil
}

// Samples returns how many samples readers can read so far; after CloseWrite,
// the length of the sound.
func (s *Spool) Samples() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readable
}

// Close gives the file back. Readers and the writer get [ErrSpoolClosed] from
// then on. Closing again does nothing.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.grown.Broadcast()
	return s.file.Close()
}

// NewReader returns a reader that starts at the first sample. Its reads end
// with ctx's cause when ctx ends. A reader needs no closing.
func (s *Spool) NewReader(ctx context.Context) *SpoolReader {
	return &SpoolReader{spool: s, ctx: ctx}
}

// SpoolReader reads a [Spool] from its beginning. It belongs to one goroutine.
type SpoolReader struct {
	spool *Spool
	ctx   context.Context // ends reads that wait; a reader lives within one piece of work
	pos   int64           // next sample
	buf   []byte
}

// ReadSamples reads up to len(p) samples, in -1..1, waiting until there is at
// least one. It returns 0 and io.EOF after the last sample, or the error that
// the writer ended with, or ctx's cause.
func (r *SpoolReader) ReadSamples(p []float32) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.await(len(p))
	if err != nil {
		return 0, err
	}
	if r.buf == nil {
		r.buf = make([]byte, spoolRead)
	}
	for done := 0; done < n; {
		b := r.buf[:min(len(r.buf), (n-done)*bytesPerSample)]
		if _, err := r.spool.file.ReadAt(b, r.pos*bytesPerSample); err != nil {
			if errors.Is(err, os.ErrClosed) {
				err = ErrSpoolClosed
			}
			return done, fmt.Errorf("read spool: %w", err)
		}
		samplesFromS16(p[done:], b)
		done += len(b) / bytesPerSample
		r.pos += int64(len(b) / bytesPerSample)
	}
	return n, nil
}

// await blocks until samples past r.pos can be read, and returns how many of
// the wanted ones are there.
func (r *SpoolReader) await(want int) (int, error) {
	s := r.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readable == r.pos && !s.ended && !s.closed && r.ctx.Err() == nil {
		stop := context.AfterFunc(r.ctx, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.grown.Broadcast()
		})
		defer stop()
	}
	for {
		switch {
		case r.ctx.Err() != nil:
			return 0, context.Cause(r.ctx)
		case s.closed:
			return 0, ErrSpoolClosed
		case s.readable > r.pos:
			return int(min(int64(want), s.readable-r.pos)), nil
		case s.ended:
			return 0, s.endErr
		}
		s.grown.Wait()
	}
}

// appendS16 appends p to b as 16-bit little-endian samples.
func appendS16(b []byte, p []float32) []byte {
	for _, x := range p {
		b = binary.LittleEndian.AppendUint16(b, uint16(toS16(x)))
	}
	return b
}

// toS16 rounds x*32768 to the nearest 16-bit value, clamping.
func toS16(x float32) int16 {
	v := x * 32768
	switch {
	case v >= 32767:
		return 32767
	case v <= -32768:
		return -32768
	case v >= 0:
		return int16(v + 0.5)
	case v < 0:
		return int16(v - 0.5)
	}
	return 0 // not a number
}

// samplesFromS16 converts all of b into p.
func samplesFromS16(p []float32, b []byte) {
	for i := range len(b) / bytesPerSample {
		p[i] = float32(int16(binary.LittleEndian.Uint16(b[i*bytesPerSample:]))) / 32768
	}
}
