package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maxRedirects is how often an address may lead to another.
const maxRedirects = 10

var (
	errNoSum       = errors.New("a SHA-256 is 64 hexadecimal digits")
	errSumOfFolder = errors.New("a folder has no SHA-256; name an archive, or leave the sum out")
	errPlainHTTP   = errors.New("over http anybody on the way could replace the model: use https, or say what the archive must sum to (--sha256)")
	errRedirects   = fmt.Errorf("it redirects more than %d times", maxRedirects)
)

// fillFrom takes the model's files from where the operator says.
func fillFrom(ctx context.Context, partial string, m Model, opts Options) error {
	if opts.SHA256 != "" {
		if sum, err := hex.DecodeString(opts.SHA256); err != nil || len(sum) != sha256.Size {
			return errNoSum
		}
	}
	if strings.HasPrefix(opts.From, "https://") || strings.HasPrefix(opts.From, "http://") {
		return fillFromAddress(ctx, partial, m, opts)
	}
	info, err := os.Stat(opts.From)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if opts.SHA256 != "" {
			return errSumOfFolder
		}
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

// fillFromAddress fetches an archive. Whoever is on the way could put another
// in place of what comes over plain http, so that wants a sum, wherever a
// redirect leads.
func fillFromAddress(ctx context.Context, partial string, m Model, opts Options) error {
	if opts.SHA256 == "" && !strings.HasPrefix(opts.From, "https://") {
		return errPlainHTTP
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, opts.From, nil)
	if err != nil {
		return err
	}
	client := http.Client{}
	if opts.Client != nil {
		client = *opts.Client
	}
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if opts.SHA256 == "" && to.URL.Scheme != "https" {
			return errPlainHTTP
		}
		if len(via) >= maxRedirects {
			return errRedirects
		}
		return nil
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
	sum := sha256.New()
	archive = io.TeeReader(&counting{r: archive, total: size, tell: opts.Progress}, sum)
	isWanted := func(name string) bool { return want[path.Base(name)] }
	err := unpack(archive, isWanted, len(want), func(name string, r io.Reader) error {
		return writeFile(filepath.Join(partial, path.Base(name)), r)
	})
	if err != nil {
		return fmt.Errorf("%s, which must hold %v: %w", opts.From, names(m), err)
	}
	if opts.SHA256 == "" {
		return nil
	}
	if _, err := io.Copy(io.Discard, archive); err != nil { // what lies behind the files counts too
		return fmt.Errorf("read %s to its end: %w", opts.From, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, opts.SHA256) {
		return fmt.Errorf("%s has the SHA-256 %s, not the one that is expected", opts.From, got)
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
