package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"hark/media/opus"
	"hark/storage"
)

const (
	suffix = ".opus"

	// fairShare is how many bytes of memory a recording always gets.
	fairShare = 64 << 10
)

// ErrFull means that a recording cannot go on: neither the disk nor the object
// store has taken it for so long that memory is used up.
var ErrFull = errors.New("disk and object store both refuse the recording")

// Recording is a live recording in the spool. It is safe for concurrent use.
//
// Its file, the image, is what opus.Writer writes. The image up to base is
// known to be on the disk; what follows is in memory too, in tail, whole pages
// always.
type Recording struct {
	spool   *Spool
	id, key string

	finish sync.Mutex // held by Finish and Forget

	// disk is held while the file is written, synced or closed.
	disk    sync.Mutex
	file    *os.File // nil when closed
	written int64    // bytes of the image that were written to the file
	flushed int64    // position up to there, in samples
	whole   bool     // the last write did not fail
	retry   time.Time

	putting sync.Mutex // held while a piece is put

	// mu guards what follows and is held for moments only.
	mu    sync.Mutex
	ogg   *opus.Writer
	tail  []byte // the image from base on
	base  int64
	kept  int64 // position that a crash cannot take, in samples
	ended bool  // nothing more is written
	lost  bool  // tail begins after what is on the disk: the file ends before base
	gone  bool  // forgotten, or left to the next process: there is no tail any more
	fault error // of the disk; nil while it works

	pieces pieces
}

// Create begins a recording of 1 or 2 channels: it returns when its file is on
// the disk. Id becomes the file's name, key is where the finished recording
// goes in the object store. An id that is in use is storage.ErrConflict.
func (s *Spool) Create(ctx context.Context, id, key string, channels int) (*Recording, error) {
	r := &Recording{spool: s, id: id, key: key}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("create recording %s: %w", id, err)
	}
	if err := s.reserve(id, nil); err != nil {
		return nil, fmt.Errorf("create recording %s: %w", id, err)
	}
	err := r.create(channels)
	if err != nil {
		s.release(id)
		return nil, fmt.Errorf("create recording %s: %w", id, err)
	}
	r.pieces.due = time.Now().Add(rand.N(s.cfg.PieceEvery))
	s.mu.Lock()
	s.open[id] = r
	s.mu.Unlock()
	return r, nil
}

func (r *Recording) create(channels int) (err error) {
	path := r.spool.path(r.id)
	r.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		err = storage.ErrConflict
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			r.forgetMemory()
			err = errors.Join(err, r.file.Close(), os.Remove(path))
		}
	}()
	if r.ogg, err = opus.NewWriter((*image)(r), channels, rand.Uint32()); err != nil {
		return err
	}
	if err := r.save(); err != nil {
		return err
	}
	return r.spool.dir.Sync()
}

// Write adds a packet as opus.Writer does, which says how gaps are filled and
// what is dropped. It waits for nothing. What it returned nil for is on the
// disk within a second. It refuses with [ErrFull], and after the end with
// opus.ErrClosed.
func (r *Recording) Write(p opus.Packet) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return opus.ErrClosed
	}
	if !r.room() {
		return ErrFull
	}
	return r.ogg.Write(p)
}

// Kept returns how much a crash of this machine would leave, in milliseconds.
func (r *Recording) Kept() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return milliseconds(r.kept)
}

// Length returns how much was said, in milliseconds.
func (r *Recording) Length() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return milliseconds(r.ogg.Position())
}

// Fault returns what keeps the recording from the disk, or nil while nothing
// does. With a fault it lives in memory and in pieces: see the package.
func (r *Recording) Fault() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}

// image is the io.Writer of a recording's opus.Writer; mu is held.
type image Recording

func (i *image) Write(p []byte) (int, error) {
	i.tail = append(i.tail, p...)
	i.spool.held.Add(int64(len(p)))
	return len(p), nil
}

// room reports whether there is memory for more, and when there is not gives
// back what is in the store already, which gives up the file.
func (r *Recording) room() bool {
	if r.spool.held.Load() <= r.spool.most || len(r.tail) < fairShare {
		return true
	}
	if n := r.pieces.sent - r.base; n > 0 {
		r.tail = slices.Clone(r.tail[n:]) // the old memory may be on its way to the disk
		r.base += n
		r.lost = true
		r.spool.held.Add(-n)
	}
	return len(r.tail) < fairShare
}

// forgetMemory gives back what a recording holds that is over.
func (r *Recording) forgetMemory() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.gone = true, true
	r.endFaults()
	r.spool.held.Add(-int64(len(r.tail)))
	r.tail = nil
}

// leave closes the file as it is.
func (r *Recording) leave() error {
	r.forgetMemory()
	r.disk.Lock()
	defer r.disk.Unlock()
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

func milliseconds(samples int64) int64 { return samples * 1000 / opus.Rate }

// reserve takes an id for one use, until [Spool.release]: creating, finishing,
// recovering or forgetting. It may be taken from own, a recording that is over.
func (s *Spool) reserve(id string, own *Recording) error {
	if id == "" || strings.HasPrefix(id, ".") || filepath.Base(id) != id {
		return fmt.Errorf("%q is not usable as a file name", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the spool is closed")
	}
	if r, used := s.open[id]; used && (r == nil || r != own) {
		return storage.ErrConflict
	}
	s.open[id] = nil
	return nil
}

func (s *Spool) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}
