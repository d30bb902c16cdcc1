package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"hark/storage"
)

const (
	subscriptionBuffer = 256
	eventBatch         = 200
	reconnectAfter     = 2 * time.Second
)

// eventStream sends one listener the events that they may see.
//
// The bus only wakes it: what is sent is read from the database, which knows
// who may see what and in which order things were committed. So it does not
// matter whether the bus delivers twice, out of order, or not at all; what it
// loses is found at the next heartbeat. Events that pass are the exception:
// they live on the bus alone, and nobody minds losing one.
type eventStream struct {
	server  *Server
	call    *call
	actor   storage.Actor
	live    <-chan storage.Event
	dropped <-chan struct{} // the bus knows that it lost something
	out     *eventWriter
	after   int64 // every event up to this one was sent, or was not for this listener
}

// run streams until the listener goes, cannot keep up, or may no longer
// listen; that is no error, and returns nil.
func (e *eventStream) run(ctx context.Context) error {
	if err := e.out.begin(e.after); err != nil {
		return nil //nolint:nilerr // the listener has gone
	}
	heartbeat := time.NewTicker(e.server.cfg.Heartbeat)
	defer heartbeat.Stop()
	for err := e.resume(ctx); ; {
		if err != nil {
			return endOfStream(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.server.streams.Done():
			return nil
		case event, ok := <-e.live:
			if !ok {
				return nil // the bus is closing: the server stops
			}
			err = e.hear(ctx, event)
		case <-e.dropped:
			err = e.catchUp(ctx)
		case <-heartbeat.C:
			err = e.beat(ctx)
		}
	}
}

// The ends of a stream that are nobody's fault.
var (
	errListenerGone = errors.New("listener has gone or does not keep up")
	errRevoked      = errors.New("credential does not hold any more")
)

// eventReset is made here, not in storage: it is about a listener's place.
const eventReset storage.EventType = "reset"

// endOfStream tells the ends that are in the nature of a stream from errors.
func endOfStream(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, errListenerGone) || errors.Is(err, errRevoked) {
		return nil
	}
	return err
}

// resume begins where the listener left off. A place that is ahead of all
// events is from before the database was put back to an older state.
func (e *eventStream) resume(ctx context.Context) error {
	last, err := e.server.DB.LastSeq(ctx, e.actor)
	if err != nil {
		return fmt.Errorf("read last event: %w", err)
	}
	if e.after > last {
		return e.reset(ctx)
	}
	return e.catchUp(ctx)
}

// reset tells the listener that events between are lost to them: they must
// read what they show afresh, and hear what comes from here on.
func (e *eventStream) reset(ctx context.Context) error {
	last, err := e.server.DB.LastSeq(ctx, e.actor)
	if err != nil {
		return fmt.Errorf("read last event: %w", err)
	}
	if err := e.out.send(storage.Event{Seq: last, Type: eventReset, At: storage.Now()}); err != nil {
		return err
	}
	e.after = last
	return nil
}

// hear handles what the bus brings: a reason to look, or something passing.
func (e *eventStream) hear(ctx context.Context, event storage.Event) error {
	switch {
	case event.Seq == 0:
		return e.pass(ctx, event)
	case event.Seq <= e.after:
		return nil
	}
	if err := e.catchUp(ctx); err != nil {
		return err
	}
	// Events are numbered in the order of commit, so all up to this one were
	// there to be read: those that did not come are not for this listener.
	e.after = max(e.after, event.Seq)
	return nil
}

// pass sends an event that is not kept, if the listener may see it.
func (e *eventStream) pass(ctx context.Context, event storage.Event) error {
	if event.OnlyFor != "" && event.OnlyFor != e.actor.UserID {
		return nil
	}
	allowed, err := e.server.DB.CanHear(ctx, e.actor, event.ConversationID)
	if err != nil || !allowed {
		return err
	}
	if err := e.checkCredential(ctx); err != nil {
		return err
	}
	return e.out.send(event)
}

// catchUp sends all that the database has behind e.after.
func (e *eventStream) catchUp(ctx context.Context) error {
	for {
		batch, err := e.server.DB.EventsAfter(ctx, e.actor, e.after, eventBatch)
		if errors.Is(err, storage.ErrExpired) {
			return e.reset(ctx)
		}
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if len(batch) > 0 {
			if err := e.checkCredential(ctx); err != nil {
				return err
			}
		}
		for _, event := range batch {
			if err := e.out.send(event); err != nil {
				return err
			}
			e.after = event.Seq
		}
		if len(batch) < eventBatch {
			return nil
		}
	}
}

// beat shows that the stream lives, and makes sure that it should.
func (e *eventStream) beat(ctx context.Context) error {
	if err := e.checkCredential(ctx); err != nil {
		return err
	}
	if err := e.out.comment("still here"); err != nil {
		return err
	}
	return e.catchUp(ctx)
}

// checkCredential ends the stream when what it was opened with holds no more:
// nothing is told after that.
func (e *eventStream) checkCredential(ctx context.Context) error {
	err := e.server.stillValid(ctx, e.call)
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrExpired) {
		return errRevoked
	}
	if err != nil {
		return fmt.Errorf("check credential: %w", err)
	}
	return nil
}

// eventWriter prints events (HTML Living Standard, section 9.2), each in one
// write. A listener who does not take them loses the connection (package
// listen).
type eventWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
	id func(seq int64) string
}

func newEventWriter(w http.ResponseWriter, id func(seq int64) string) *eventWriter {
	return &eventWriter{w: w, rc: http.NewResponseController(w), id: id}
}

// begin tells the listener its place, so that one who is cut off before the
// first event resumes from here and not from whenever they are back.
func (e *eventWriter) begin(after int64) error {
	return e.write("retry: " + strconv.FormatInt(reconnectAfter.Milliseconds(), 10) +
		"\nid: " + e.id(after) + "\n: listening\n\n")
}

func (e *eventWriter) comment(text string) error { return e.write(": " + text + "\n\n") }

func (e *eventWriter) send(event storage.Event) error {
	data, err := json.Marshal(eventView(event))
	if err != nil {
		return fmt.Errorf("print event %d: %w", event.Seq, err)
	}
	id := ""
	if event.Seq > 0 || event.Type == eventReset {
		id = "id: " + e.id(event.Seq) + "\n"
	}
	return e.write(id + "event: " + string(event.Type) + "\ndata: " + string(data) + "\n\n")
}

func (e *eventWriter) write(text string) error {
	if _, err := e.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("%w: %w", errListenerGone, err)
	}
	if err := e.rc.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errListenerGone, err)
	}
	return nil
}
