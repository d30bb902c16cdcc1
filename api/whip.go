package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"hark/api/intake"
	"hark/api/recorder"
	"hark/storage"
)

const (
	whipPath    = "/v1/conversations/{id}/whip"
	sessionPath = "/v1/whip/{session}"

	// paramSession is the part of a path that names a session. The name is a
	// secret: it is not logged.
	paramSession = "session"

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

func (s *Server) routeWHIP() {
	begin := handle(s, operation{
		id: "record-live", method: http.MethodPost, path: whipPath, tag: tagLive,
		summary: "Speak a message", description: whipDescription, status: http.StatusCreated,
		problems: []kind{
			kindBadOffer, kindNotFound, kindTooSlow, kindOfferNotAcceptable, kindTooLarge, kindUnsupported, kindValidation,
			kindTooManyRecordings, kindLiveOff, kindUnavailable, kindSaturated,
		},
	}, s.beginRecording)
	begin.RequestBody = rawBody("The SDP offer, up to 64 KiB.", mediaTypeSDP)
	describeBody(begin, http.StatusCreated, "The SDP answer", mediaTypeSDP)

	change := handle(s, operation{
		id: "change-live", method: http.MethodPatch, path: sessionPath, tag: tagLive,
		summary: "Add candidates, restart ICE, pause or resume", description: whipPatchDescription, status: http.StatusNoContent,
		problems: []kind{
			kindBadRequest, kindNotFound, kindTooSlow, kindPreconditionFailed, kindTooLarge, kindUnsupported, kindValidation, kindPreconditionRequired,
			kindTooManyChanges,
		},
	}, s.changeRecording)
	change.RequestBody = rawBody("Up to 64 KiB.", mediaTypeFragment, mediaTypeJSON)
	change.RequestBody.Content[mediaTypeJSON].Schema = &huma.Schema{
		Type: huma.TypeObject, Required: []string{"paused"},
		Properties: map[string]*huma.Schema{"paused": {Type: huma.TypeBoolean, Description: "Whether what is said is left out from now on"}},
	}
	change.Responses["204"] = &huma.Response{Description: "Done"}
	describeBody(change, http.StatusOK, "ICE is restarted; the answer's fragment", mediaTypeFragment)

	handle(s, operation{
		id: "end-live", method: http.MethodDelete, path: sessionPath, tag: tagLive, summary: "Stop speaking",
		description: "The message is made of what was said, in the background. If nothing was, there is none.",
		status:      http.StatusOK, problems: []kind{kindNotFound},
	}, s.endRecording)

	s.echo.OPTIONS("/v1/conversations/:id/whip", s.whipOptions)
	s.echo.OPTIONS("/v1/whip/:session", s.whipOptions)
}

func (s *Server) beginRecording(ctx context.Context, actor storage.Actor, in *whipInput) (*whipOutput, error) {
	call := callFrom(ctx)
	meta, err := in.meta()
	if err != nil {
		return nil, err
	}
	if err := s.intake.Admit(ctx, actor, &meta); err != nil {
		return nil, err
	}
	if s.Live == nil {
		return nil, recorder.ErrOff
	}
	offer, err := readText(call.echo.Request(), s.newUploadBody(call), mediaTypeSDP)
	if err != nil {
		return nil, refusedOffer(err)
	}
	if offer.text == "" {
		return nil, kindBadOffer.saying("The body is empty; it must be an SDP offer.", nil)
	}
	rec, err := s.Live.Begin(ctx, actor, recorder.Start{
		ConversationID: in.ID, Title: meta.Title, ReplyTo: meta.ReplyTo, ReplyAtMS: meta.ReplyAtMS,
		Captions: storage.CaptionAudience(in.Captions), Offer: offer.text,
	})
	if err != nil {
		return nil, err
	}
	return &whipOutput{
		ContentType: mediaTypeSDP, Location: s.base + "/v1/whip/" + rec.SessionID(), ETag: rec.ETag(), Link: s.Live.Links(actor.UserID),
		MessageID: rec.MessageID(), AcceptPatch: acceptPatch, Body: []byte(rec.Answer()),
	}, nil
}

func (in *whipInput) meta() (intake.Meta, error) {
	meta := intake.Meta{ConversationID: in.ID, Title: in.Title, ReplyTo: in.ReplyTo}
	if in.ReplyAtMS == "" {
		return meta, nil
	}
	return meta, meta.Set(intake.FieldReplyAtMS, in.ReplyAtMS)
}

func (s *Server) changeRecording(ctx context.Context, actor storage.Actor, in *whipPatchInput) (*whipPatchOutput, error) {
	call := callFrom(ctx)
	rec, err := s.recording(actor, in.Session)
	if err != nil {
		return nil, err
	}
	change, err := readText(call.echo.Request(), s.newUploadBody(call), mediaTypeFragment, mediaTypeJSON)
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

func (s *Server) endRecording(_ context.Context, actor storage.Actor, in *whipDeleteInput) (*struct{}, error) {
	rec, err := s.recording(actor, in.Session)
	if err != nil {
		return nil, err
	}
	rec.Stop()
	return nil, nil
}

func (s *Server) recording(actor storage.Actor, sessionID string) (*recorder.Recording, error) {
	if s.Live == nil {
		return nil, storage.ErrNotFound
	}
	return s.Live.Session(sessionID, actor)
}

// whipOptions says what is taken here (RFC 9725, section 4.2). It is the same
// for every id, known or not, and asks for no credential.
func (s *Server) whipOptions(c echo.Context) error {
	h := c.Response().Header()
	if c.Path() == "/v1/whip/:session" {
		h.Set("Allow", "OPTIONS, PATCH, DELETE")
		h.Set("Accept-Patch", acceptPatch)
	} else {
		h.Set("Allow", "OPTIONS, POST")
		h.Set("Accept-Post", mediaTypeSDP)
	}
	return c.NoContent(http.StatusNoContent)
}
