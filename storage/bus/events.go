package bus

import (
	"fmt"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"

	"hark/storage"
)

// subscription is one listener to the events of a workspace.
type subscription struct {
	bus     *Bus
	sub     *nats.Subscription
	dropped chan struct{}

	mu     sync.Mutex // held while sending, so that Close does not close c meanwhile
	c      chan storage.Event
	closed bool
}

// SubscribeEvents listens to a workspace from now on. Up to buffer events
// wait for the listener; when they are more, the rest is dropped.
func (b *Bus) SubscribeEvents(workspaceID string, buffer int) (storage.EventSubscription, error) {
	if err := checkToken(workspaceID); err != nil {
		return storage.EventSubscription{}, fmt.Errorf("subscribe to events of workspace %q: %w", workspaceID, err)
	}
	c := make(chan storage.Event, max(buffer, 1))
	s := &subscription{c: c, bus: b, dropped: make(chan struct{}, 1)}
	var err error
	s.sub, err = b.conn.Subscribe(b.names.events(workspaceID), func(m *nats.Msg) { s.hear(m, workspaceID) })
	if err == nil && b.conn.IsConnected() {
		// What is published from here on, by any node, is heard. Without a
		// connection, listening begins when it is back, with Dropped.
		err = b.conn.FlushTimeout(callTime)
	}
	if err != nil {
		if s.sub != nil {
			_ = s.sub.Unsubscribe()
		}
		return storage.EventSubscription{}, fmt.Errorf("subscribe to events of workspace %s: %w", workspaceID, err)
	}
	b.mu.Lock()
	b.subs[s] = struct{}{}
	b.mu.Unlock()
	return storage.EventSubscription{C: c, Dropped: s.dropped, Close: s.close}, nil
}

func (s *subscription) hear(m *nats.Msg, workspaceID string) {
	event, err := decodeEvent(m.Data, workspaceID)
	if err != nil {
		s.bus.logger.Warn("dropped a foreign event", "workspace", workspaceID, "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	select {
	case s.c <- event:
	default:
		s.drop()
	}
}

func (s *subscription) drop() {
	select {
	case s.dropped <- struct{}{}:
	default:
	}
}

// close ends the subscription and closes its channel. Closing again does nothing.
func (s *subscription) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	close(s.c)
	_ = s.sub.Unsubscribe() // fails only where the connection is gone, and the subscription with it
	s.bus.mu.Lock()
	delete(s.bus.subs, s)
	s.bus.mu.Unlock()
}

// dropForAll tells every listener that events may have been lost.
func (b *Bus) dropForAll() {
	for _, s := range b.subscriptions() {
		s.drop()
	}
}

func (b *Bus) subscriptions() []*subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	subs := make([]*subscription, 0, len(b.subs))
	for s := range b.subs {
		subs = append(subs, s)
	}
	return slices.Clip(subs)
}
