package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"hark/storage"
)

const (
	streamBuffer   = 256 // events that wait for one listener
	reconnectAfter = 2 * time.Second
)

// eventReset is made here, not in storage: it is about a listener's place.
const eventReset storage.EventType = "reset"

// Stream sends one listener the events that they may see.
type Stream struct {
	hub       *Hub
	tail      *tail
	principal storage.Principal
	sealer    sealer
	from      *place // where the listener left off; nil for none
	firstID   string // tells the listener where they are

	events chan *storage.Event // which all streams share
	lagged chan struct{}       // takes one; events were left out
	ended  chan struct{}
	ending sync.Once
	cause  error // of the end; read once it has ended

	person *person // guarded by tail.mu, as are
	joined int64   // the last event before those that are put
	lags   bool    // whether nothing is put until resume

	after int64 // every event up to this one was sent, or was not for this listener
	out   *writer
}

// begin sets the place at which a stream that is let in begins.
func (s *Stream) begin(lastID string) {
	s.after, s.firstID = s.joined, lastID
	switch {
	case s.from == nil:
		s.firstID = s.sealer.sealPlace(place{seq: s.joined, at: storage.Now()})
	case lastID == beginning:
		s.firstID, s.after = s.sealer.sealPlace(place{}), 0
	default:
		s.after = s.from.seq
	}
}

// Close takes the stream from the hub. It is called once, when Run has returned
// or will not be called.
func (s *Stream) Close() {
	s.tail.leave(s)
	s.hub.release(s.tail)
}

// put gives the stream an event, without waiting. tail.mu is held.
func (s *Stream) put(e *storage.Event) {
	if s.lags {
		return
	}
	select {
	case s.events <- e:
	default:
		if e.Seq > 0 { // nobody minds losing what passes
			s.lag()
		}
	}
}

// lag has the stream read from the database what it is not given. tail.mu is held.
func (s *Stream) lag() {
	s.lags = true
	select {
	case s.lagged <- struct{}{}:
	default:
	}
}

// finish ends the stream; only the first cause counts.
func (s *Stream) finish(cause error) {
	s.ending.Do(func() {
		s.cause = cause
		close(s.ended)
	})
}

// errOver is the end of a stream that is nobody's fault: the listener has gone or
// does not keep up, may not listen any more, or the server stops.
var errOver = errors.New("stream is over")

// Run streams until the listener goes, cannot keep up, or may no longer listen;
// that is no error, and returns nil.
func (s *Stream) Run(ctx context.Context, w http.ResponseWriter) error {
	s.out = newWriter(w)
	err := s.run(ctx)
	if ctx.Err() != nil || errors.Is(err, errOver) {
		return nil
	}
	return err
}

func (s *Stream) run(ctx context.Context) error {
	if err := s.out.begin(s.firstID); err != nil {
		return err
	}
	heartbeat := time.NewTicker(s.hub.cfg.Heartbeat)
	defer heartbeat.Stop()
	for err := s.goOn(ctx); ; {
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errOver
		case <-s.hub.ctx.Done():
			return errOver
		case <-s.ended:
			err = s.over()
		case e := <-s.events:
			err = s.tell(*e)
		case <-s.lagged:
			err = s.catchUp(ctx)
		case <-heartbeat.C:
			err = s.out.comment("still here")
		}
	}
}

// over is why the stream has ended; nil if it has not.
func (s *Stream) over() error {
	select {
	case <-s.ended:
		if s.cause != nil {
			return s.cause
		}
		return errOver
	default:
		return nil
	}
}

// goOn begins where the listener left off.
func (s *Stream) goOn(ctx context.Context) error {
	switch {
	case s.from == nil || s.after == s.joined && !s.expired():
		return nil
	case s.expired() || s.after > s.joined:
		// Of a place ahead of all events, the database was put back since.
		return s.reset(s.tail.resume(s))
	}
	return s.catchUp(ctx)
}

// expired says whether events behind the listener's place may have been swept.
// It goes by the place's age, and not by what was swept, so that it does not
// tell whether others did something.
func (s *Stream) expired() bool {
	return s.hub.cfg.Kept > 0 && !s.from.at.IsZero() && storage.Now().Sub(s.from.at) > s.hub.cfg.Kept
}

// tell sends an event that the tail gave.
func (s *Stream) tell(e storage.Event) error {
	if err := s.over(); err != nil {
		return err
	}
	if e.Seq > 0 && e.Seq <= s.after || !s.tail.mayStillHear(s, e) {
		return nil
	}
	return s.send(e)
}

func (s *Stream) send(e storage.Event) error {
	if e.Seq == 0 {
		return s.out.send(e, "")
	}
	if err := s.out.send(e, s.sealer.sealEvent(e)); err != nil {
		return err
	}
	s.after = e.Seq
	return nil
}

// catchUp sends all that the database has behind s.after, and has the tail give
// what comes then.
func (s *Stream) catchUp(ctx context.Context) error {
	upTo := s.tail.resume(s)
	if s.after > upTo {
		last, err := s.hub.deps.Records.EventTail(ctx, s.principal.WorkspaceID, 0, 0)
		if err != nil {
			return fmt.Errorf("read last event: %w", err)
		}
		if s.after > last.Last {
			return s.reset(upTo)
		}
	}
	for {
		events, err := s.hub.deps.Records.EventsAfter(ctx, s.principal, s.after, batch)
		if errors.Is(err, storage.ErrExpired) {
			return s.reset(upTo)
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if err := s.sendAll(ctx, events); err != nil {
			return err
		}
		if len(events) < batch {
			s.after = max(s.after, upTo)
			return nil
		}
	}
}

// sendAll sends what was read from the database, if the credential still holds.
func (s *Stream) sendAll(ctx context.Context, events []storage.Event) error {
	if len(events) == 0 {
		return nil
	}
	if err := s.tail.check(ctx, []*Stream{s}); err != nil {
		return err
	}
	for _, e := range events {
		if err := s.over(); err != nil {
			return err
		}
		if err := s.send(e); err != nil {
			return err
		}
	}
	return nil
}

// reset tells the listener that events between are lost to them: they must read
// what they show afresh, and hear what comes from here on.
func (s *Stream) reset(to int64) error {
	now := storage.Now()
	s.after = to
	return s.out.send(storage.Event{Type: eventReset, At: now}, s.sealer.sealPlace(place{seq: to, at: now}))
}

// writer prints events (HTML Living Standard, section 9.2), each in one write. A
// listener who does not take them loses the connection (package listen).
type writer struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newWriter(w http.ResponseWriter) *writer {
	return &writer{w: w, rc: http.NewResponseController(w)}
}

// begin tells the listener its place, so that one who is cut off before the
// first event resumes from here and not from whenever they are back.
func (w *writer) begin(id string) error {
	return w.write("retry: " + strconv.FormatInt(reconnectAfter.Milliseconds(), 10) + "\nid: " + id + "\n: listening\n\n")
}

func (w *writer) comment(text string) error { return w.write(": " + text + "\n\n") }

// send sends an event; without an id, it passes.
func (w *writer) send(e storage.Event, id string) error {
	data, err := json.Marshal(View(e))
	if err != nil {
		return fmt.Errorf("print event %d: %w", e.Seq, err)
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return w.write(id + "event: " + string(e.Type) + "\ndata: " + string(data) + "\n\n")
}

func (w *writer) write(text string) error {
	if _, err := w.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("%w: %w", errOver, err)
	}
	if err := w.rc.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errOver, err)
	}
	return nil
}
