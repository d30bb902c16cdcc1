package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/intake"
	"hark/storage"
)

type (
	audioInput struct {
		ID        string `path:"id" doc:"Id of the message"`
		Format    string `query:"format" enum:"original" doc:"original: the clip as it was sent. Left out: the rendition, which plays everywhere, or the original until that is made"`
		Download  bool   `query:"download" doc:"Whether a browser should save it rather than play it"`
		Range     string `header:"Range" doc:"A part of it; several parts are answered with the whole" example:"bytes=0-65535"`
		Expires   string `query:"expires" doc:"Of a signed address"`
		As        string `query:"as" doc:"Of a signed address"`
		Signature string `query:"signature" doc:"Of a signed address"`
	}
	audioURLInput struct {
		ID     string `path:"id" doc:"Id of the message"`
		Format string `query:"format" enum:"original" doc:"As for the sound itself"`
	}
	audioURLOutput struct{ Body AudioURL }
	streamOutput   struct{ Body func(huma.Context) }
)

// AudioURL is an address that plays a message without a header or a cookie.
type AudioURL struct {
	URL       string    `json:"url" format:"uri" example:"https://hark.example.org/v1/messages/0197a3c2-7f3a-7d05-b1c6-5e7788990a1b/audio?as=…&expires=1772357400&signature=…"`
	ExpiresAt time.Time `json:"expires_at" example:"2026-03-01T09:45:00Z"`
}

func (s *Server) routeAudio() {
	const path = "/v1/messages/{id}/audio"
	op := operation{
		id: "get-audio", method: http.MethodGet, path: path, tag: tagSound, summary: "The sound of a message", player: true,
		description: "With ranges, so that players can jump. It plays from the moment the message was sent.",
		problems:    []kind{kindNotFound, kindRange, kindValidation, kindUnavailable},
	}
	s.describeAudio(handle(s, op, s.getAudio))
	op.id, op.method, op.summary = "head-audio", http.MethodHead, "The headers of a message's sound"
	s.describeAudio(handle(s, op, s.getAudio))
	handle(s, operation{
		id: "get-audio-url", method: http.MethodGet, path: "/v1/messages/{id}/audio-url", tag: tagSound, summary: "A short-lived address of the sound",
		description: "For players that send neither header nor cookie. It says who asks, and for a short time only: whether you may hear the message is checked anew at each use.",
		problems:    []kind{kindNotFound, kindValidation}, example: exampleAudioURL(),
	}, s.getAudioURL)
}

// describeAudio says what huma cannot see: the answers are streams.
func (s *Server) describeAudio(op *huma.Operation) {
	sound := map[string]*huma.MediaType{"audio/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	if op.Method == http.MethodHead {
		sound = nil
	}
	op.Responses["200"] = &huma.Response{Description: "The whole", Content: sound}
	op.Responses["206"] = &huma.Response{Description: "The part asked for", Content: sound}
	op.Responses["304"] = &huma.Response{Description: "Your copy is still good"}
}

// clip is one form of a message's sound, ready to be sent.
type clip struct {
	key, mediaType, filename, etag string
	bytes                          int64
	modified                       time.Time
}

// clipOf chooses the form of a message's sound.
func clipOf(m storage.Message, format string) clip {
	if m.Rendition == nil || format == "original" {
		return clip{
			key: m.Original.Key, mediaType: m.Original.Format.MediaType(), filename: originalName(m),
			etag: `"` + m.Original.SHA256 + `"`, bytes: m.Original.Bytes, modified: clipModified(m, format),
		}
	}
	return clip{
		key: m.Rendition.Key, mediaType: m.Rendition.MediaType, filename: stem(originalName(m)) + ".m4a",
		etag: renditionTag(m), bytes: m.Rendition.Bytes, modified: clipModified(m, format),
	}
}

// renditionTag names a rendition. The original's hash and the size tell two
// renditions of one message apart without reading them; the key stays secret.
func renditionTag(m storage.Message) string {
	return fmt.Sprintf(`"r%d-%s"`, m.Rendition.Bytes, m.Original.SHA256)
}

// clipModified is never older than the clip: an address that plays the
// original first and the rendition later must not share one time for both.
func clipModified(m storage.Message, format string) time.Time {
	if format == "original" {
		return m.CreatedAt
	}
	return m.UpdatedAt
}

// originalName is the name to save an original by.
func originalName(m storage.Message) string {
	if m.Original.Filename != "" {
		return m.Original.Filename
	}
	name := intake.CleanFilename(strings.NewReplacer("/", "-", `\`, "-").Replace(m.Title))
	if name == "" {
		name = "message-" + m.ID
	}
	return name + m.Original.Format.Extension()
}

func stem(filename string) string {
	return strings.TrimSuffix(filename, path.Ext(filename))
}

func (s *Server) getAudio(ctx context.Context, actor storage.Actor, in *audioInput) (*streamOutput, error) {
	msg, err := s.DB.Message(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	if msg.State == storage.Recording {
		return nil, kindNotFound.saying("The message has no sound yet: it is being recorded.", nil)
	}
	clip := clipOf(msg, in.Format)
	call := callFrom(ctx)
	setClipHeaders(call.response().Header(), clip, in.Download)

	req := call.echo.Request()
	if fresh(req.Header, clip.etag, clip.modified) {
		return &streamOutput{Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNotModified) }}, nil
	}
	part, status, err := choosePart(req.Header, clip)
	if err != nil {
		return nil, err
	}
	return s.streamClip(ctx, call, clip, part, status)
}

// choosePart says which part of a clip to send, and with which status.
func choosePart(h http.Header, c clip) (span, int, error) {
	whole := span{length: c.bytes}
	if !rangeHolds(h.Get("If-Range"), c.etag, c.modified) {
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

// setClipHeaders sets what goes with every answer about a clip. A clip is
// foreign bytes: nothing may take it for a page, or run it.
func setClipHeaders(h http.Header, c clip, download bool) {
	disposition := "inline"
	if download {
		disposition = "attachment"
	}
	h.Set("Content-Disposition", contentDisposition(disposition, c.filename))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=0, must-revalidate")
	h.Set("Accept-Ranges", "bytes")
	h.Set("ETag", c.etag)
	h.Set("Last-Modified", c.modified.UTC().Format(http.TimeFormat))
	h.Set("Vary", "Authorization, Cookie")
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
		if err := s.copyOut(call.response(), body); err != nil {
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
	if _, err := s.DB.Message(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	expires := storage.Now().Add(s.cfg.SignedURLTTL).Truncate(time.Second)
	address := s.public.JoinPath("v1", "messages", in.ID, "audio")
	address.RawQuery = s.signer.sign(actor, in.ID, in.Format, expires).Encode()
	return &audioURLOutput{Body: AudioURL{URL: address.String(), ExpiresAt: expires}}, nil
}
