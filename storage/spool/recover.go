package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hark/media/opus"
	"hark/storage"
	"hark/storage/blob"
)

// Left returns the ids of recordings whose files are here and that nobody
// speaks or finishes: what an earlier process left, or a Finish that failed.
func (s *Spool) Left() ([]string, error) {
	files, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("list abandoned recordings: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []string
	for _, f := range files {
		id, ours := strings.CutSuffix(f.Name(), suffix)
		if _, used := s.open[id]; ours && !used {
			left = append(left, id)
		}
	}
	return left, nil
}

// Recover finishes a recording whose process or machine is gone: it takes the
// file that is here, if any, and where the pieces in the object store go on
// after the file's end, those too; ends it; and does as [Recording.Finish]
// does. On a node that never had the file, all is from the pieces. It may be
// cut short at any point, and repeated.
//
// Where neither is left and the whole recording is under its key already, that
// is it: its record is from before it was finished, as in a database that was
// restored from a backup.
//
// A duration of 0 and no error means that nothing was said, or nothing is
// left. A recording that is live or being finished here is
// storage.ErrConflict. That no other node does the same is for the caller to
// see to: by the lease of the record.
func (s *Spool) Recover(ctx context.Context, id, key string) (storage.Original, int64, error) {
	original, ms, err := s.recover(ctx, id, key)
	if err != nil {
		return storage.Original{}, 0, fmt.Errorf("recover recording %s: %w", id, err)
	}
	return original, ms, nil
}

func (s *Spool) recover(ctx context.Context, id, key string) (storage.Original, int64, error) {
	if err := s.reserve(id, nil); err != nil {
		return storage.Original{}, 0, err
	}
	defer s.release(id)
	samples, err := s.mend(ctx, id, key)
	if err != nil {
		return storage.Original{}, 0, err
	}
	return s.putFile(ctx, id, key, samples)
}

// mend makes the file of a recording as long as can be, ends it, and returns
// its length in samples.
func (s *Spool) mend(ctx context.Context, id, key string) (samples int64, err error) {
	f, err := os.OpenFile(s.path(id), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := opus.Scan(f)
	if err != nil && !errors.Is(err, opus.ErrNoHeader) {
		return 0, err
	}
	if !info.Ended {
		if err := s.lengthen(ctx, f, info.Bytes, key); err != nil {
			return 0, err
		}
	}
	info, err = opus.Repair(f)
	if errors.Is(err, opus.ErrNoHeader) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Samples, s.dir.Sync()
}

// lengthen adds to a file of which size bytes are good what the pieces have
// beyond.
func (s *Spool) lengthen(ctx context.Context, f *os.File, size int64, key string) error {
	n, total, err := s.countPieces(ctx, key)
	if err != nil {
		return err
	}
	if total == 0 && size == 0 {
		return s.fetchWhole(ctx, f, key)
	}
	if total <= size {
		return nil
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return err
	}
	pieces := s.pieces(ctx, key, n)
	if _, err := io.CopyN(io.Discard, pieces, size); err != nil {
		return fmt.Errorf("read pieces: %w", err)
	}
	if _, err := io.Copy(f, pieces); err != nil {
		return fmt.Errorf("read pieces: %w", err)
	}
	return nil
}

// fetchWhole copies what is under the key of a recording, if anything is.
func (s *Spool) fetchWhole(ctx context.Context, f *os.File, key string) error {
	body, _, err := s.cfg.Objects.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer body.Close()
	if _, err := io.Copy(f, body); err != nil {
		return fmt.Errorf("read recording: %w", err)
	}
	return nil
}

// countPieces returns how many pieces follow on each other from the first, and
// their length in bytes.
func (s *Spool) countPieces(ctx context.Context, key string) (n int, size int64, err error) {
	whole := true
	err = s.cfg.Objects.List(ctx, storage.PiecesOf(key), func(o blob.Object) error {
		if whole = whole && o.Key == pieceKey(key, n); whole {
			n++
			size += o.Size
		}
		return nil
	})
	return n, size, err
}

// pieces reads the first n pieces of a recording, one after the other.
func (s *Spool) pieces(ctx context.Context, key string, n int) io.Reader {
	readers := make([]io.Reader, n)
	for i := range readers {
		readers[i] = &piece{ctx: ctx, store: s.cfg.Objects, key: pieceKey(key, i)}
	}
	return io.MultiReader(readers...)
}

// piece is a piece that is fetched when it is read, and let go of at its end.
type piece struct {
	ctx   context.Context
	store objects
	key   string
	body  io.ReadCloser
}

func (p *piece) Read(b []byte) (int, error) {
	if p.body == nil {
		body, _, err := p.store.Get(p.ctx, p.key)
		if err != nil {
			return 0, err
		}
		p.body = body
	}
	n, err := p.body.Read(b)
	if err != nil {
		p.body.Close()
	}
	return n, err
}
