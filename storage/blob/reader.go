package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

const (
	blockSize  = 128 << 10 // bytes fetched at a time by a reader
	blockCount = 16        // blocks a reader keeps: 2 MiB
)

// ReaderAt reads an object of the given size at any place, through ranged
// gets. It fetches blocks of 128 KiB and keeps the 16 used last, so a parser
// that hops about a file's head costs one or two requests. A read of more than
// what it keeps goes straight to the store. It is safe for concurrent use, one
// request at a time, and ends with ctx. The object must not change meanwhile.
func (s *Store) ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt {
	return &blockReader{ctx: ctx, store: s, key: key, size: size}
}

type blockReader struct {
	ctx   context.Context // an io.ReaderAt has no other place for it
	store *Store
	key   string
	size  int64

	mu     sync.Mutex
	blocks []block // the one used last comes first
}

type block struct {
	index int64
	data  []byte
}

// ReadAt implements io.ReaderAt.
func (r *blockReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read object %s: negative offset %d", r.key, off)
	}
	if off >= r.size {
		return 0, io.EOF
	}
	var eof error
	if rest := r.size - off; int64(len(p)) > rest {
		p, eof = p[:rest], io.EOF
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n, err := r.readAt(p, off)
	if err != nil {
		return n, err
	}
	return n, eof
}

func (r *blockReader) readAt(p []byte, off int64) (int, error) {
	if len(p) > blockSize*blockCount {
		return r.fetch(p, off)
	}
	var n int
	for n < len(p) {
		at := off + int64(n)
		data, err := r.block(at / blockSize)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at%blockSize:])
	}
	return n, nil
}

// block returns a block from those kept, or fetches it and forgets the one
// that was used longest ago.
func (r *blockReader) block(index int64) ([]byte, error) {
	for i, b := range r.blocks {
		if b.index == index {
			copy(r.blocks[1:i+1], r.blocks[:i])
			r.blocks[0] = b
			return b.data, nil
		}
	}
	var data []byte
	if len(r.blocks) == blockCount {
		last := len(r.blocks) - 1
		data, r.blocks = r.blocks[last].data[:blockSize], r.blocks[:last]
	} else {
		data = make([]byte, blockSize)
	}
	start := index * blockSize
	data = data[:min(blockSize, r.size-start)]
	if _, err := r.fetch(data, start); err != nil {
		return nil, err
	}
	r.blocks = append(r.blocks, block{})
	copy(r.blocks[1:], r.blocks)
	r.blocks[0] = block{index: index, data: data}
	return data, nil
}

func (r *blockReader) fetch(p []byte, off int64) (int, error) {
	body, err := r.store.GetRange(r.ctx, r.key, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p)
	if err = errors.Join(err, body.Close()); err != nil {
		return n, fmt.Errorf("read object %s at %d: %w", r.key, off, err)
	}
	return n, nil
}
