package messages

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/example"
	"hark/api/intake"
	"hark/api/problem"
	"hark/api/rest"
	"hark/storage"
)

type uploadInput struct {
	ID             string `path:"id" doc:"Id of the conversation"`
	Title          string `query:"title" doc:"Up to 200 characters" example:"The bridge at noon"`
	ReplyTo        string `query:"reply_to" doc:"Id of the message in this conversation that this one answers"`
	ReplyAtMS      string `query:"reply_at_ms" doc:"The place in that message, in milliseconds" example:"4200"`
	RecordedAt     string `query:"recorded_at" doc:"When it was spoken (RFC 3339); now, if left out or still to come" example:"2026-03-01T09:30:40Z"`
	Filename       string `query:"filename" doc:"What the sender calls the file; the name in a form or a Content-Disposition header does as well" example:"bridge.mp3"`
	Priority       string `query:"priority" doc:"interactive, or bulk for what nobody waits for, such as imports; long recordings are bulk in any case" example:"bulk"`
	Draft          string `query:"draft" doc:"true, if only you are to see the message until you send it (POST /v1/messages/{id}/send)" example:"true"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"A name for this request, up to 255 characters: sent again with the same key, the same recording makes no second message" example:"5f0c6a1e-recorder-17"`
}

type uploadOutput struct {
	Location string `header:"Location" doc:"Address of the message"`
	Replayed string `header:"Idempotent-Replayed" doc:"true when this key was used before and the earlier message is returned"`
	Body     Message
}

const uploadDescription = `The body is the recording itself, in any form that Hark knows by its bytes (MP3, WAV, Ogg, Opus, FLAC, M4A, MP4, WebM,
AMR, 3GP, CAF, AIFF, WMA and more; the Content-Type does not matter), or a multipart form with the recording in the field ` + "`audio`" + `.
Whatever can be a query parameter can be a form field too, before the recording or behind it.

The answer comes when the recording is safely kept. It can be played from then on; follow its state by ` + "`GET /v1/events`" + ` or ` + "`GET /v1/messages/{id}`" + `.`

// documentUpload describes the body. It is set after the call is registered:
// otherwise huma would read the form into memory.
func (e *Endpoints) documentUpload(op *huma.Operation, _ huma.Registry) {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "The recording"}
	op.RequestBody = &huma.RequestBody{
		Required:    true,
		Description: fmt.Sprintf("The recording, up to %d bytes and %s of sound.", e.deps.Intake.Limits().MaxBytes, e.deps.Intake.Limits().MaxDuration),
		Content: map[string]*huma.MediaType{
			"audio/*":                  {Schema: binary},
			"application/octet-stream": {Schema: binary},
			"multipart/form-data": {Schema: &huma.Schema{
				Type:     huma.TypeObject,
				Required: []string{intake.FieldAudio},
				Properties: map[string]*huma.Schema{
					intake.FieldAudio:      {Type: huma.TypeString, Format: "binary", Description: "The recording; `file`, `recording` or the one file under any other name does as well"},
					intake.FieldTitle:      text("As the query parameter"),
					intake.FieldReplyTo:    text("As the query parameter"),
					intake.FieldReplyAtMS:  text("As the query parameter"),
					intake.FieldRecordedAt: text("As the query parameter"),
					intake.FieldFilename:   text("As the query parameter"),
					intake.FieldPriority:   text("As the query parameter"),
					intake.FieldDraft:      text("As the query parameter"),
				},
			}},
		},
	}
}

// Upload takes in a recording that is sent as a body or a form.
func (e *Endpoints) Upload() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "create-message", Scope: storage.ScopeRecord,
		Summary: "Upload a recording", Description: uploadDescription, Status: http.StatusCreated,
		Problems: []problem.Kind{
			problem.EmptyClip, problem.Incomplete, problem.BadRequest, problem.NotFound, problem.TooSlow, problem.KeyReused, problem.KeySpent, problem.TooLarge,
			problem.NotAudio, problem.Damaged, problem.TooLong, problem.Validation, problem.TooManyUploads, problem.RateLimited, problem.Quota, problem.Unavailable, problem.Saturated, problem.NoSpace,
		},
		Example:  View("", example.Message()),
		Document: e.documentUpload,
	}, e.upload)
}

func (e *Endpoints) upload(ctx context.Context, principal storage.Principal, in *uploadInput) (*uploadOutput, error) {
	call := rest.CallFrom(ctx)
	msg, created, err := e.receive(ctx, call.Request(), principal, in, e.deps.Intake.Body(call.Response(), call.Request()))
	if err != nil {
		return nil, err
	}
	out := &uploadOutput{Location: e.deps.PublicURL.Base + "/v1/messages/" + msg.ID, Body: e.view(msg)}
	if !created {
		out.Replayed = "true"
	}
	return out, nil
}

// receive gives the request's body to intake, out of its form if it is in one.
func (e *Endpoints) receive(ctx context.Context, req *http.Request, principal storage.Principal, in *uploadInput, body io.Reader) (storage.Message, bool, error) {
	meta, err := in.meta()
	if err != nil {
		return storage.Message{}, false, err
	}
	contentType := req.Header.Get("Content-Type")
	if !intake.IsForm(contentType) {
		if meta.Filename == "" {
			meta.Filename = dispositionName(req.Header.Get("Content-Disposition"))
		}
		return e.deps.Intake.Accept(ctx, principal, meta, body, req.ContentLength)
	}
	// A form is longer than its recording, by a little at least: if it is too
	// long by more than forms are, so is the recording.
	if most := e.deps.Intake.Limits().MaxBytes + intake.MaxFormOverhead; req.ContentLength > most {
		return e.deps.Intake.Accept(ctx, principal, meta, body, req.ContentLength)
	}
	if _, err := e.deps.Records.Conversation(ctx, principal, in.ID); err != nil {
		return storage.Message{}, false, err
	}
	clip, err := intake.OpenForm(contentType, body, &meta)
	if err != nil {
		return storage.Message{}, false, err
	}
	return e.deps.Intake.Accept(ctx, principal, meta, clip, -1)
}

func (in *uploadInput) meta() (intake.Meta, error) {
	meta := intake.Meta{ConversationID: in.ID, IdempotencyKey: in.IdempotencyKey}
	for _, f := range []struct{ name, value string }{
		{intake.FieldTitle, in.Title},
		{intake.FieldReplyTo, in.ReplyTo},
		{intake.FieldReplyAtMS, in.ReplyAtMS},
		{intake.FieldRecordedAt, in.RecordedAt},
		{intake.FieldFilename, in.Filename},
		{intake.FieldPriority, in.Priority},
		{intake.FieldDraft, in.Draft},
	} {
		if f.value == "" {
			continue
		}
		if err := meta.Set(f.name, f.value); err != nil {
			return intake.Meta{}, err
		}
	}
	return meta, nil
}

// dispositionName is the file name in a Content-Disposition header, if any.
func dispositionName(header string) string {
	_, params, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return params["filename"]
}
