package events

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"hark/api/example"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// Endpoints answer the call that listens to events.
type Endpoints struct {
	hub     *Hub
	limits  *rest.Limits
	streams prometheus.Gauge
}

// NewEndpoints makes [Endpoints] and registers their metrics.
func NewEndpoints(hub *Hub, limits *rest.Limits, registry *prometheus.Registry) (*Endpoints, error) {
	e := &Endpoints{hub: hub, limits: limits, streams: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hark_http_event_streams",
		Help: "Event streams that are open.",
	})}
	if err := registry.Register(e.streams); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return e, nil
}

type streamInput struct {
	LastEventID string `header:"Last-Event-ID" doc:"Go on behind this event; browsers send it by themselves" example:"3q2-7wHk0mXc8Zt1bW7yRs2LpQd9UaEg5JiKoTnVx6M0aBcDeFgHiJkLmNo"`
	After       string `query:"after" doc:"The same, for the first connection" example:"3q2-7wHk0mXc8Zt1bW7yRs2LpQd9UaEg5JiKoTnVx6M0aBcDeFgHiJkLmNo"`
}

const streamDescription = `Server-sent events (text/event-stream) from the conversations you are in, and of people and the workspace, as they happen.

An event with an id is kept: connect again with ` + "`Last-Event-ID`" + ` (or ` + "`after`" + `; ` + "`after=0`" + ` is the very beginning) and you get
every one since, each once. What happens to your drafts comes as ` + "`draft.…`" + ` events, to you alone; to everybody else a draft is created when it is sent. ` + "`invitation.…`" + ` events come to owners and admins, and who made the invitation. Without either, the stream begins now. Ids mean nothing but a place in your stream: other people's are refused, and two ids tell nothing of what happened between. Progress,
the captions of what is being spoken, and that somebody records pass and have no id. After ` + "`reset`" + `, which comes when you were away for too long, read what you show afresh. Comments come every 15 seconds as signs of life. The stream ends when
its token is revoked, when your role or the workspace's rules change, when the server stops, and when you do not keep up; then connect again.`

func documentStream(op *huma.Operation, schemas huma.Registry) {
	op.Responses["200"] = &huma.Response{
		Description: "The stream; the data of each event is a JSON object",
		Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema:  schemas.Schema(reflect.TypeFor[Event](), true, "Event"),
			Example: rest.AsJSON(eventExample()),
		}},
	}
}

// Stream streams what happens, as it happens.
func (e *Endpoints) Stream() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "stream-events", Scope: storage.ScopeRead, Summary: "Stream events",
		Description: streamDescription, Problems: []problem.Kind{problem.Validation, problem.TooManyStreams, problem.Unavailable},
		Endless: true, Document: documentStream,
	}, e.stream)
}

func (e *Endpoints) stream(ctx context.Context, principal storage.Principal, in *streamInput) (*rest.Stream, error) {
	call := rest.CallFrom(ctx)
	if call.Request().Method == http.MethodHead {
		return &rest.Stream{Body: func(ctx huma.Context) {
			setStreamHeaders(call.Response().Header())
			ctx.SetStatus(http.StatusOK)
		}}, nil
	}
	release, err := e.limits.HoldStream(principal)
	if err != nil {
		return nil, err
	}
	field, lastID := "header.Last-Event-ID", in.LastEventID
	if lastID == "" {
		field, lastID = "query.after", in.After
	}
	stream, err := e.hub.Open(ctx, principal, lastID)
	if err != nil {
		release()
	}
	if errors.Is(err, ErrBadID) {
		return nil, problem.Invalid(field, "must be the id of an event", err)
	}
	if err != nil {
		return nil, err
	}
	return &rest.Stream{Body: func(ctx huma.Context) {
		defer release()
		defer stream.Close()
		e.streams.Inc()
		defer e.streams.Dec()
		setStreamHeaders(call.Response().Header())
		ctx.SetStatus(http.StatusOK)
		call.Err = stream.Run(ctx.Context(), call.Response())
	}}, nil
}

func setStreamHeaders(header http.Header) {
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "private, no-store")
	header.Set("X-Accel-Buffering", "no") // proxies in front that would hold events back
}

// Problem says what an error of a [Hub] is to a caller.
func Problem(err error) *problem.Problem {
	return problem.Sentinels{{Err: ErrUnavailable, Kind: problem.Unavailable, RetryAfter: "10"}}.Find(err)
}

func eventExample() Event {
	return View(storage.Event{
		Seq: 42, Type: storage.MessageUpdated, ConversationID: example.ConversationID, MessageID: example.MessageID, At: example.Time(75),
	})
}
