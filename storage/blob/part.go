package blob

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io"
	"sync"
)

const (
	partSize  = 5 << 20  // bytes; the least that S3 takes for a part that is not the last
	chunkSize = 64 << 10 // bytes by which a part's memory grows
)

// MaxParts is how many parts an object may have, as S3 has it.
const MaxParts = 10_000

// part is up to partSize bytes of an upload, held in memory so that they can
// be summed before and sent again after a failure. Its memory grows with what
// is in it: an upload that trickles, or is short, costs what has come so far.
type part struct {
	pool   *chunkPool
	chunks []*chunk // filled in order
	size   int
}

type chunk [chunkSize]byte

// chunkPool lends the memory of parts.
type chunkPool struct{ pool sync.Pool }

func (p *chunkPool) get() *chunk {
	if c, ok := p.pool.Get().(*chunk); ok {
		return c
	}
	return new(chunk)
}

// fill reads from r until the part is full or r ends, and tells which: more is
// false at the end of r. An error other than io.EOF is returned as it is.
func (p *part) fill(r io.Reader) (more bool, err error) {
	empty := 0
	for p.size < partSize {
		at := p.size % chunkSize
		if at == 0 && p.size/chunkSize == len(p.chunks) {
			p.chunks = append(p.chunks, p.pool.get())
		}
		n, err := r.Read(p.chunks[len(p.chunks)-1][at:])
		p.size += n
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if empty++; n > 0 {
			empty = 0
		} else if empty == 100 {
			return false, io.ErrNoProgress
		}
	}
	return true, nil
}

// release gives the memory back. It must not be called while a request that
// failed may still be reading it; then the collector takes it.
func (p *part) release() {
	for _, c := range p.chunks {
		p.pool.pool.Put(c)
	}
	p.chunks, p.size = nil, 0
}

// md5 is the sum as the Content-MD5 header has it (RFC 1864).
func (p *part) md5() string {
	sum := md5.New() //nolint:gosec // it guards against accidents, and every S3 server checks it
	left := p.size
	for _, c := range p.chunks {
		n := min(left, chunkSize)
		sum.Write(c[:n])
		left -= n
	}
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// reader reads the part from its start. Readers of one part are independent.
func (p *part) reader() *partReader { return &partReader{part: p} }

type partReader struct {
	part *part
	off  int64
}

// Read implements io.Reader.
func (r *partReader) Read(b []byte) (int, error) {
	if r.off >= int64(r.part.size) {
		return 0, io.EOF
	}
	chunk := r.part.chunks[r.off/chunkSize]
	end := min(int64(r.part.size)-r.off/chunkSize*chunkSize, chunkSize)
	n := copy(b, chunk[r.off%chunkSize:end])
	r.off += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (r *partReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.off
	case io.SeekEnd:
		offset += int64(r.part.size)
	}
	if offset < 0 {
		return 0, errors.New("seek before the start of a part")
	}
	r.off = offset
	return offset, nil
}
