package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hark/storage"
	"hark/storage/blob"
)

// Forget removes the file and the pieces of a recording, once the record of
// the finished one is committed. When it fails the file stays, and [Spool.Left]
// names it. Forgetting what is not there does nothing; a recording that is
// still spoken ends. Without a key the pieces stay: where they are is not
// known, or they have become another node's.
func (s *Spool) Forget(ctx context.Context, id, key string) error {
	if err := s.forget(ctx, id, key, nil); err != nil {
		return fmt.Errorf("forget recording %s: %w", id, err)
	}
	return nil
}

// Discard is Forget for a recording that leaves no record, because nothing was
// said or its message was deleted meanwhile: it removes what was put under its
// key, too. What a node leaves that dies before this is deleted with the
// message (sqldb.DB.ObjectsToDelete).
func (s *Spool) Discard(ctx context.Context, id, key string) error {
	if err := s.forget(ctx, id, key, []string{key}); err != nil {
		return fmt.Errorf("discard recording %s: %w", id, err)
	}
	return nil
}

// forget removes the file last: as long as it is there, Left names the rest.
func (s *Spool) forget(ctx context.Context, id, key string, keys []string) error {
	s.mu.Lock()
	r := s.open[id]
	s.mu.Unlock()
	if r != nil {
		r.finish.Lock()
		defer r.finish.Unlock()
		if err := r.drop(); err != nil {
			return err
		}
	}
	if err := s.reserve(id, r); err != nil {
		return err
	}
	defer s.release(id)
	if key != "" {
		if err := s.delete(ctx, key, keys); err != nil {
			return err
		}
	}
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// delete deletes the pieces and the objects under keys.
func (s *Spool) delete(ctx context.Context, key string, keys []string) error {
	err := s.cfg.Objects.List(ctx, storage.PiecesOf(key), func(o blob.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	return s.cfg.Objects.Delete(ctx, keys...)
}

// drop ends a recording, of which nothing is needed any more.
func (r *Recording) drop() error {
	if _, err := r.end(); err != nil {
		return err
	}
	r.stopPieces()
	return r.leave()
}
