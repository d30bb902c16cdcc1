package events

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"hark/storage"
)

const (
	busBuffer = 1024 // events of a workspace that wait for its tail
	batch     = 200  // events that are read at once
)

// tail follows the events of one workspace for all who listen to it here. Its
// goroutine alone reads the database for them, lets listeners in, and decides
// who hears what; so each of these sees what the ones before it did.
type tail struct {
	hub         *Hub
	workspaceID string
	users       int // guarded by hub.mu

	ctx  context.Context
	stop context.CancelFunc
	done chan struct{} // closed when the goroutine has ended
	wake chan struct{} // somebody waits to be let in

	mu      sync.RWMutex
	waiting []*entrance
	streams map[*Stream]struct{}
	people  map[string]*person // by user: those who listen
	after   int64              // every event up to this one was put to its listeners
	ended   bool
	cause   error // of the end; nil where that is in the nature of a stream
}

// person is a user who listens, on some streams.
type person struct {
	in      map[string]storage.Membership // by conversation
	streams int
}

// entrance is a stream that waits to be let in.
type entrance struct {
	stream *Stream
	done   chan error // takes one
}

func newTail(h *Hub, workspaceID string) *tail {
	t := &tail{
		hub: h, workspaceID: workspaceID, done: make(chan struct{}), wake: make(chan struct{}, 1),
		streams: map[*Stream]struct{}{}, people: map[string]*person{},
	}
	t.ctx, t.stop = context.WithCancel(h.ctx)
	return t
}

// run follows the events until the last listener has left, the hub ends, or
// something fails: then all streams end, and whose listeners come back start
// another tail.
func (t *tail) run() {
	defer close(t.done)
	err := t.follow()
	if t.ctx.Err() != nil || errors.Is(err, errBusClosed) {
		err = nil
	}
	t.hub.mu.Lock()
	t.hub.forget(t)
	t.hub.mu.Unlock()
	t.fail(err)
}

// errBusClosed is the end of a subscription: the server stops.
var errBusClosed = errors.New("bus is closed")

