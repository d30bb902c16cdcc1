package models

import (
	"archive/tar"
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
)

// Bounds on what an archive may hold, in bytes and entries.
const (
	maxArchive = 8 << 30
	maxEntries = 100_000
	maxFile    = 4 << 30
)

// decompress returns the bytes of a tar archive that is packed by gzip, bzip2
// or not at all.
func decompress(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	head, err := buffered.Peek(3)
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	switch {
	case head[0] == 0x1f && head[1] == 0x8b:
		return gzip.NewReader(buffered)
	case string(head) == "BZh":
		return bzip2.NewReader(buffered), nil
	default:
		return buffered, nil
	}
}

// unpack reads a tar archive and hands the regular files that want names to
// take, by their clean path. Nothing of the archive chooses where a file is
// written, so a path that climbs is merely one that nobody wants. It fails
// when a wanted file isn't there, is there twice, or exceeds the bounds.
func unpack(archive io.Reader, want func(name string) bool, count int, take func(name string, r io.Reader) error) error {
	plain, err := decompress(archive)
	if err != nil {
		return err
	}
	entries := tar.NewReader(&bounded{r: plain, left: maxArchive})
	taken := map[string]bool{}
	for n := 0; ; n++ {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if n >= maxEntries {
			return fmt.Errorf("read archive: more than %d entries", maxEntries)
		}
		name := path.Clean(entry.Name)
		if entry.Typeflag != tar.TypeReg || !want(name) {
			continue
		}
		if taken[name] {
			return fmt.Errorf("read archive: %s occurs twice", name)
		}
		if entry.Size > maxFile {
			return fmt.Errorf("read archive: %s has %d bytes, more than %d", name, entry.Size, int64(maxFile))
		}
		if err := take(name, entries); err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
		taken[name] = true
	}
	if len(taken) < count {
		return fmt.Errorf("read archive: only %d of %d files are in it", len(taken), count)
	}
	return nil
}

// bounded fails when more is read than may be.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("archive is too large")
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
