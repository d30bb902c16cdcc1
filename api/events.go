package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/storage"
)

const eventsPath = "/v1/events"

// Event is the data of one server-sent event.
type Event struct {
	Type           storage.EventType `json:"type" enum:"message.created,message.updated,message.progress,message.caption,message.deleted,conversation.created,conversation.updated,conversation.deleted,reset" example:"message.updated"`
	ConversationID string            `json:"conversation_id,omitempty" format:"uuid" example:"0197a3c2-6a00-7b11-8c22-3d44e5f60718"`
	MessageID      string            `json:"message_id,omitempty" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Data           any               `json:"data,omitempty" doc:"A little more, by type, such as the state or the progress"`
	At             time.Time         `json:"at" example:"2026-03-01T09:31:15Z"`
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" doc:"Go on behind this event; browsers send it by themselves" example:"3q2-7wHk0mXc8Zt1bW7yRg"`
	After       string `query:"after" doc:"The same, for the first connection" example:"3q2-7wHk0mXc8Zt1bW7yRg"`
}

const eventsDescription = `Server-sent events (text/event-stream) from the conversations you are in, as they happen.

An event with an id is kept: connect again with ` + "`Last-Event-ID`" + ` (or ` + "`after`" + `; ` + "`after=0`" + ` is the very beginning) and you get
every one since, each once. Without either, the stream begins now. Ids mean nothing but a place in the stream. Progress and
the captions of what is being spoken pass and have no id. After ` + "`reset`" + `, which comes when you were away for too long, read what you show afresh. Comments come every 15 seconds as signs of life. The stream ends when
its token is revoked, when the server stops, and when you do not keep up; then connect again.`

func (s *Server) routeEvents() {
	op := handle(s, operation{
		id: "stream-events", method: http.MethodGet, path: eventsPath, tag: tagEvents, summary: "What happens, as it happens",
		description: eventsDescription, problems: []kind{kindValidation, kindUnavailable},
	}, s.streamEvents)
	op.Responses["200"] = &huma.Response{
		Description: "The stream; the data of each event is a JSON object",
		Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema:  s.huma.OpenAPI().Components.Schemas.Schema(eventType, true, "Event"),
			Example: asJSON(exampleEvent()),
		}},
	}
}

func (s *Server) streamEvents(ctx context.Context, actor storage.Actor, in *eventsInput) (*streamOutput, error) {
	call := callFrom(ctx)
	if call.echo.Request().Method == http.MethodHead {
		return &streamOutput{Body: func(ctx huma.Context) {
			setStreamHeaders(call.response().Header())
			ctx.SetStatus(http.StatusOK)
		}}, nil
	}
	// Listening begins before the place is read, so that nothing falls between.
	sub, err := s.Bus.SubscribeEvents(actor.WorkspaceID, subscriptionBuffer)
	if err != nil {
		return nil, kindUnavailable.because(fmt.Errorf("subscribe to events: %w", err)).with("Retry-After", "10")
	}
	after, err := s.startAfter(ctx, actor, in)
	if err != nil {
		sub.Close()
		return nil, err
	}
	stream := &eventStream{
		server: s, call: call, actor: actor, live: sub.C, dropped: sub.Dropped(), after: after,
		out: newEventWriter(call.response(), func(seq int64) string {
			return s.eventIDs.seal(actor.WorkspaceID, seq)
		}),
	}
	return &streamOutput{Body: func(ctx huma.Context) {
		defer sub.Close()
		s.metrics.streams.Inc()
		defer s.metrics.streams.Dec()
		setStreamHeaders(call.response().Header())
		ctx.SetStatus(http.StatusOK)
		call.err = stream.run(ctx.Context())
	}}, nil
}

// startAfter is the event behind which a stream begins.
func (s *Server) startAfter(ctx context.Context, actor storage.Actor, in *eventsInput) (int64, error) {
	field, value := "header.Last-Event-ID", in.LastEventID
	if value == "" {
		field, value = "query.after", in.After
	}
	if value == "" {
		return s.DB.LastSeq(ctx, actor)
	}
	seq, err := s.eventIDs.open(actor.WorkspaceID, value)
	if err != nil {
		return 0, invalid(field, "must be the id of an event", err)
	}
	return seq, nil
}

func setStreamHeaders(h http.Header) {
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Accel-Buffering", "no") // proxies in front that would hold events back
}

func eventView(e storage.Event) Event {
	view := Event{
		Type: e.Type, ConversationID: e.ConversationID, MessageID: e.MessageID, At: e.At,
	}
	if len(e.Data) > 0 {
		view.Data = e.Data
	}
	return view
}
