package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/storage"
	"hark/transcribe"
)

// Transcript is what was said in a message.
type Transcript struct {
	MessageID string               `json:"message_id" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Version   int                  `json:"version" doc:"Counts up with each better transcript" example:"1"`
	CreatedAt time.Time            `json:"created_at" example:"2026-03-01T09:31:15Z"`
	Language  string               `json:"language,omitempty" doc:"BCP 47 tag; left out where the engine does not say" example:"en"`
	Engine    string               `json:"engine" example:"sherpa"`
	Model     string               `json:"model" example:"moonshine-base-en"`
	Text      string               `json:"text" doc:"All that was said, in one line" example:"Ask not what your country can do for you."`
	Segments  []transcribe.Segment `json:"segments" nullable:"false" doc:"Utterances with their times; none when nobody speaks"`
}

// transcriptForm is a form in which a transcript can be had.
type transcriptForm struct {
	suffix, mediaType string
	write             func(io.Writer, storage.VersionedTranscript) error
}

// transcriptForms are the forms, the preferred first.
func transcriptForms() []transcriptForm {
	return []transcriptForm{
		{".json", "application/json", func(w io.Writer, t storage.VersionedTranscript) error {
			return marshalJSON(w, transcriptView(t))
		}},
		{".vtt", "text/vtt", func(w io.Writer, t storage.VersionedTranscript) error {
			return transcribe.WriteVTT(w, &t.Transcript, transcribe.CaptionOptions{})
		}},
		{".srt", "application/x-subrip", func(w io.Writer, t storage.VersionedTranscript) error {
			return transcribe.WriteSRT(w, &t.Transcript, transcribe.CaptionOptions{})
		}},
		{".txt", "text/plain", func(w io.Writer, t storage.VersionedTranscript) error {
			return transcribe.WriteText(w, &t.Transcript)
		}},
	}
}

type transcriptInput struct {
	ID     string `path:"id" doc:"Id of the message"`
	Accept string `header:"Accept" doc:"application/json, text/vtt, application/x-subrip or text/plain" example:"text/vtt"`
}

func (s *Server) routeTranscript() {
	const path = "/v1/messages/{id}/transcript"
	problems := []kind{kindNotFound, kindNoTranscript}
	op := handle(s, operation{
		id: "get-transcript", method: http.MethodGet, cacheable: true, path: path, tag: tagSound, summary: "What was said, with times",
		description: "In the form that Accept asks for; JSON, if it does not say. The same forms are under the suffixes.",
		problems:    append(problems, kindNotAcceptable),
	}, s.getTranscript)
	s.describeTranscript(op, transcriptForms())
	for _, form := range transcriptForms() {
		op := handle(s, operation{
			id: "get-transcript-" + form.suffix[1:], method: http.MethodGet, cacheable: true, path: path + form.suffix, tag: tagSound,
			summary: "What was said, as " + form.suffix, problems: problems,
		}, func(ctx context.Context, actor storage.Actor, in *messageInput) (*streamOutput, error) {
			return s.sendTranscript(ctx, actor, in.ID, form)
		})
		s.describeTranscript(op, []transcriptForm{form})
	}
	s.routeWaveform()
}

// describeTranscript adds the forms, each with an example that its own printer
// made.
func (s *Server) describeTranscript(op *huma.Operation, forms []transcriptForm) {
	content := map[string]*huma.MediaType{}
	for _, form := range forms {
		var printed bytes.Buffer
		if err := form.write(&printed, exampleTranscript()); err != nil {
			panic("an example cannot be printed: " + err.Error())
		}
		described := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}, Example: printed.String()}
		if form.mediaType == "application/json" {
			described.Schema = s.huma.OpenAPI().Components.Schemas.Schema(transcriptType, true, "Transcript")
			described.Example = asJSON(transcriptView(exampleTranscript()))
		}
		content[form.mediaType] = described
	}
	op.Responses["200"] = &huma.Response{Description: "The transcript", Content: content}
}

func (s *Server) getTranscript(ctx context.Context, actor storage.Actor, in *transcriptInput) (*streamOutput, error) {
	forms := transcriptForms()
	offered := make([]string, len(forms))
	for i, form := range forms {
		offered[i] = form.mediaType
	}
	if chosen := chooseForm(in.Accept, offered); chosen >= 0 {
		return s.sendTranscript(ctx, actor, in.ID, forms[chosen])
	}
	return nil, kindNotAcceptable.saying("A transcript can be had as application/json, text/vtt, application/x-subrip or text/plain.", nil)
}

func (s *Server) sendTranscript(ctx context.Context, actor storage.Actor, id string, form transcriptForm) (*streamOutput, error) {
	found, err := s.transcript(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	var printed bytes.Buffer
	if err := form.write(&printed, found); err != nil {
		return nil, fmt.Errorf("print transcript: %w", err)
	}
	disposition, err := s.transcriptDisposition(ctx, actor, id, form)
	if err != nil {
		return nil, err
	}
	return &streamOutput{Body: func(ctx huma.Context) {
		ctx.AppendHeader("Vary", "Accept")
		ctx.SetHeader("Content-Type", withCharset(form.mediaType))
		if disposition != "" {
			ctx.SetHeader("Content-Disposition", disposition)
		}
		ctx.SetStatus(http.StatusOK)
		_, _ = ctx.BodyWriter().Write(printed.Bytes()) // a caller who has gone needs no telling
	}}, nil
}

// transcriptDisposition names the forms that people save; JSON is for programs.
func (s *Server) transcriptDisposition(ctx context.Context, actor storage.Actor, id string, form transcriptForm) (string, error) {
	if form.suffix == ".json" {
		return "", nil
	}
	msg, err := s.DB.Message(ctx, actor, id)
	if err != nil {
		return "", err
	}
	return contentDisposition("inline", downloadName(msg, form.suffix)), nil
}

func withCharset(mediaType string) string {
	if mediaType == "application/json" {
		return mediaType
	}
	return mediaType + "; charset=utf-8"
}

// transcript returns a message's transcript, or says why it has none yet.
func (s *Server) transcript(ctx context.Context, actor storage.Actor, id string) (storage.VersionedTranscript, error) {
	found, err := s.DB.Transcript(ctx, actor, id)
	if !errors.Is(err, storage.ErrNotFound) {
		return found, err
	}
	msg, msgErr := s.DB.Message(ctx, actor, id)
	if msgErr != nil {
		return found, msgErr
	}
	return found, notReady(kindNoTranscript, msg, err)
}

// notReady says that something is not made yet, and whether it ever will be.
func notReady(k kind, msg storage.Message, cause error) *Problem {
	detail := k.detail + " It is " + string(msg.State) + "; look again when it is ready."
	if msg.State == storage.Failed {
		detail = "It could not be made: " + msg.FailureReason
	}
	p := k.saying(detail, cause)
	p.State = string(msg.State)
	return p
}

func transcriptView(t storage.VersionedTranscript) Transcript {
	segments := t.Segments
	if segments == nil {
		segments = []transcribe.Segment{}
	}
	return Transcript{
		MessageID: t.MessageID, Version: t.Version, CreatedAt: t.CreatedAt,
		Language: t.Language, Engine: t.Engine, Model: t.Model,
		Text: t.Text(), Segments: segments,
	}
}
