// Package live answers the calls by which people speak a message: WHIP (RFC 9725),
// and who is recording now.
//
// What is spoken does not come through here. A call gives an offer to package
// recorder, which makes the message; the calls that follow change or end it.
// The name of a session is a secret: it is not logged.
package live

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"hark/api/intake"
	"hark/api/problem"
	"hark/api/recorder"
	"hark/api/rest"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	OngoingRecordings(ctx context.Context, principal storage.Principal, conversationID string) ([]storage.OngoingRecording, error)
}

// Recorder makes messages of what is spoken over WebRTC (recorder.Recorder).
type Recorder interface {
	Begin(ctx context.Context, principal storage.Principal, start recorder.Start) (*recorder.Recording, error)
	Session(id string, principal storage.Principal) (*recorder.Recording, error)
	Links(userID string) []string
}

// Deps are the parts that [Endpoints] work with.
type Deps struct {
	Records   Records
	Recorder  Recorder // nil: nobody can speak here
	Intake    *intake.Intake
	PublicURL rest.PublicURL
}

// Endpoints answer the calls about live recordings.
type Endpoints struct{ deps Deps }

// New makes [Endpoints].
func New(deps Deps) *Endpoints { return &Endpoints{deps: deps} }

const (
	mediaTypeSDP      = "application/sdp"
	mediaTypeFragment = "application/trickle-ice-sdpfrag" // RFC 8840
	mediaTypeJSON     = "application/json"
	acceptPatch       = mediaTypeFragment + ", " + mediaTypeJSON
)

type (
	whipInput struct {
		ID        string `path:"id" doc:"Id of the conversation"`
		Title     string `query:"title" doc:"Up to 200 characters" example:"The bridge at noon"`
		ReplyTo   string `query:"reply_to" doc:"Id of the message in this conversation that this one answers"`
		ReplyAtMS string `query:"reply_at_ms" doc:"The place in that message, in milliseconds" example:"4200"`
		Captions  string `query:"captions" enum:"off,private,conversation" default:"private" doc:"Who is shown what is said while it is said: nobody, who speaks, or all who may hear the message"`
		Draft     bool   `query:"draft" doc:"Whether only you see the message until you send it (POST /v1/messages/{id}/send)"`
	}
	whipOutput struct {
		ContentType string   `header:"Content-Type"`
		Location    string   `header:"Location" doc:"Address of the session, for PATCH and DELETE"`
		ETag        string   `header:"ETag" doc:"Names the ICE session; PATCH sends it back in If-Match"`
		Link        []string `header:"Link" doc:"ICE servers to use, as rel=\"ice-server\""`
		MessageID   string   `header:"Hark-Message-Id" doc:"Id of the message that is being spoken"`
		AcceptPatch string   `header:"Accept-Patch" doc:"What PATCH takes"`
		Body        []byte
	}

	whipPatchInput struct {
		Session string `path:"session" doc:"Name of the session, from the Location header"`
		IfMatch string `header:"If-Match" doc:"The ETag of the ICE session that candidates belong to; * restarts ICE"`
		ETag    string `header:"ETag" doc:"The same, as some clients send it; read where If-Match is left out"`
	}
	whipPatchOutput struct {
		Status      int
		ContentType string `header:"Content-Type"`
		ETag        string `header:"ETag" doc:"Names the new ICE session, after a restart"`
		Body        []byte
	}

	whipDeleteInput struct {
		Session string `path:"session" doc:"Name of the session, from the Location header"`
	}
)

