package inspect

import (
	"errors"
	"fmt"
	"io"
)

const (
	blockSize  = 128 << 10 // bytes fetched at a time
	maxFetches = 48        // fetches that inspecting one clip may take
	keptBlocks = 4
)

// errTooScattered ends the inspection of a file that sends its reader to ever
// more places.
var errTooScattered = errors.New("file structure is spread over too many places")

// blocks reads a clip that may lie behind a network through few large reads,
// and remembers the latest of them. It is an io.ReaderAt for one goroutine, and
// the only cache between a parser and the object store: it bounds the requests
// that a hostile file can cause, which a cache below it could not.
type blocks struct {
	r       io.ReaderAt
	start   int64 // offset in r of the clip's first byte
	size    int64 // bytes from there on
	fetches int
	kept    [keptBlocks]block // newest first
	failed  error             // the first error of r that is not the end
}

type block struct {
	at   int64
	data []byte
}

// skip moves offset 0 to at. What was fetched stays known.
func (b *blocks) skip(at int64) {
	b.start, b.size = b.start+at, b.size-at
	for i := range b.kept {
		b.kept[i].at -= at
	}
}

// ReadAt fills p, or returns io.ErrUnexpectedEOF where the clip ends.
func (b *blocks) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= b.size {
		return 0, io.EOF
	}
	done := 0
	for done < len(p) {
		if at+int64(done) >= b.size {
			return done, io.ErrUnexpectedEOF
		}
		data, err := b.find(at + int64(done))
		if err != nil {
			return done, err
		}
		done += copy(p[done:], data)
	}
	return done, nil
}

// find returns what is known from offset at on; at least one byte.
func (b *blocks) find(at int64) ([]byte, error) {
	for _, k := range b.kept {
		if at >= k.at && at < k.at+int64(len(k.data)) {
			return k.data[at-k.at:], nil
		}
	}
	return b.fetch(at)
}

func (b *blocks) fetch(at int64) ([]byte, error) {
	if b.fetches++; b.fetches > maxFetches {
		return nil, errTooScattered
	}
	data := make([]byte, min(blockSize, b.size-at))
	n, err := b.r.ReadAt(data, b.start+at)
	if n < len(data) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		b.failed = fmt.Errorf("read clip at %d: %w", b.start+at, err)
		return nil, b.failed
	}
	copy(b.kept[1:], b.kept[:])
	b.kept[0] = block{at, data}
	return data, nil
}

// head returns up to n bytes from offset at: fewer where the clip ends.
func (b *blocks) head(at int64, n int) ([]byte, error) {
	p := make([]byte, max(0, min(int64(n), b.size-at)))
	if len(p) == 0 {
		return p, nil
	}
	_, err := b.ReadAt(p, at)
	return p, err
}
