package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/intake"
	"hark/storage"
)

type uploadInput struct {
	ID             string `path:"id" doc:"Id of the conversation"`
	Title          string `query:"title" doc:"Up to 200 characters" example:"The bridge at noon"`
	ReplyTo        string `query:"reply_to" doc:"Id of the message in this conversation that this one answers"`
	ReplyAtMS      string `query:"reply_at_ms" doc:"The place in that message, in milliseconds" example:"4200"`
	RecordedAt     string `query:"recorded_at" doc:"When it was spoken (RFC 3339); now, if left out" example:"2026-03-01T09:30:40Z"`
	Filename       string `query:"filename" doc:"What the sender calls the file; the name in a form or a Content-Disposition header does as well" example:"bridge.mp3"`
	Priority       string `query:"priority" doc:"interactive, or bulk for what nobody waits for, such as imports; long recordings are bulk in any case" example:"bulk"`
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

func (s *Server) routeUpload() {
	op := handle(s, operation{
		id: "create-message", method: http.MethodPost, path: "/v1/conversations/{id}/messages", tag: tagMessages,
		summary: "Send a recording", description: uploadDescription, status: http.StatusCreated,
		problems: []kind{
			kindEmptyClip, kindIncomplete, kindBadRequest, kindNotFound, kindTooSlow, kindKeyReused, kindKeySpent, kindTooLarge,
			kindNotAudio, kindDamaged, kindTooLong, kindValidation, kindTooManyUploads, kindUnavailable, kindSaturated, kindNoSpace,
		},
		example: exampleMessage(),
	}, s.createMessage)
	op.RequestBody = s.uploadBody()
}

// uploadBody describes the body. It is set after the call is registered:
// otherwise huma would read the form into memory.
func (s *Server) uploadBody() *huma.RequestBody {
	text := func(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "The recording"}
	return &huma.RequestBody{
		Required:    true,
		Description: fmt.Sprintf("The recording, up to %d bytes and %s of sound.", s.intake.Limits().MaxBytes, s.intake.Limits().MaxDuration),
		Content: map[string]*huma.MediaType{
			"audio/*":                  {Schema: binary},
			"application/octet-stream": {Schema: binary},
			"multipart/form-data": {Schema: &huma.Schema{
				Type:     huma.TypeObject,
				Required: []string{intake.FieldAudio},
				Properties: map[string]*huma.Schema{
					intake.FieldAudio:      binary,
					intake.FieldTitle:      text("As the query parameter"),
					intake.FieldReplyTo:    text("As the query parameter"),
					intake.FieldReplyAtMS:  text("As the query parameter"),
					intake.FieldRecordedAt: text("As the query parameter"),
					intake.FieldFilename:   text("As the query parameter"),
					intake.FieldPriority:   text("As the query parameter"),
				},
			}},
		},
	}
}

func (s *Server) createMessage(ctx context.Context, actor storage.Actor, in *uploadInput) (*uploadOutput, error) {
	call := callFrom(ctx)
	msg, created, err := s.receive(ctx, call.echo.Request(), actor, in, s.newUploadBody(call))
	if err != nil {
		return nil, err
	}
	out := &uploadOutput{Location: s.base + "/v1/messages/" + msg.ID, Body: s.messageView(msg)}
	if !created {
		out.Replayed = "true"
	}
	return out, nil
}

// receive gives the request's body to intake, out of its form if it is in one.
func (s *Server) receive(ctx context.Context, req *http.Request, actor storage.Actor, in *uploadInput, body io.Reader) (storage.Message, bool, error) {
	meta, err := in.meta()
	if err != nil {
		return storage.Message{}, false, err
	}
	contentType := req.Header.Get("Content-Type")
	if !intake.IsForm(contentType) {
		if meta.Filename == "" {
			meta.Filename = dispositionName(req.Header.Get("Content-Disposition"))
		}
		return s.intake.Accept(ctx, actor, meta, body, req.ContentLength)
	}
	// A form is longer than its recording, by a little at least: if it is too
	// long by more than forms are, so is the recording.
	if most := s.intake.Limits().MaxBytes + intake.MaxFormOverhead; req.ContentLength > most {
		return s.intake.Accept(ctx, actor, meta, body, req.ContentLength)
	}
	if _, err := s.DB.Conversation(ctx, actor, in.ID); err != nil {
		return storage.Message{}, false, err
	}
	clip, err := intake.OpenForm(contentType, body, &meta)
	if err != nil {
		return storage.Message{}, false, err
	}
	return s.intake.Accept(ctx, actor, meta, clip, -1)
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

// uploadBody reads a request's body with a deadline that moves on with the
// bytes, so that a sender may be slow but not silent.
type uploadBody struct {
	body  io.Reader
	rc    *http.ResponseController
	stall time.Duration
	count func(n int)
}

func (s *Server) newUploadBody(call *call) *uploadBody {
	return &uploadBody{
		body:  call.echo.Request().Body,
		rc:    http.NewResponseController(call.response()),
		stall: s.cfg.StallTimeout,
		count: func(n int) { s.metrics.received.Add(float64(n)) },
	}
}

func (b *uploadBody) Read(p []byte) (int, error) {
	_ = b.rc.SetReadDeadline(time.Now().Add(b.stall)) // a writer that has no deadlines is a test's
	n, err := b.body.Read(p)
	b.count(n)
	if errors.Is(err, io.EOF) {
		_ = b.rc.SetReadDeadline(time.Time{}) // or it would cancel the work that follows
	}
	return n, err
}