const whipDescription = `WHIP (RFC 9725): send an SDP offer with one audio track (Opus), and speak. What is said is on disk within a second; who may hear
the conversation sees the message in state ` + "`recording`" + ` at once, under the id in ` + "`Hark-Message-Id`" + `. Send candidates by PATCH if you do
not wait for all of them. End with DELETE, or just go: after 30 seconds without a sign of life the recording ends with what was said. It is
` + "`ready`" + ` a moment later.

With ` + "`draft=true`" + ` nobody but you sees the message until you send it with ` + "`POST /v1/messages/{id}/send`" + `; others see only that you are recording, while you do. However the recording
ends, by DELETE, a dead battery or a server that is gone, it ends as a draft.

With ` + "`captions`" + ` what is said is shown while it is said: as ` + "`message.caption`" + ` events, and to who speaks on the data channel
` + "`hark`" + `, if the offer has one. That channel carries JSON objects. From Hark: ` + "`{\"type\": \"hello\", \"message_id\": …, \"captions\": true}`" + `,
` + "`{\"type\": \"kept\", \"ms\": …}`" + ` (how much is on disk, about once a second), ` + "`{\"type\": \"caption\", \"segment\": …, \"final\": …, \"start_ms\": …, \"end_ms\": …, \"text\": …, \"words\": […]}`" + `
(a caption replaces the one before of the same segment), ` + "`{\"type\": \"paused\"}`" + `, ` + "`{\"type\": \"resumed\"}`" + `,
` + "`{\"type\": \"ending\", \"reason\": …, \"in_ms\": …}`" + ` and ` + "`{\"type\": \"ended\", \"reason\": …}`" + `. To Hark: ` + "`{\"type\": \"pause\"}`" + `, ` + "`{\"type\": \"resume\"}`" + ` and ` + "`{\"type\": \"stop\"}`" + `.
What is said during a pause is cut out. A video track in the offer is declined.

` + "`OPTIONS`" + ` answers with ` + "`Accept-Post`" + `. Pages of other origins that the configuration allows (` + "`HARK_CORS_ORIGINS`" + `) send a token, never a cookie.`

const whipPatchDescription = `With Content-Type ` + "`application/trickle-ice-sdpfrag`" + ` (RFC 8840) candidates (204) or, with ` + "`If-Match: *`" + `, an ICE restart on the same
message, as when the network changed (200 with the answer's fragment and a new ETag). With ` + "`application/json`" + ` ` + "`{\"paused\": true}`" + ` or ` + "`{\"paused\": false}`" + ` (204):
what is said during a pause is cut out.`

func documentOffer(op *huma.Operation, _ huma.Registry) {
	op.RequestBody = rawBody("The SDP offer, up to 64 KiB.", mediaTypeSDP)
	describeBody(op, http.StatusCreated, "The SDP answer", mediaTypeSDP)
}

func documentChange(op *huma.Operation, _ huma.Registry) {
	op.RequestBody = rawBody("Up to 64 KiB.", mediaTypeFragment, mediaTypeJSON)
	op.RequestBody.Content[mediaTypeJSON].Schema = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"paused"},
		Properties: map[string]*huma.Schema{"paused": {Type: huma.TypeBoolean, Description: "Whether what is said is left out from now on"}},
	}
	op.Responses["204"] = &huma.Response{Description: "Done"}
	describeBody(op, http.StatusOK, "ICE is restarted; the answer's fragment", mediaTypeFragment)
}

// Begin begins a live recording by an SDP offer (WHIP, RFC 9725).
func (e *Endpoints) Begin() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "record-live", Scope: storage.ScopeRecord,
		Summary: "Start a live recording", Description: whipDescription, Status: http.StatusCreated,
		Problems: []problem.Kind{
			problem.BadOffer, problem.NotFound, problem.TooSlow, problem.OfferNotAcceptable, problem.TooLarge, problem.Unsupported, problem.Validation,
			problem.TooManyRecordings, problem.RateLimited, problem.Quota, problem.LiveOff, problem.Unavailable, problem.Saturated,
		},
		Document: documentOffer,
	}, e.begin)
}

func (e *Endpoints) begin(ctx context.Context, principal storage.Principal, in *whipInput) (*whipOutput, error) {
	call := rest.CallFrom(ctx)
	meta, err := in.meta()
	if err != nil {
		return nil, err
	}
	if in.Draft && in.Captions == string(storage.CaptionsConversation) {
		return nil, problem.Invalid("query.captions", "must not be conversation for a draft, which only you see", nil)
	}
	if err := e.deps.Intake.Admit(ctx, principal, &meta); err != nil {
		return nil, err
	}
	if e.deps.Recorder == nil {
		return nil, recorder.ErrOff
	}
	offer, err := readText(call.Request(), e.deps.Intake.Body(call.Response(), call.Request()), mediaTypeSDP)
	if err != nil {
		return nil, refusedOffer(err)
	}
	if offer.text == "" {
		return nil, problem.BadOffer.Saying("The body is empty; it must be an SDP offer.", nil)
	}
	rec, err := e.deps.Recorder.Begin(ctx, principal, recorder.Start{
		ConversationID: in.ID, Draft: meta.Draft, Captions: storage.CaptionAudience(in.Captions), Offer: offer.text,
	})
	if err != nil {
		return nil, err
	}
	return &whipOutput{
		ContentType: mediaTypeSDP, Location: e.deps.PublicURL.Base + "/v1/whip/" + rec.SessionID(), ETag: rec.ETag(), Link: e.deps.Recorder.Links(principal.UserID),
		MessageID: rec.MessageID(), AcceptPatch: acceptPatch, Body: []byte(rec.Answer()),
	}, nil
}

