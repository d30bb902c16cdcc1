// Package transcripts answers what is said in messages, in the forms that people
// and programs read.
//
// A transcript comes from storage whole, is printed in the form that the suffix of
// the address or the Accept header asks for, and is sent in one piece. Where there
// is none yet, the answer says in which state the message is.
package transcripts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/download"
	"hark/api/example"
	"hark/api/problem"
	"hark/api/rest"
	"hark/media/transcript"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	Transcript(ctx context.Context, principal storage.Principal, messageID string) (storage.VersionedTranscript, error)
	Message(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
	AuditListening(ctx context.Context, principal storage.Principal, m storage.Message, action storage.AuditAction, form string) error
}

// Endpoints answer the calls about transcripts.
type Endpoints struct{ records Records }

// New makes [Endpoints].
func New(records Records) *Endpoints { return &Endpoints{records: records} }

// Transcript is what was said in a message.
type Transcript struct {
	MessageID string               `json:"message_id" format:"uuid" example:"0197a3c2-7f3a-7d05-b1c6-5e7788990a1b"`
	Version   int                  `json:"version" doc:"Counts up with each better transcript" example:"1"`
	CreatedAt time.Time            `json:"created_at" example:"2026-03-01T09:31:15Z"`
	Language  string               `json:"language,omitempty" doc:"BCP 47 tag; left out where the engine does not say" example:"en"`
	Engine    string               `json:"engine" example:"local"`
	Model     string               `json:"model" example:"moonshine-base-en"`
	Text      string               `json:"text" doc:"All that was said, in one line" example:"Ask not what your country can do for you."`
	Segments  []transcript.Segment `json:"segments" nullable:"false" doc:"Utterances with their times; none when nobody speaks"`
	Gaps      []transcript.Gap     `json:"gaps" nullable:"false" doc:"Stretches in which more was said than the segments tell, or may have been; none, as a rule"`

	LanguageDoubt bool `json:"language_doubt" doc:"Whether the recording may be in another language than the transcript, whose words are then not to be relied on" example:"false"`
}

type messageInput struct {
	ID string `path:"id" doc:"Id of the message"`
}

type getInput struct {
	ID     string `path:"id" doc:"Id of the message"`
	Accept string `header:"Accept" doc:"application/json, text/vtt, application/x-subrip or text/plain" example:"text/vtt"`
}

// Get answers a transcript in the form that is asked for by the Accept header.
func (e *Endpoints) Get() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-transcript", Scope: storage.ScopeRead, Cacheable: true, Summary: "Get transcript",
		Description: "In the form that Accept asks for; JSON, if it does not say. The same forms are under the suffixes. What was not understood or not decoded stands in its place in all of them.",
		Problems:    []problem.Kind{problem.NotFound, problem.NoTranscript, problem.NotAcceptable},
		Document:    document(forms()...),
	}, e.get)
}

// GetAs answers a transcript in one form, by the suffix of its address, which
// must be one of those there are.
func (e *Endpoints) GetAs(suffix string) rest.Endpoint {
	all := forms()
	f := all[slices.IndexFunc(all, func(f form) bool { return f.suffix == suffix })]
	return rest.Handle(rest.Operation{
		ID: "get-transcript-" + suffix[1:], Scope: storage.ScopeRead, Cacheable: true, Summary: "Get transcript as " + suffix,
		Problems: []problem.Kind{problem.NotFound, problem.NoTranscript}, Document: document(f),
	}, func(ctx context.Context, principal storage.Principal, in *messageInput) (*rest.Stream, error) {
		return e.send(ctx, principal, in.ID, f)
	})
}

func (e *Endpoints) get(ctx context.Context, principal storage.Principal, in *getInput) (*rest.Stream, error) {
	all := forms()
	offered := make([]string, len(all))
	for i, form := range all {
		offered[i] = form.mediaType
	}
	if chosen := chooseForm(in.Accept, offered); chosen >= 0 {
		return e.send(ctx, principal, in.ID, all[chosen])
	}
	return nil, problem.NotAcceptable.Saying("A transcript can be had as application/json, text/vtt, application/x-subrip or text/plain.", nil)
}

func (e *Endpoints) send(ctx context.Context, principal storage.Principal, id string, f form) (*rest.Stream, error) {
	found, err := e.find(ctx, principal, id)
	if err != nil {
		return nil, err
	}
	var printed bytes.Buffer
	if err := f.write(&printed, found); err != nil {
		return nil, fmt.Errorf("print transcript: %w", err)
	}
	disposition, err := e.save(ctx, principal, id, f)
	if err != nil {
		return nil, err
	}
	return &rest.Stream{Body: func(ctx huma.Context) {
		ctx.AppendHeader("Vary", "Accept")
		ctx.SetHeader("Content-Type", withCharset(f.mediaType))
		if disposition != "" {
			ctx.SetHeader("Content-Disposition", disposition)
		}
		ctx.SetStatus(http.StatusOK)
		_, _ = ctx.BodyWriter().Write(printed.Bytes()) // a caller who has gone needs no telling
	}}, nil
}

// save names the forms that people save, which is recorded as a download where the
// workspace wants that; JSON is for programs, the app among them.
func (e *Endpoints) save(ctx context.Context, principal storage.Principal, id string, f form) (string, error) {
	if f.suffix == ".json" {
		return "", nil
	}
	msg, err := e.records.Message(ctx, principal, id)
	if err != nil {
		return "", err
	}
	if rest.CallFrom(ctx).Request().Method != http.MethodHead {
		if err := e.records.AuditListening(ctx, principal, msg, storage.AuditMessageDownloaded, f.suffix[1:]); err != nil {
			return "", err
		}
	}
	return download.Disposition("inline", download.Name(msg, f.suffix)), nil
}

// find returns a message's transcript, or says why it has none yet.
func (e *Endpoints) find(ctx context.Context, principal storage.Principal, id string) (storage.VersionedTranscript, error) {
	found, err := e.records.Transcript(ctx, principal, id)
	if !errors.Is(err, storage.ErrNotFound) {
		return found, err
	}
	msg, msgErr := e.records.Message(ctx, principal, id)
	if msgErr != nil {
		return found, msgErr
	}
	return found, problem.NotMade(problem.NoTranscript, msg, err)
}

func view(t storage.VersionedTranscript) Transcript {
	segments, gaps := t.Segments, t.Gaps
	if segments == nil {
		segments = []transcript.Segment{}
	}
	if gaps == nil {
		gaps = []transcript.Gap{}
	}
	return Transcript{
		MessageID: t.MessageID, Version: t.Version, CreatedAt: t.CreatedAt,
		Language: t.Language, Engine: t.Engine, Model: t.Model,
		Text: t.Text(), Segments: segments, Gaps: gaps, LanguageDoubt: t.LanguageDoubt,
	}
}

func exampleRecord() storage.VersionedTranscript {
	return storage.VersionedTranscript{
		MessageID: example.MessageID, Version: 1, CreatedAt: example.Time(75),
		Transcript: transcript.Transcript{
			Language: "en", Engine: "local", Model: "moonshine-base-en",
			Segments: []transcript.Segment{transcript.NewSegment([]transcript.Word{
				{Text: "Your", StartMS: 980, EndMS: 1200, Confidence: 0.99},
				{Text: "country.", StartMS: 1210, EndMS: 1630, Confidence: 0.97},
			})},
		},
	}
}
