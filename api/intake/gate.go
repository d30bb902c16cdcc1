package intake

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// maxWaiting is how many clips may wait for their turn on a node: each holds a
// connection and little else.
const maxWaiting = 1024

// gate bounds how many clips are on their way in at once: each holds a
// connection, buffers and a transfer to the object store. Those over the bound
// wait a while for their turn, since most are let in within the second, and a
// script that sends a folder at once has not asked for too much.
type gate struct {
	perUser, perNode int
	patience         time.Duration

	mu      sync.Mutex
	total   int
	waiting int
	users   map[string]int // only users with something on the way
	freed   chan struct{}  // closed, and made anew, when a place is free
}

func newGate(perUser, perNode int, patience time.Duration) *gate {
	return &gate{perUser: perUser, perNode: perNode, patience: patience, users: map[string]int{}, freed: make(chan struct{})}
}

// enter lets a user's clip in, until leave is called. It waits for a place for
// as long as the gate has patience, or until ctx ends.
func (g *gate) enter(ctx context.Context, userID string) (leave func(), err error) {
	turn, full := g.tryEnter(userID)
	if full == nil {
		return func() { g.leave(userID) }, nil
	}
	if !g.wait(1) {
		return nil, full
	}
	defer g.wait(-1)
	patience := time.NewTimer(g.patience)
	defer patience.Stop()
	for {
		select {
		case <-turn:
		case <-patience.C:
			return nil, full
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrIncomplete, context.Cause(ctx))
		}
		if turn, full = g.tryEnter(userID); full == nil {
			return func() { g.leave(userID) }, nil
		}
	}
}

// tryEnter takes a place, or says why there is none and gives what is closed
// when there may be one.
func (g *gate) tryEnter(userID string) (freed <-chan struct{}, full error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users[userID] >= g.perUser {
		return g.freed, ErrTooManyUploads
	}
	if g.total >= g.perNode {
		return g.freed, ErrSaturated
	}
	g.total++
	g.users[userID]++
	return nil, nil
}

// wait counts one more who waits, or one fewer, and reports whether they may.
func (g *gate) wait(change int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if change > 0 && g.waiting >= maxWaiting {
		return false
	}
	g.waiting += change
	return true
}

func (g *gate) leave(userID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.users[userID]--; g.users[userID] == 0 {
		delete(g.users, userID)
	}
	close(g.freed)
	g.freed = make(chan struct{})
}

func (g *gate) inFlight() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}
