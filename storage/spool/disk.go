package spool

import (
	"time"
)

// diskRetry is how long a disk that failed is left alone.
const diskRetry = time.Second

// fewFiles is how many files are synced one by one; for more it is cheaper to
// sync the whole file system.
const fewFiles = 8

// keepSynced brings what is said to the disk, until the spool ends.
func (s *Spool) keepSynced() {
	ticker := time.NewTicker(s.cfg.SyncEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			s.pass(time.Now())
			return
		case now := <-ticker.C:
			s.pass(now)
		}
	}
}

// pass writes what is new of all recordings, makes it last, and calls for the
// pieces that are due.
func (s *Spool) pass(now time.Time) {
	all := s.recordings()
	dirty := make([]*Recording, 0, len(all))
	for _, r := range all {
		if r.flush(now) {
			dirty = append(dirty, r)
		}
	}
	if len(dirty) <= fewFiles || syncSystem(s.dir) != nil {
		for _, r := range dirty {
			r.sync()
		}
	} else {
		for _, r := range dirty {
			r.settle(nil)
		}
	}
	for _, r := range all {
		r.callForPiece(now)
	}
}

// flush writes to the file what is new, and reports whether it did.
func (r *Recording) flush(now time.Time) bool {
	if r.over() {
		return false
	}
	r.disk.Lock()
	defer r.disk.Unlock()
	if now.Before(r.retry) {
		return false
	}
	r.write(now)
	return r.unsynced()
}

// sync makes what was written last.
func (r *Recording) sync() {
	r.disk.Lock()
	defer r.disk.Unlock()
	if r.file != nil && !r.over() {
		r.settled(syncFile(r.file))
	}
}

// settle notes how a sync of the whole file system ended.
func (r *Recording) settle(err error) {
	r.disk.Lock()
	defer r.disk.Unlock()
	if !r.over() {
		r.settled(err)
	}
}

// save writes and syncs at once, and returns what keeps it from that.
func (r *Recording) save() error {
	r.disk.Lock()
	defer r.disk.Unlock()
	if r.file != nil {
		r.write(time.Now())
		r.settled(syncFile(r.file))
	}
	return r.Fault()
}

// over reports whether the recording is ended: from then on Finish and Forget
// alone look after it.
func (r *Recording) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// write writes to the file what is new. disk is held.
func (r *Recording) write(now time.Time) {
	chunk, end := r.unwritten()
	if len(chunk) == 0 || r.file == nil {
		return
	}
	n, err := r.file.WriteAt(chunk, r.written)
	r.written += int64(n)
	if r.whole = err == nil; r.whole {
		r.flushed = end
		return
	}
	r.retry = now.Add(diskRetry)
	r.fail(err)
}

// unsynced reports whether something was written that may not last. disk is
// held.
func (r *Recording) unsynced() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.written > r.base && !r.gone
}

// unwritten returns what is not written yet, and the position at its end.
func (r *Recording) unwritten() (chunk []byte, end int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost || r.gone {
		return nil, 0
	}
	end = r.flushPage()
	return r.tail[r.written-r.base:], end
}

// flushPage ends the page that is being filled and returns the position. mu is
// held.
func (r *Recording) flushPage() int64 {
	// Writing to memory does not fail.
	_ = r.ogg.FlushPage()
	return r.ogg.Position()
}

// settled takes note of what is on the disk for good. When syncing failed
// nobody knows what is, and it is written again: a second sync would succeed
// without having done anything. disk is held.
func (r *Recording) settled(err error) {
	if err != nil {
		r.mu.Lock()
		r.written = min(r.written, r.base)
		r.mu.Unlock()
		r.retry = time.Now().Add(diskRetry)
		r.fail(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost || r.gone {
		return
	}
	if n := r.written - r.base; n > 0 {
		r.tail = append(r.tail[:0], r.tail[n:]...)
		r.base = r.written
		r.spool.held.Add(-n)
	}
	r.kept = max(r.kept, r.flushed)
	if r.fault != nil && r.whole {
		r.fault = nil
		r.spool.disk.end()
	}
}

// fail takes note that the disk does not work.
func (r *Recording) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return
	}
	if r.fault == nil {
		r.spool.disk.begin(r.id, err)
	}
	r.fault = err
}