func (t *tail) follow() error {
	sub, err := t.hub.deps.Bus.SubscribeEvents(t.workspaceID, busBuffer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer sub.Close()
	now, err := t.hub.deps.Records.EventTail(t.ctx, t.workspaceID, 0, 0)
	if err != nil {
		return fmt.Errorf("read last event: %w", err)
	}
	t.moveTo(now.Last)
	heartbeat := time.NewTicker(t.hub.cfg.Heartbeat)
	defer heartbeat.Stop()
	for err == nil {
		select {
		case <-t.ctx.Done():
			return nil
		case <-t.wake:
			err = t.letIn(t.ctx)
		case e, ok := <-sub.C:
			if !ok {
				return errBusClosed
			}
			err = t.hear(t.ctx, e)
		case <-sub.Dropped:
			err = t.catchUp(t.ctx)
		case <-heartbeat.C:
			err = t.beat(t.ctx)
		}
	}
	return err
}

// join waits until a stream hears all that happens from here on, and knows its
// place.
func (t *tail) join(ctx context.Context, s *Stream) error {
	e := &entrance{stream: s, done: make(chan error, 1)}
	t.mu.Lock()
	if t.ended {
		t.mu.Unlock()
		return t.refusal()
	}
	t.waiting = append(t.waiting, e)
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refusal is why a tail that has ended takes nobody.
func (t *tail) refusal() error {
	if t.cause != nil {
		return t.cause
	}
	return ErrUnavailable
}

// leave takes a stream out, wherever it is.
func (t *tail) leave(s *Stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(e *entrance) bool { return e.stream == s })
	if _, in := t.streams[s]; !in {
		return
	}
	delete(t.streams, s)
	if s.person.streams--; s.person.streams == 0 {
		delete(t.people, s.principal.UserID)
	}
}

// letIn lets those in who wait, all that was committed until now behind them.
func (t *tail) letIn(ctx context.Context) error {
	if err := t.catchUp(ctx); err != nil {
		return err
	}
	t.mu.RLock()
	var strangers []string
	for _, e := range t.waiting {
		if id := e.stream.principal.UserID; t.people[id] == nil && !slices.Contains(strangers, id) {
			strangers = append(strangers, id)
		}
	}
	t.mu.RUnlock()
	in, err := t.conversationsOf(ctx, strangers)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(e *entrance) bool { return t.admit(e, in) })
	if len(t.waiting) > 0 { // they came, or became strangers, meanwhile
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// admit lets one in whose conversations are known. t.mu is held.
func (t *tail) admit(e *entrance, in map[string]map[string]storage.Membership) bool {
	s := e.stream
	p := t.people[s.principal.UserID]
	if p == nil {
		conversations, read := in[s.principal.UserID]
		if !read {
			return false
		}
		p = &person{in: conversations}
		t.people[s.principal.UserID] = p
	}
	p.streams++
	s.person, s.joined = p, t.after
	t.streams[s] = struct{}{}
	e.done <- nil
	return true
}

// conversationsOf reads which conversations users are in, and how.
func (t *tail) conversationsOf(ctx context.Context, userIDs []string) (map[string]map[string]storage.Membership, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	lists, err := t.hub.deps.Records.ConversationsOf(ctx, t.workspaceID, userIDs)
	if err != nil {
		return nil, fmt.Errorf("read who is where: %w", err)
	}
	in := make(map[string]map[string]storage.Membership, len(userIDs))
	for _, id := range userIDs {
		in[id] = map[string]storage.Membership{}
		maps.Copy(in[id], lists[id])
	}
	return in, nil
}

// hear handles what the bus brings: a reason to look, or something passing.
func (t *tail) hear(ctx context.Context, e storage.Event) error {
	switch {
	case e.Type == storage.CredentialRevoked:
		return t.checkAll(ctx)
	case e.Seq > 0 && e.Seq <= t.after:
		return nil
	}
	if e.Seq > 0 {
		return t.catchUp(ctx)
	}
	return t.catchUp(ctx, e)
}

// beat looks for what the bus lost, and for credentials that hold no more.
func (t *tail) beat(ctx context.Context) error {
	if err := t.checkAll(ctx); err != nil {
		return err
	}
	return t.catchUp(ctx)
}

// catchUp puts all that the database has behind t.after to its listeners. What
// passes meanwhile goes before it, as it came before, but to those who may hear
// it by what the database has now.
func (t *tail) catchUp(ctx context.Context, passing ...storage.Event) error {
	for {
		next, err := t.hub.deps.Records.EventTail(ctx, t.workspaceID, t.after, batch)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		after := t.after
		switch n := len(next.Events); {
		case n > 0:
			after = next.Events[n-1].Seq
			t.remember(next.Members)
		case next.Last != t.after:
			after = next.Last
			if err := t.startAfresh(ctx, next.Last); err != nil {
				return err
			}
		}
		if err := t.put(ctx, append(passing, next.Events...), after); err != nil {
			return err
		}
		if len(next.Events) < batch {
			return nil
		}
		passing = nil
	}
}

// startAfresh goes to the last event, not knowing what was before it: that was
// swept, or the database put back to an older state. Each listener finds out
// what that means for them.
func (t *tail) startAfresh(ctx context.Context, last int64) error {
	t.mu.RLock()
	ids := make([]string, 0, len(t.people))
	for id := range t.people {
		ids = append(ids, id)
	}
	t.mu.RUnlock()
	in, err := t.conversationsOf(ctx, ids)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, conversations := range in {
		if p := t.people[id]; p != nil {
			p.in = conversations
		}
	}
	t.after = last
	for s := range t.streams {
		s.lag()
	}
	return nil
}

// moveTo sets the place of a tail that nobody listens to yet.
func (t *tail) moveTo(seq int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after = seq
}

// remember takes over who is in conversations now.
func (t *tail) remember(members map[string]map[string]storage.Membership) {
	if len(members) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for conversation, ids := range members {
		for _, p := range t.people {
			delete(p.in, conversation)
		}
		for id, how := range ids {
			if p := t.people[id]; p != nil {
				p.in[conversation] = how
			}
		}
	}
}

// put puts events to those who may hear them, and moves on to a place.
func (t *tail) put(ctx context.Context, events []storage.Event, after int64) error {
	if len(events) == 0 {
		return nil
	}
	to := t.hearers(events)
	if err := t.check(ctx, to); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range events {
		for _, s := range to {
			if t.mayHear(s, events[i]) {
				s.put(&events[i])
			}
		}
	}
	t.after = after
	return nil
}

// hearers are the streams that may hear some of the events.
func (t *tail) hearers(events []storage.Event) (to []*Stream) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for s := range t.streams {
		if slices.ContainsFunc(events, func(e storage.Event) bool { return t.mayHear(s, e) }) {
			to = append(to, s)
		}
	}
	return to
}

// mayHear decides by memory. t.mu is held.
func (t *tail) mayHear(s *Stream, e storage.Event) bool {
	return storage.MayHear(s.principal, e, s.person.in[e.ConversationID])
}

// mayStillHear decides on an event that has waited.
func (t *tail) mayStillHear(s *Stream, e storage.Event) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.mayHear(s, e)
}

// resume has a stream that reads the database hear what happens from here on,
// and tells the place from which it does.
func (t *tail) resume(s *Stream) (after int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.lags = false
	return t.after
}

// checkAll ends all streams whose credentials hold no more, or not as they did.
func (t *tail) checkAll(ctx context.Context) error {
	t.mu.RLock()
	all := make([]*Stream, 0, len(t.streams))
	for s := range t.streams {
		all = append(all, s)
	}
	t.mu.RUnlock()
	return t.check(ctx, all)
}

// check ends those of the streams whose credentials hold no more, and those whose
// users have another role now or live by other rules: nothing is told after that.
func (t *tail) check(ctx context.Context, streams []*Stream) error {
	if len(streams) == 0 {
		return nil
	}
	ids := make([]string, len(streams))
	for i, s := range streams {
		ids[i] = s.principal.CredentialID
	}
	slices.Sort(ids)
	live, err := t.hub.deps.Records.LiveCredentials(ctx, slices.Compact(ids))
	if err != nil {
		return fmt.Errorf("check credentials: %w", err)
	}
	for _, s := range streams {
		if now, holds := live[s.principal.CredentialID]; !holds || !now.Is(s.principal) {
			s.finish(nil)
		}
	}
	return nil
}

// fail ends all streams, and refuses those who wait.
func (t *tail) fail(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended, t.cause = true, cause
	for s := range t.streams {
		s.finish(cause)
	}
	for _, e := range t.waiting {
		e.done <- t.refusal()
	}
	t.waiting = nil
}
