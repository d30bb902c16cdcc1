package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"hark/cmd/hark/terminal"
)

// stdinName names standard input among the files of hark send.
const stdinName = "-"

// clip is a recording that is ready to be sent: an open file, whole.
type clip struct {
	file       *os.File
	size       int64
	sum        string    // SHA-256 of its bytes, in hex
	filename   string    // what others see; empty for a pipe
	recordedAt time.Time // zero for a pipe
	spooled    bool      // the file is the only copy of what came through a pipe
}

// checkClip reports what is wrong with a file before anything is sent. Pipes
// are not opened: that may wait for who writes.
func checkClip(path string) error {
	info, err := statClip(path)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case path == stdinName && terminal.WidthOf(os.Stdin) > 0:
		return errors.New("standard input is the terminal; send a recording through a pipe, such as 'arecord -f cd | hark send -'")
	case isPipe(path, mode):
		return nil
	case mode.IsDir():
		return fmt.Errorf("is a folder; name the recordings in it, such as %s", filepath.Join(path, "*"))
	case !mode.IsRegular():
		return errors.New("is neither a file nor a pipe")
	case info.Size() == 0:
		return errors.New("is empty")
	}
	f, err := os.Open(path)
	if err != nil {
		return cause(err)
	}
	return f.Close()
}

func statClip(path string) (fs.FileInfo, error) {
	if path == stdinName {
		return os.Stdin.Stat()
	}
	info, err := os.Stat(path)
	return info, cause(err)
}

// isPipe reports whether the bytes come but once.
func isPipe(path string, mode fs.FileMode) bool {
	return path == stdinName || mode&(fs.ModeNamedPipe|fs.ModeSocket) != 0
}

// cause is a file's error without its path, which is said anyway.
func cause(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// openClip opens a file, or reads a pipe to its end into a file of its own,
// which [clip.done] removes.
func openClip(ctx context.Context, path string) (_ *clip, err error) {
	info, err := statClip(path)
	if err != nil {
		return nil, err
	}
	c := &clip{}
	if isPipe(path, info.Mode()) {
		c.spooled = true
		if c.file, err = spoolPipe(ctx, path); err != nil {
			return nil, err
		}
	} else {
		c.filename, c.recordedAt = filepath.Base(path), info.ModTime()
		if c.file, err = os.Open(path); err != nil {
			return nil, cause(err)
		}
	}
	defer func() {
		if err != nil {
			err = c.done(err)
		}
	}()
	h := sha256.New()
	if c.size, err = io.Copy(h, ctxReader{ctx, c.file}); err != nil {
		return nil, err
	}
	if c.size == 0 {
		return nil, errors.New("is empty")
	}
	c.sum = hex.EncodeToString(h.Sum(nil))
	return c, nil
}

// body is the clip from its start, as long as it was when it was opened.
func (c *clip) body() io.Reader { return io.NewSectionReader(c.file, 0, c.size) }

// done closes the clip, and adds to the error of what was done with it where
// its only copy is, unless all went well.
func (c *clip) done(err error) error {
	_ = c.file.Close()
	switch {
	case !c.spooled:
		return err
	case err == nil || c.size == 0:
		_ = os.Remove(c.file.Name())
		return err
	}
	return kept(err, c.file.Name(), c.size)
}

// kept says where the bytes of a pipe are that were not sent.
func kept(err error, path string, size int64) error {
	return fmt.Errorf("%w; the %d bytes that were read are kept: send them by 'hark send %s'", err, size, path)
}

// spoolPipe copies a pipe to a temporary file, which it returns at its start.
// When ctx ends first, what was read until then stays there.
func spoolPipe(ctx context.Context, path string) (*os.File, error) {
	f, err := os.CreateTemp("", "hark-send-*")
	if err != nil {
		return nil, err
	}
	var read atomic.Int64
	end := make(chan error, 1)
	go func() { end <- copyPipe(f, path, &read) }() // a pipe's reader can only be left: it ends with the process
	select {
	case err = <-end:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		return f, nil
	}
	if size := read.Load(); size > 0 {
		return nil, kept(err, f.Name(), size)
	}
	_ = os.Remove(f.Name())
	return nil, err
}

func copyPipe(to io.Writer, path string, read *atomic.Int64) error {
	from := os.Stdin
	if path != stdinName {
		f, err := os.Open(path)
		if err != nil {
			return cause(err)
		}
		defer f.Close()
		from = f
	}
	_, err := io.Copy(io.MultiWriter(to, counter{read}), from)
	return err
}

// counter counts what is written to it.
type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// ctxReader reads until ctx ends.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
