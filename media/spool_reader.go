package media

import (
	"context"
	"errors"
	"fmt"
	"os"
)

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
	other []float32 // the second channel, to be mixed
}

// ReadSamples reads up to len(p) samples, in -1..1, waiting until there is at
// least one. Of two channels it reads the spool's [Mix]. It returns 0 and
// io.EOF after the last sample, or the error that the writer ended with, or
// ctx's cause.
func (r *SpoolReader) ReadSamples(p []float32) (int, error) {
	n, mix, err := r.await(r.pos, len(p))
	if err != nil || n == 0 {
		return 0, err
	}
	p = p[:n]
	if mix == (Mix{Left: 1}) {
		err = r.read(0, r.pos, p)
	} else {
		err = r.readMix(mix, p)
	}
	if err != nil {
		return 0, err
	}
	r.pos += int64(n)
	return n, nil
}

func (r *SpoolReader) readMix(mix Mix, p []float32) error {
	if cap(r.other) < len(p) {
		r.other = make([]float32, len(p))
	}
	other := r.other[:len(p)]
	if err := errors.Join(r.read(0, r.pos, p), r.read(1, r.pos, other)); err != nil {
		return err
	}
	for i, x := range p {
		p[i] = max(-1, min(1, mix.Left*x+mix.Right*other[i]))
	}
	return nil
}

// Apart says whether the two channels hold different speech and are to be
// heard each by itself: false until that is known, which it is when ReadSamples
// has returned a sample of the stretch in which they differ.
func (r *SpoolReader) Apart() bool {
	mix, ok := r.spool.Mix()
	return ok && mix.Apart
}

// ReadChannel reads one of two channels, 0 or 1, from sample at on, once Apart:
// as loud as in the mix, and silent where only the other's speaker is in it.
// At the end of the sound it returns io.EOF.
func (r *SpoolReader) ReadChannel(channel int, at int64, p []float32) (int, error) {
	n, mix, err := r.await(at, len(p))
	if err != nil || n == 0 {
		return 0, err
	}
	if err := r.read(channel, at, p[:n]); err != nil {
		return 0, err
	}
	split, _ := r.spool.parted()
	if at < split {
		return n, nil
	}
	level, leak := 2*mix.Left, r.spool.leak[channel]
	if channel == 1 {
		level = 2 * mix.Right
	}
	for i := range p[:n] {
		if w := (at + int64(i) - split) / pairWindow; w < int64(len(leak)) && leak[w] {
			p[i] = 0
		} else {
			p[i] = max(-1, min(1, level*p[i]))
		}
	}
	return n, nil
}

// read fills p with samples of a channel, which are there and lie all on one
// side of the split.
func (r *SpoolReader) read(channel int, at int64, p []float32) error {
	file := r.spool.file
	if split, second := r.spool.parted(); channel == 1 && split >= 0 && at >= split {
		file, at = second, at-split
	}
	if r.buf == nil {
		r.buf = make([]byte, spoolRead)
	}
	for len(p) > 0 {
		b := r.buf[:min(len(r.buf), len(p)*bytesPerSample)]
		if _, err := file.ReadAt(b, at*bytesPerSample); err != nil {
			if errors.Is(err, os.ErrClosed) {
				err = ErrSpoolClosed
			}
			return fmt.Errorf("read spool: %w", err)
		}
		samplesFromS16(p, b)
		n := len(b) / bytesPerSample
		p, at = p[n:], at+int64(n)
	}
	return nil
}

// parted returns where the channels part, -1 if nowhere, and the file of the
// second from there on.
func (s *Spool) parted() (int64, *os.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.split, s.second
}

// await blocks until samples from pos on can be read. It returns how many of
// the wanted ones are there, on one side of the split, and how to mix them.
func (r *SpoolReader) await(pos int64, want int) (int, Mix, error) {
	s, alone := r.spool, Mix{Left: 1}
	if want == 0 {
		return 0, alone, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stop := func() bool { return true }
	defer func() { stop() }()
	for waiting := false; ; waiting = true {
		end := s.readable
		if s.split >= 0 && (pos < s.split || !s.ended) {
			end = min(end, s.split)
		}
		switch {
		case r.ctx.Err() != nil:
			return 0, alone, context.Cause(r.ctx)
		case s.closed:
			return 0, alone, ErrSpoolClosed
		case pos < end && s.split >= 0 && pos >= s.split:
			return int(min(int64(want), end-pos)), s.mix, nil
		case pos < end:
			return int(min(int64(want), end-pos)), alone, nil
		case s.ended:
			return 0, alone, s.endErr
		}
		if !waiting {
			stop = context.AfterFunc(r.ctx, func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.grown.Broadcast()
			})
		}
		s.grown.Wait()
	}
}