func (in *whipInput) meta() (intake.Meta, error) {
	meta := intake.Meta{ConversationID: in.ID, Draft: storage.Draft{Title: in.Title, ReplyTo: in.ReplyTo, Unsent: in.Draft}}
	if in.ReplyAtMS == "" {
		return meta, nil
	}
	return meta, meta.Set(intake.FieldReplyAtMS, in.ReplyAtMS)
}

// Change takes ICE candidates and restarts, and pauses and resumes.
func (e *Endpoints) Change() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "change-live", Scope: storage.ScopeRecord,
		Summary: "Update a live recording (ICE, pause, resume)", Description: whipPatchDescription, Status: http.StatusNoContent,
		Problems: []problem.Kind{
			problem.BadRequest, problem.NotFound, problem.TooSlow, problem.PreconditionFailed, problem.TooLarge, problem.Unsupported, problem.Validation, problem.PreconditionRequired,
			problem.TooManyChanges,
		},
		Document: documentChange,
	}, e.change)
}

func (e *Endpoints) change(ctx context.Context, principal storage.Principal, in *whipPatchInput) (*whipPatchOutput, error) {
	call := rest.CallFrom(ctx)
	rec, err := e.recording(principal, in.Session)
	if err != nil {
		return nil, err
	}
	change, err := readText(call.Request(), e.deps.Intake.Body(call.Response(), call.Request()), mediaTypeFragment, mediaTypeJSON)
	if err != nil {
		return nil, refusedPatch(err)
	}
	if change.mediaType == mediaTypeJSON {
		paused, err := parsePaused(change.text)
		if err != nil {
			return nil, err
		}
		rec.SetPaused(paused)
		return &whipPatchOutput{Status: http.StatusNoContent}, nil
	}
	patched, err := rec.Patch(ctx, change.text, cmp.Or(in.IfMatch, in.ETag))
	if err != nil {
		return nil, err
	}
	if patched.Fragment == "" {
		return &whipPatchOutput{Status: http.StatusNoContent}, nil
	}
	return &whipPatchOutput{
		Status: http.StatusOK, ContentType: mediaTypeFragment, ETag: patched.ETag, Body: []byte(patched.Fragment),
	}, nil
}

// End ends a live recording.
func (e *Endpoints) End() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "end-live", Scope: storage.ScopeRecord, Summary: "End a live recording",
		Description: "The message is made of what was said, in the background. If nothing was, there is none.",
		Status:      http.StatusOK, Problems: []problem.Kind{problem.NotFound},
	}, e.end)
}

func (e *Endpoints) end(_ context.Context, principal storage.Principal, in *whipDeleteInput) (*struct{}, error) {
	rec, err := e.recording(principal, in.Session)
	if err != nil {
		return nil, err
	}
	rec.Stop()
	return nil, nil
}

func (e *Endpoints) recording(principal storage.Principal, sessionID string) (*recorder.Recording, error) {
	if e.deps.Recorder == nil {
		return nil, storage.ErrNotFound
	}
	return e.deps.Recorder.Session(sessionID, principal)
}

// BeginOptions says what is taken where recordings begin (RFC 9725, section 4.2).
// It is the same for every id, known or not, and asks for no credential.
func BeginOptions(c echo.Context) error {
	c.Response().Header().Set("Allow", "OPTIONS, POST")
	c.Response().Header().Set("Accept-Post", mediaTypeSDP)
	return c.NoContent(http.StatusNoContent)
}

// SessionOptions is [BeginOptions] for a recording that has begun.
func SessionOptions(c echo.Context) error {
	c.Response().Header().Set("Allow", "OPTIONS, PATCH, DELETE")
	c.Response().Header().Set("Accept-Patch", acceptPatch)
	return c.NoContent(http.StatusNoContent)
}
