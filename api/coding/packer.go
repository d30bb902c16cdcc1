package coding

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	gzipLevel = 5
	// zstdWindow is far below the 8 MiB that browsers must take (RFC 9659).
	zstdWindow = 1 << 20 // bytes
)

// Packer compresses bodies with [Zstd] and [Gzip]. It is safe for concurrent
// use, and keeps its tables from one body to the next.
type Packer struct {
	zstd *zstd.Encoder
	gzip sync.Pool // of *gzip.Writer
}

// NewPacker makes a [Packer].
func NewPacker() (*Packer, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("make zstd encoder: %w", err)
	}
	return &Packer{zstd: encoder, gzip: sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzipLevel)
		if err != nil {
			panic(err) // the level is one
		}
		return w
	}}}, nil
}

// Pack compresses body with a coding that [Choose] returned of [Zstd] and
// [Gzip]; for "" it returns body itself.
func (p *Packer) Pack(coding string, body []byte) []byte {
	switch coding {
	case Zstd:
		return p.zstd.EncodeAll(body, make([]byte, 0, len(body)/4))
	case Gzip:
		return p.packGzip(body)
	}
	return body
}

func (p *Packer) packGzip(body []byte) []byte {
	w := p.gzip.Get().(*gzip.Writer)
	defer p.gzip.Put(w)
	packed := bytes.NewBuffer(make([]byte, 0, len(body)/4))
	w.Reset(packed)
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}
