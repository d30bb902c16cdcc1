package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/storage"
)

type (
	audioInput struct {
		ID        string `path:"id" doc:"Id of the message"`
		Format    string `query:"format" enum:"original,rendition" doc:"original: the clip as it was sent; rendition: the form that plays everywhere. Left out: whichever plays best now, by a redirect"`
		Version   string `query:"v" maxLength:"64" doc:"Version of the rendition, as in links.audio; left out, it is found by a redirect" example:"1f5a9c02e7b44d38"`
		Download  bool   `query:"download" doc:"Whether a browser should save it rather than play it"`
		Range     string `header:"Range" doc:"A part of it; several parts are answered with the whole" example:"bytes=0-65535"`
		Expires   string `query:"expires" doc:"Of a signed address"`
		As        string `query:"as" doc:"Of a signed address"`
		Signature string `query:"signature" doc:"Of a signed address"`
	}
	audioURLInput struct {
		ID     string `path:"id" doc:"Id of the message"`
		Format string `query:"format" enum:"original,rendition" doc:"As for the sound itself; left out, the address is of what plays best now"`
	}
	audioURLOutput struct{ Body AudioURL }
	streamOutput   struct{ Body func(huma.Context) }
)

// AudioURL is an address that plays a message without a header or a cookie.
type AudioURL struct {
	URL       string    `json:"url" format:"uri" example:"https://hark.example.org/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b/audio?as=…&expires=1772357400&format=rendition&signature=…&v=1f5a9c02e7b44d38"`
	ExpiresAt time.Time `json:"expires_at" example:"2026-03-01T09:45:00Z"`
}

const audioDescription = `With ranges, so that players can jump. It plays from the moment the message was sent.

An address with its format, and of a rendition its version, is of one clip, whose bytes never change; ` + "`links`" + ` of a message has them. Without,
the answer is a redirect to the clip that plays best now: first the original, later the rendition. A version that is no more is answered 410, never with
the bytes of another.`

func (s *Server) routeAudio() {
	const path = "/v1/messages/{id}/audio"
	op := operation{
		id: "get-audio", method: http.MethodGet, path: path, tag: tagSound, summary: "The sound of a message", player: true,
		description: audioDescription,
		problems:    []kind{kindNotFound, kindNoRendition, kindRepresentationGone, kindRange, kindValidation, kindUnavailable},
	}
	s.describeAudio(handle(s, op, s.getAudio))
	handle(s, operation{
		id: "get-audio-url", method: http.MethodGet, path: "/v1/messages/{id}/audio-url", tag: tagSound, summary: "A short-lived address of the sound",
		description: "For players that send neither header nor cookie. It says who asks, and for a short time only: whether you may hear the message is checked anew at each use.",
		problems:    []kind{kindNotFound, kindNoRendition, kindValidation}, example: exampleAudioURL(),
	}, s.getAudioURL)
}

// describeAudio says what huma cannot see: the answers are streams.
func (s *Server) describeAudio(op *huma.Operation) {
	sound := map[string]*huma.MediaType{"audio/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	op.Responses["200"] = &huma.Response{Description: "The whole", Content: sound}
	op.Responses["206"] = &huma.Response{Description: "The part asked for", Content: sound}
	op.Responses["304"] = &huma.Response{Description: "Your copy is still good"}
	op.Responses["307"] = &huma.Response{Description: "The clip that plays best now has its own address", Headers: map[string]*huma.Param{
		"Location": {Schema: &huma.Schema{Type: huma.TypeString, Format: "uri-reference"}, Description: "Address of that clip"},
	}}
}

func (s *Server) getAudio(ctx context.Context, actor storage.Actor, in *audioInput) (*streamOutput, error) {
	msg, err := s.DB.Message(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	clip, err := clipOf(msg, in.Format)
	if err != nil {
		return nil, err
	}
	if in.Version == "" && in.Format != formOriginal {
		return s.redirectToClip(msg.ID, clip, in.Download), nil
	}
	if in.Format == "" {
		return nil, invalid("query.v", "must stand beside a format", nil)
	}
	if in.Version != "" && in.Version != clip.version {
		return nil, kindRepresentationGone.because(nil)
	}
	call := callFrom(ctx)
	setClipHeaders(call.response().Header(), clip, in.Download)

	req := call.echo.Request()
	if fresh(req.Header, clip.etag(), clip.modified) {
		return &streamOutput{Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNotModified) }}, nil
	}
	part, status, err := choosePart(req.Header, clip)
	if err != nil {
		return nil, err
	}
	return s.streamClip(ctx, call, clip, part, status)
}

// redirectToClip leads from an address that names no clip to one that does.
func (s *Server) redirectToClip(messageID string, c clip, download bool) *streamOutput {
	q := c.query()
	if download {
		q.Set(paramDownload, "true")
	}
	to := audioPath(s.base, messageID) + "?" + q.Encode()
	return &streamOutput{Body: func(ctx huma.Context) {
		ctx.SetHeader("Location", to)
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetStatus(http.StatusTemporaryRedirect)
	}}
}

// choosePart says which part of a clip to send, and with which status.
func choosePart(h http.Header, c clip) (span, int, error) {
	whole := span{length: c.bytes}
	if !rangeHolds(h.Get("If-Range"), c.etag(), c.modified) {
		return whole, http.StatusOK, nil
	}
	part, ok, err := parseRange(h.Get("Range"), c.bytes)
	if err != nil {
		return span{}, 0, kindRange.because(err).with("Content-Range", "bytes */"+strconv.FormatInt(c.bytes, 10))
	}
	if !ok {
		return whole, http.StatusOK, nil
	}
	return part, http.StatusPartialContent, nil
}

// streamClip opens the clip while an error can still be told, and sends it.
func (s *Server) streamClip(ctx context.Context, call *call, c clip, part span, status int) (*streamOutput, error) {
	h := call.response().Header()
	begin := func(ctx huma.Context) {
		if status == http.StatusPartialContent {
			h.Set("Content-Range", part.contentRange(c.bytes))
		}
		h.Set("Content-Type", c.mediaType)
		h.Set("Content-Length", strconv.FormatInt(part.length, 10))
		ctx.SetStatus(status)
	}
	if call.echo.Request().Method == http.MethodHead {
		return &streamOutput{Body: begin}, nil
	}
	body, err := s.Objects.GetRange(ctx, c.key, part.offset, part.length)
	if err != nil {
		return nil, openError(err)
	}
	return &streamOutput{Body: func(ctx huma.Context) {
		defer body.Close()
		begin(ctx)
		if err := copyOut(call.response(), body); err != nil {
			call.err = fmt.Errorf("send clip: %w", err)
		}
	}}, nil
}

// openError tells a clip that went away with its message from a store that is
// out of reach.
func openError(err error) error {
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("open clip: %w", err)
	}
	return kindUnavailable.because(fmt.Errorf("open clip: %w", err)).with("Retry-After", "10")
}

func (s *Server) getAudioURL(ctx context.Context, actor storage.Actor, in *audioURLInput) (*audioURLOutput, error) {
	msg, err := s.DB.Message(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	clip, err := clipOf(msg, in.Format)
	if err != nil {
		return nil, err
	}
	expires := storage.Now().Add(s.cfg.SignedURLTTL).Truncate(time.Second)
	address := s.public.JoinPath(audioPath("", in.ID))
	address.RawQuery = s.signer.sign(actor, in.ID, clip.query(), expires).Encode()
	return &audioURLOutput{Body: AudioURL{URL: address.String(), ExpiresAt: expires}}, nil
}
