package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"hark/media"
	"hark/storage"
	"hark/transcribe"
)

// errOtherStore is the error of a clip that is not in the store, which may be
// another than the one that the clip is in.
var errOtherStore = errors.New("clip is not in the object store, which may be the wrong one")

// fetch brings the original to a scratch file without a name, which the caller
// closes. It never takes more than the bytes the database speaks of.
func (a *attempt) fetch(ctx context.Context) (_ *os.File, err error) {
	defer a.timed(fetching)()
	body, _, err := a.Clips.Get(ctx, a.task.Key)
	if errors.Is(err, storage.ErrNotFound) {
		if doubt := a.Agree(ctx); doubt != nil {
			return nil, fmt.Errorf("%w: %s", errOtherStore, doubt.Error()) // not wrapped: its cause says nothing of the job
		}
		// Not wrapped: a clip that is gone must not look like a job that is gone.
		return nil, transcribe.Fail(errors.New(err.Error()), "The sound of this recording is missing from the store. It has to be sent again.")
	}
	if err != nil {
		return nil, fmt.Errorf("open clip: %w", err)
	}
	defer body.Close()

	file, err := media.ScratchFile(a.cfg.Scratch)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close())
		}
	}()
	counted := &countedReader{ctx: ctx, r: io.LimitReader(body, a.task.Bytes+1), tell: func(n int64) {
		a.meter.move(fetching, fetchedAt*float64(n)/float64(max(a.task.Bytes, 1)))
	}}
	n, err := io.Copy(file, counted)
	if err != nil {
		return nil, fmt.Errorf("fetch clip: %w", err)
	}
	if n != a.task.Bytes {
		return nil, fmt.Errorf("fetch clip: got %d bytes and expected %d: %w", n, a.task.Bytes, io.ErrUnexpectedEOF)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("fetch clip: %w", err)
	}
	return file, nil
}

// countedReader tells how much was read, and ends with ctx's cause.
type countedReader struct {
	ctx  context.Context // a reader lives within one fetch
	r    io.Reader
	n    int64
	tell func(n int64)
}

func (c *countedReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
