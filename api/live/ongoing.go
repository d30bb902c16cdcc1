package live

import (
	"context"
	"time"

	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

// OngoingRecording is somebody who is recording.
type OngoingRecording struct {
	User      people.Author `json:"user"`
	StartedAt time.Time     `json:"started_at" example:"2026-03-01T09:30:40Z"`
	PausedAt  *time.Time    `json:"paused_at,omitempty" doc:"Since when they pause; left out while they speak" example:"2026-03-01T09:31:02Z"`
}

type ongoingInput struct {
	ID string `path:"id" doc:"Id of the conversation"`
}

type ongoingOutput struct {
	Body struct {
		Items []OngoingRecording `json:"items" nullable:"false" doc:"The first to begin first"`
	} `nameHint:"OngoingRecordingList"`
}

// ListOngoing lists who is recording into a conversation now.
func (e *Endpoints) ListOngoing() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "list-recordings", Scope: storage.ScopeRead, Cacheable: true,
		Summary: "Who is recording now",
		Description: "Every live recording into the conversation, whether or not its message can be seen already; nothing is told of that. " +
			"A `conversation.recordings` event comes when one begins, pauses, goes on or ends.",
		Problems: []problem.Kind{problem.NotFound},
	}, e.listOngoing)
}

func (e *Endpoints) listOngoing(ctx context.Context, principal storage.Principal, in *ongoingInput,
) (*ongoingOutput, error) {
	list, err := e.deps.Records.OngoingRecordings(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	out := &ongoingOutput{}
	out.Body.Items = rest.Views(list, func(r storage.OngoingRecording) OngoingRecording {
		return OngoingRecording{User: people.NewAuthor(r.UserID, r.UserName, r.UserNo, r.UserKind), StartedAt: r.StartedAt, PausedAt: rest.TimeOrNil(r.PausedAt)}
	})
	return out, nil
}
