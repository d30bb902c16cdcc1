package spool

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"hark/media"
	"hark/media/backoff"
	"hark/storage"
)

// lastPiece is how long a piece may still take when the recording ends.
const lastPiece = 2 * time.Second

// piecePauses are how long a store that does not take a piece is left alone.
var piecePauses = backoff.Policy{First: 2 * time.Second, Most: 30 * time.Second}

// pieces is what of a recording goes to the object store while it is spoken,
// one piece after the other. It is guarded by the recording's mu.
type pieces struct {
	due    time.Time
	queued bool
	number int                // of the next piece
	sent   int64              // bytes of the image that are in the store
	end    int64              // of the next piece, once it was tried: it stays the same, for a lost answer may hide that it was put
	said   int64              // position at its end, in samples
	fails  int                // in a row
	faulty bool               // counted as an outage
	cancel context.CancelFunc // of the one that is being put
}

func pieceKey(key string, n int) string { return fmt.Sprintf("%s%06d", storage.PiecesOf(key), n) }

func (p *pieces) ready(now time.Time) bool { return !p.queued && !now.Before(p.due) }

// callForPiece has the next piece put when it is due.
func (r *Recording) callForPiece(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || !r.pieces.ready(now) || r.size() == r.pieces.sent {
		return
	}
	select {
	case r.spool.due <- r:
		r.pieces.queued = true
	default: // the store does not keep up; the next pass calls again
	}
}

// size is the length of the image; mu is held.
func (r *Recording) size() int64 { return r.base + int64(len(r.tail)) }

// putPieces puts the pieces that are due, until the spool ends.
func (s *Spool) putPieces() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case r := <-s.due:
			r.putPiece(s.ctx)
		}
	}
}

func (r *Recording) putPiece(ctx context.Context) {
	r.putting.Lock()
	defer r.putting.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	key, body, size := r.nextPiece(cancel)
	if body == nil {
		return
	}
	_, err := r.spool.cfg.Objects.Put(ctx, key, media.OggOpus.MediaType(), body, size)
	r.pieceDone(err, ctx.Err() != nil)
}

// nextPiece returns the next piece, or no body when there is none. What of it
// is on the disk is read from there.
func (r *Recording) nextPiece(cancel context.CancelFunc) (key string, body io.Reader, size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.pieces
	p.queued = false
	if r.ended {
		return "", nil, 0
	}
	if p.end == 0 {
		p.said = r.flushPage()
		p.end = r.size()
	}
	p.cancel = cancel
	key, size = pieceKey(r.key, p.number), p.end-p.sent
	var parts []io.Reader
	if onDisk := min(p.end, r.base); onDisk > p.sent {
		parts = append(parts, io.NewSectionReader(r.file, p.sent, onDisk-p.sent))
	}
	if p.end > r.base {
		parts = append(parts, bytes.NewReader(bytes.Clone(r.tail[max(0, p.sent-r.base):p.end-r.base])))
	}
	return key, io.MultiReader(parts...), size
}

// pieceDone notes how putting the piece ended, and whether it was cancelled
// because recording or spool ended.
func (r *Recording) pieceDone(err error, givenUp bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, every := &r.pieces, r.spool.cfg.PieceEvery
	p.cancel = nil
	if err != nil {
		if !p.faulty && !givenUp && !r.ended {
			p.faulty = true
			r.spool.store.begin(r.id, err)
		}
		p.fails++
		p.due = time.Now().Add(piecePauses.After(p.fails))
		return
	}
	if p.faulty {
		p.faulty = false
		r.spool.store.end()
	}
	r.kept = max(r.kept, p.said)
	p.sent, p.end = p.end, 0
	p.number++
	p.fails = 0
	if p.due = p.due.Add(every); p.due.Before(time.Now()) {
		p.due = time.Now().Add(every)
	}
}
