package openai

import (
	"context"
	"slices"
	"sync"

	"hark/transcribe"
)

// gate lets a number of requests through at once; among those that wait,
// interactive ones go first, and otherwise who came first.
type gate struct {
	mu      sync.Mutex
	free    int
	waiting [2][]chan struct{} // by urgency; closed when let through
}

func newGate(n int) *gate { return &gate{free: n} }

// enter waits for a place, which leave gives back, or for ctx to end.
func (g *gate) enter(ctx context.Context, p transcribe.Priority) error {
	queue := 0
	if p != transcribe.Interactive {
		queue = 1
	}
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting[queue] = append(g.waiting[queue], turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		g.withdraw(queue, turn)
		return context.Cause(ctx)
	}
}

// withdraw takes a turn off the queue, or passes it on when it came meanwhile.
func (g *gate) withdraw(queue int, turn chan struct{}) {
	g.mu.Lock()
	i := slices.Index(g.waiting[queue], turn)
	if i >= 0 {
		g.waiting[queue] = slices.Delete(g.waiting[queue], i, i+1)
	}
	g.mu.Unlock()
	if i < 0 {
		g.leave()
	}
}

// leave gives a place to who waits, or back.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.waiting {
		if queue := g.waiting[i]; len(queue) > 0 {
			g.waiting[i] = queue[1:]
			close(queue[0])
			return
		}
	}
	g.free++
}
