package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ReaderAt reads an object of the given size at any place: each read is one
// ranged get. Who reads much in small pieces brings a buffer, as inspect.Clip
// does. It is safe for concurrent use, and ends with ctx. The object must not
// change meanwhile.
func (s *Store) ReaderAt(ctx context.Context, key string, size int64) io.ReaderAt {
	return &objectReader{ctx: ctx, store: s, key: key, size: size}
}

type objectReader struct {
	ctx   context.Context // an io.ReaderAt has no other place for it
	store *Store
	key   string
	size  int64 // bytes of the object
}

// ReadAt implements io.ReaderAt.
func (r *objectReader) ReadAt(p []byte, off int64) (int, error) {
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
	if len(p) == 0 {
		return 0, nil
	}
	body, err := r.store.GetRange(r.ctx, r.key, off, int64(len(p)))
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p)
	if err = errors.Join(err, body.Close()); err != nil {
		return n, fmt.Errorf("read object %s at %d: %w", r.key, off, err)
	}
	return n, eof
}
