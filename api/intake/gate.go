package intake

import "sync"

// gate bounds how many clips are on their way in at once: each holds a
// connection, buffers and a transfer to the object store.
type gate struct {
	perUser, perNode int

	mu    sync.Mutex
	total int
	users map[string]int // only users with something on the way
}

func newGate(perUser, perNode int) *gate {
	return &gate{perUser: perUser, perNode: perNode, users: map[string]int{}}
}

// enter lets a user's clip in, until leave is called. It never waits.
func (g *gate) enter(userID string) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.users[userID] >= g.perUser {
		return nil, ErrTooManyUploads
	}
	if g.total >= g.perNode {
		return nil, ErrSaturated
	}
	g.total++
	g.users[userID]++
	return func() { g.leave(userID) }, nil
}

func (g *gate) leave(userID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.users[userID]--; g.users[userID] == 0 {
		delete(g.users, userID)
	}
}

func (g *gate) inFlight() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}
