// Package spool keeps live recordings: on this node's disk within a second of
// being said, and in pieces of some seconds in the object
// store, so that a process that is killed loses no more than the last second,
// and a machine that never comes back no more than the last pieces.
//
// # Data flow
//
// [Recording.Write] makes it part of an Ogg page in memory and returns: it
// waits for no disk and no network. A few times a second one goroutine goes
// over all recordings, writes to each one's file what has come, and makes it
// last for all of them at once (see sync_linux.go); then [Recording.Kept]
// moves on. Every few seconds, each recording at a time of its own, what is
// new of the file is put to the object store as key.pieces/000000 and so on.
// Pieces begin and end with pages: one after the other they are the file.
//
// [Recording.Finish] ends the file and puts the whole of it under its key. The
// caller then commits its record and calls [Spool.Forget], which removes file
// and pieces. What a crash leaves at any point before is finished by
// [Spool.Recover]: on the same node, which keeps its name in the folder, from
// the file, on another from the pieces, and from both where the pieces go on
// after the end of the file. Each step may be repeated.
//
// # When something is missing
//
// An unreachable store loses nothing: pieces are read back from the file once it
// answers again, and none is needed as long as the node lives. A disk that
// is full or broken makes a recording live in memory and from there in pieces,
// which then count as kept; [Recording.Fault] says so. When the disk takes
// data again the recording goes on there. All recordings together hold at most
// 64 MiB in memory: beyond it what is in pieces already is dropped from there
// (and its disk is not tried again), and where neither disk nor store took it,
// Write refuses, which should end the recording.
//
// # Limits
//
// A folder belongs to one process; the caller that opens a spool ensures that.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"hark/storage/blob"
	"hark/storage/disk"
)

const (
	usualSync  = 250 * time.Millisecond
	usualPiece = 5 * time.Second

	putsAtOnce = 8        // pieces on their way to the store
	maxHeld    = 64 << 20 // bytes in memory, of all recordings together
)

// objects is where pieces and finished recordings are put.
type objects interface {
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
	Get(ctx context.Context, key string) (io.ReadCloser, int64, error)
	List(ctx context.Context, prefix string, visit func(blob.Object) error) error
	Delete(ctx context.Context, keys ...string) error
}

// Config says where recordings are kept.
type Config struct {
	Dir        string        // made when it is missing; no other process uses it
	Objects    objects       // a *blob.Store
	SyncEvery  time.Duration // how often what has come goes to the disk; 0 means 250 ms
	PieceEvery time.Duration // how often a piece goes to the store; 0 means 5 s
	Logger     *slog.Logger
}

// Spool keeps the recordings of a node. It is safe for concurrent use.
type Spool struct {
	cfg  Config
	dir  *os.File // open, for syncing
	node string
	held atomic.Int64 // bytes in the memory of all recordings
	most int64        // that they may hold

	disk, store outage

	mu     sync.Mutex            // is not taken while a recording's is held
	open   map[string]*Recording // by id; nil while an id is being recovered or forgotten
	closed bool

	due    chan *Recording // those of which a piece is to be put
	stop   context.CancelFunc
	ctx    context.Context // ends with the spool
	ticker sync.WaitGroup
	putter sync.WaitGroup
	once   sync.Once
	err    error
}

// Open opens the spool in cfg.Dir and starts its work.
func Open(cfg Config) (*Spool, error) {
	if cfg.SyncEvery <= 0 {
		cfg.SyncEvery = usualSync
	}
	if cfg.PieceEvery <= 0 {
		cfg.PieceEvery = usualPiece
	}
	if err := disk.MakeDir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	node, err := nodeName(filepath.Join(cfg.Dir, "node"))
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	dir, err := os.Open(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	s := &Spool{
		cfg: cfg, dir: dir, node: node,
		most:  maxHeld,
		disk:  outage{place: "disk", log: cfg.Logger},
		store: outage{place: "object store", log: cfg.Logger},
		open:  map[string]*Recording{},
		due:   make(chan *Recording, 4096),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.ticker.Go(s.keepSynced)
	for range putsAtOnce {
		s.putter.Go(s.putPieces)
	}
	return s, nil
}

// Node returns the name of this node: random, and the same for as long as its
// folder lives.
func (s *Spool) Node() string { return s.node }

// Close brings what was written so far to the disk and stops the spool.
// Recordings that are not finished stay, for [Spool.Recover] at the next start.
// Closing again does nothing.
func (s *Spool) Close() error {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.stop()
		s.ticker.Wait()
		s.putter.Wait()
		var errs []error
		for _, r := range s.recordings() {
			errs = append(errs, r.leave())
		}
		s.err = errors.Join(append(errs, s.dir.Close())...)
	})
	return s.err
}

// recordings returns those that are open.
func (s *Spool) recordings() []*Recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Recording, 0, len(s.open))
	for _, r := range s.open {
		if r != nil {
			all = append(all, r)
		}
	}
	return all
}

func (s *Spool) path(id string) string { return filepath.Join(s.cfg.Dir, id+suffix) }
