package bus

import (
	"context"
	"sync"

	"hark/storage"
)

// slots says how many handlers may run. Some are kept for interactive jobs;
// the others take either kind.
//
// Invariants: at most shared bulk jobs run, and at most kept+shared jobs.
type slots struct {
	kept, shared int

	mu      sync.Mutex
	bulk    int           // running
	all     int           // running
	changed chan struct{} // closed, and replaced, when a slot becomes free
}

func newSlots(kept, shared int) *slots {
	return &slots{kept: kept, shared: shared, changed: make(chan struct{})}
}

func (s *slots) free(p storage.Priority) bool {
	return s.all < s.kept+s.shared && (p == storage.Interactive || s.bulk < s.shared)
}

// take takes a slot if there is one.
func (s *slots) take(p storage.Priority) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.free(p) {
		return false
	}
	s.all++
	if p != storage.Interactive {
		s.bulk++
	}
	return true
}

// give gives a slot back.
func (s *slots) give(p storage.Priority) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if p != storage.Interactive {
		s.bulk--
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait waits until there is a slot, which somebody else may then take first.
// It returns false when ctx ends.
func (s *slots) wait(ctx context.Context, p storage.Priority) bool {
	for ctx.Err() == nil {
		s.mu.Lock()
		free, changed := s.free(p), s.changed
		s.mu.Unlock()
		if free {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
}
