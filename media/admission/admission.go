// Package admission bounds how much work is under way at once.
//
// A [Gate] has a number of places, of which one key (a user) may hold so many.
// Who finds none free queues: by class, most urgent first, and within a class
// in order of arrival. A waiter whose key is at its bound is passed over until
// the key has a place again, and holds nobody up.
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// The reasons for which [Gate.Enter] refuses.
var (
	ErrKeyFull = errors.New("key holds as many places as it may")
	ErrFull    = errors.New("all places are taken")
)

// Limits bounds a [Gate]. Except for Places, 0 means no limit.
type Limits struct {
	Places   int           // held at once by all
	PerKey   int           // held at once by one key
	Waiting  int           // callers that wait at once
	Patience time.Duration // how long one waits before it is refused
}

// Gate admits work within its [Limits]. It is safe for concurrent use.
type Gate struct {
	limits Limits

	mu      sync.Mutex
	held    int
	keys    map[string]int // places held by each key that holds any
	waiting []*waiter      // in the order in which they are admitted
}

// waiter is a caller of Enter without a place.
type waiter struct {
	key   string
	class int
	turn  chan struct{} // closed when it is admitted, and off the queue
}

// New makes a Gate.
func New(limits Limits) *Gate { return &Gate{limits: limits, keys: map[string]int{}} }

// Enter takes a place for key, which leave gives back; leave may be called
// twice. It waits for one in its class: a lower class is more urgent. It fails
// with [ErrKeyFull] or [ErrFull] when too many wait or its patience ends, and
// with ctx's cause when ctx ends.
func (g *Gate) Enter(ctx context.Context, key string, class int) (leave func(), err error) {
	w, err := g.enqueue(key, class)
	if err != nil {
		return nil, err
	}
	leave = sync.OnceFunc(func() { g.leave(key) })
	var impatient <-chan time.Time
	if g.limits.Patience > 0 {
		timer := time.NewTimer(g.limits.Patience)
		defer timer.Stop()
		impatient = timer.C
	}
	select {
	case <-w.turn:
		return leave, nil
	case <-impatient:
		if err := g.withdraw(w); err != nil {
			return nil, err
		}
		return leave, nil // it was admitted meanwhile
	case <-ctx.Done():
		if g.withdraw(w) == nil {
			leave()
		}
		return nil, context.Cause(ctx)
	}
}

// InUse is how many places are held.
func (g *Gate) InUse() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held
}

// full says why key cannot have a place now; nil if it can.
func (g *Gate) full(key string) error {
	switch {
	case g.limits.PerKey > 0 && g.keys[key] >= g.limits.PerKey:
		return ErrKeyFull
	case g.held >= g.limits.Places:
		return ErrFull
	}
	return nil
}

// enqueue makes a waiter. It is admitted at once if there is a place for it:
// then nobody waits who could have that.
func (g *Gate) enqueue(key string, class int) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := &waiter{key: key, class: class, turn: make(chan struct{})}
	full := g.full(key)
	if full == nil {
		g.admit(w)
		return w, nil
	}
	if g.limits.Waiting > 0 && len(g.waiting) >= g.limits.Waiting {
		return nil, full
	}
	at, _ := slices.BinarySearchFunc(g.waiting, class+1, func(w *waiter, class int) int { return w.class - class })
	g.waiting = slices.Insert(g.waiting, at, w)
	return w, nil
}

func (g *Gate) admit(w *waiter) {
	g.held++
	g.keys[w.key]++
	close(w.turn)
}

// withdraw takes a waiter off the queue and says what it waited for; nil if it
// was admitted meanwhile.
func (g *Gate) withdraw(w *waiter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return nil
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return g.full(w.key)
}

// leave gives a place of key to the first waiter that may have it.
func (g *Gate) leave(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held--
	if g.keys[key]--; g.keys[key] == 0 {
		delete(g.keys, key)
	}
	i := slices.IndexFunc(g.waiting, func(w *waiter) bool { return g.full(w.key) == nil })
	if i >= 0 {
		w := g.waiting[i]
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.admit(w)
	}
}
