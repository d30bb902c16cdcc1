package blob_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"hark/storage/blob"
	"hark/storage/blob/embedded"
)

// BenchmarkPut keeps clips in the embedded server, synced.
func BenchmarkPut(b *testing.B) {
	e, err := embedded.Serve(b.Context(), b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	s, err := blob.Open(b.Context(), e.Config())
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{30_000, 1 << 20, 50 << 20} {
		b.Run(fmt.Sprintf("%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			data := noise(size)
			var i int
			for b.Loop() {
				i++
				if _, err := s.Put(b.Context(), fmt.Sprintf("w/1/m/%d/%d/original", size, i), "audio/wav", bytes.NewReader(data), -1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("get 1 MiB", func(b *testing.B) {
		if _, err := s.Put(b.Context(), "get", "audio/wav", bytes.NewReader(noise(1<<20)), -1); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(1 << 20)
		for b.Loop() {
			body, _, err := s.Get(b.Context(), "get")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, body); err != nil {
				b.Fatal(err)
			}
			_ = body.Close()
		}
	})
}
