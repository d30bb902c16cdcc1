package spool

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"hark/media"
	"hark/storage"
)

var errGone = errors.New("recording was removed, or the spool is closed")

// Finish ends the recording and puts the whole of it under its key; it returns
// when the object store has it. A recording in which nothing was said has a
// duration of 0 and is not put. The file and the pieces stay until
// [Spool.Forget]: call that when the record of the finished recording is
// committed, or [Spool.Discard] when there is none to be.
//
// When it fails, the recording is ended all the same; Finish may be called
// again, and [Spool.Recover] does the same once the recording is on the disk.
func (r *Recording) Finish(ctx context.Context) (storage.Original, int64, error) {
	r.finish.Lock()
	defer r.finish.Unlock()
	original, ms, err := r.finished(ctx)
	if err != nil {
		return storage.Original{}, 0, fmt.Errorf("finish recording %s: %w", r.id, err)
	}
	return original, ms, nil
}

func (r *Recording) finished(ctx context.Context) (storage.Original, int64, error) {
	samples, err := r.end()
	if err != nil {
		return storage.Original{}, 0, err
	}
	r.stopPieces()
	if r.closeFile() {
		if err := r.spool.reserve(r.id, r); err != nil {
			return storage.Original{}, 0, err
		}
		defer r.spool.release(r.id)
		return r.spool.putFile(ctx, r.id, r.key, samples)
	}
	if samples == 0 {
		return storage.Original{}, 0, nil
	}
	body, size := r.memory(ctx)
	return r.spool.put(ctx, r.key, body, size, samples)
}

// end takes no more packets, and returns the length in samples.
func (r *Recording) end() (samples int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return 0, errGone
	}
	r.ended = true
	err = r.ogg.Close()
	return r.ogg.Position(), err
}

// stopPieces waits for the piece that is being put. There are no more.
func (r *Recording) stopPieces() {
	impatient := time.AfterFunc(lastPiece, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.pieces.cancel != nil {
			r.pieces.cancel()
		}
	})
	defer impatient.Stop()
	r.putting.Lock()
	r.putting.Unlock() //nolint:staticcheck // nextPiece gives none any more
}

// closeFile reports whether the whole recording is on the disk. Then the spool
// has no more to do with it: it can be recovered.
func (r *Recording) closeFile() bool {
	_ = r.save() // the fault is logged, and memory takes over
	r.disk.Lock()
	defer r.disk.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	whole := !r.lost && len(r.tail) == 0
	if whole && r.file != nil {
		r.endFaults()
		_ = r.file.Close() // it is synced
		r.file = nil
	}
	return whole
}

// memory returns the image of a recording that the disk did not take: what
// comes before its tail is in the file or, where the file was given up, in
// pieces.
func (r *Recording) memory(ctx context.Context) (io.Reader, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		rest := bytes.NewReader(r.tail[r.pieces.sent-r.base:])
		return io.MultiReader(r.spool.pieces(ctx, r.key, r.pieces.number), rest), r.size()
	}
	return io.MultiReader(io.NewSectionReader(r.file, 0, r.base), bytes.NewReader(r.tail)), r.size()
}

// putFile puts a finished recording from its file.
func (s *Spool) putFile(ctx context.Context, id, key string, samples int64) (storage.Original, int64, error) {
	if samples == 0 {
		return storage.Original{}, 0, nil
	}
	f, err := os.Open(s.path(id))
	if err != nil {
		return storage.Original{}, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return storage.Original{}, 0, err
	}
	return s.put(ctx, key, f, info.Size(), samples)
}

// put puts a finished recording and describes it.
func (s *Spool) put(ctx context.Context, key string, body io.Reader, size, samples int64) (storage.Original, int64, error) {
	sum := sha256.New()
	n, err := s.cfg.Objects.Put(ctx, key, media.OggOpus.MediaType(), io.TeeReader(body, sum), size)
	if err != nil {
		return storage.Original{}, 0, err
	}
	return storage.Original{
		Key: key, Format: media.OggOpus, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil)),
	}, milliseconds(samples), nil
}
