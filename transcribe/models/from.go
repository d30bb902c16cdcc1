package models

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// fillFrom takes the model's files from where the operator says.
func fillFrom(ctx context.Context, partial string, m Model, opts Options) error {
	if strings.HasPrefix(opts.From, "https://") || strings.HasPrefix(opts.From, "http://") {
		return fillFromAddress(ctx, partial, m, opts)
	}
	info, err := os.Stat(opts.From)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fillFromFolder(partial, m, opts)
	}
	f, err := os.Open(opts.From)
	if err != nil {
		return err
	}
	defer f.Close()
	return fillFromArchive(f, info.Size(), partial, m, opts)
}

func fillFromFolder(partial string, m Model, opts Options) error {
	var done int64
	for _, file := range m.Files {
		source, err := os.Open(filepath.Join(opts.From, file.Name))
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s is not in %s, which must hold %v", file.Name, opts.From, names(m))
		}
		if err != nil {
			return err
		}
		r := &counting{r: source, done: done, total: m.Bytes, tell: opts.Progress}
		err = writeFile(filepath.Join(partial, file.Name), r)
		_ = source.Close()
		if err != nil {
			return err
		}
		done = r.done
	}
	return nil
}

func fillFromAddress(ctx context.Context, partial string, m Model, opts Options) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, opts.From, nil)
	if err != nil {
		return err
	}
	client := opts.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: it answers %s", opts.From, response.Status)
	}
	return fillFromArchive(response.Body, max(response.ContentLength, 0), partial, m, opts)
}

// fillFromArchive takes files by their base name, whatever folder of the
// archive they are in.
func fillFromArchive(archive io.Reader, size int64, partial string, m Model, opts Options) error {
	want := map[string]bool{}
	for _, file := range m.Files {
		want[file.Name] = true
	}
	archive = &counting{r: archive, total: size, tell: opts.Progress}
	isWanted := func(name string) bool { return want[path.Base(name)] }
	err := unpack(archive, isWanted, len(want), func(name string, r io.Reader) error {
		return writeFile(filepath.Join(partial, path.Base(name)), r)
	})
	if err != nil {
		return fmt.Errorf("%s, which must hold %v: %w", opts.From, names(m), err)
	}
	return nil
}

// counting tells how much was read.
type counting struct {
	r           io.Reader
	done, total int64
	tell        func(done, total int64)
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.tell(c.done, c.total)
	return n, err
}
