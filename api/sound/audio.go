// Package sound answers what a message sounds like: its sound in ranges, out of the
// object store without being held, and the shape of it.
//
// A message has up to two clips, the original and the rendition. The address of a
// clip names its form and version, so that the bytes behind it never change. An
// address that names none leads to the clip that plays best now.
//
// Players that can send no credential open signed addresses, which are made and
// checked here; see signer.
package sound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/example"
	"hark/api/problem"
	"hark/api/rest"
	"hark/api/security"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	Message(ctx context.Context, principal storage.Principal, id string) (storage.Message, error)
	AuditListening(ctx context.Context, principal storage.Principal, m storage.Message, action storage.AuditAction, form string) error
	AuthenticateSigned(ctx context.Context, credentialID, messageID string) (storage.Principal, error)
}

// Objects is where the clips are.
type Objects interface {
	GetRange(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
}

// Deps are the parts that [Endpoints] work with. All are required.
type Deps struct {
	Records   Records
	Objects   Objects
	Security  *security.Log
	PublicURL rest.PublicURL

	// Key signs addresses: the same on all nodes, and kept over restarts.
	Key []byte
	// Life is how long a signed address plays.
	Life time.Duration
}

// Endpoints answer the calls about sound.
type Endpoints struct {
	deps   Deps
	signer signer
}

// New makes [Endpoints].
func New(deps Deps) *Endpoints {
	return &Endpoints{deps: deps, signer: signer{key: derive(deps.Key, "audio addresses"), life: deps.Life}}
}

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

// documentAudio says what huma cannot see: the answers are streams.
func documentAudio(op *huma.Operation, _ huma.Registry) {
	sound := map[string]*huma.MediaType{"audio/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
	op.Responses["200"] = &huma.Response{Description: "The whole", Content: sound}
	op.Responses["206"] = &huma.Response{Description: "The part asked for", Content: sound}
	op.Responses["304"] = &huma.Response{Description: "Your copy is still good"}
	op.Responses["307"] = &huma.Response{Description: "The clip that plays best now has its own address", Headers: map[string]*huma.Param{
		"Location": {Schema: &huma.Schema{Type: huma.TypeString, Format: "uri-reference"}, Description: "Address of that clip"},
	}}
}

// GetAudio streams the sound of a message, whole or in part.
func (e *Endpoints) GetAudio() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-audio", Scope: storage.ScopeRead, Summary: "Get audio", Signed: e.authenticateSigned, Description: audioDescription,
		Problems: []problem.Kind{problem.NotFound, problem.NoRendition, problem.RepresentationGone, problem.Range, problem.Validation, problem.Unavailable},
		Document: documentAudio,
	}, e.getAudio)
}

func (e *Endpoints) getAudio(ctx context.Context, principal storage.Principal, in *audioInput) (*rest.Stream, error) {
	msg, err := e.deps.Records.Message(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	clip, err := clipOf(msg, in.Format)
	if err != nil {
		return nil, err
	}
	if in.Version == "" && in.Format != formOriginal {
		return e.redirectToClip(msg.ID, clip, in.Download), nil
	}
	if in.Format == "" {
		return nil, problem.Invalid("query.v", "must stand beside a format", nil)
	}
	if in.Version != "" && in.Version != clip.version {
		return nil, problem.RepresentationGone.Because(nil)
	}
	call := rest.CallFrom(ctx)
	if err := e.auditListening(ctx, call, principal, msg, clip, in.Download); err != nil {
		return nil, err
	}
	setClipHeaders(call.Response().Header(), clip, in.Download)

	req := call.Request()
	if rest.Fresh(req.Header, clip.etag(), clip.modified) {
		return &rest.Stream{Body: func(ctx huma.Context) { ctx.SetStatus(http.StatusNotModified) }}, nil
	}
	part, status, err := choosePart(req.Header, clip)
	if err != nil {
		return nil, err
	}
	return e.streamClip(ctx, call, clip, part, status)
}

// auditListening records that somebody plays or downloads a message, where the
// workspace wants that, before they get a byte of it or learn that what they have is
// still good.
func (e *Endpoints) auditListening(ctx context.Context, call *rest.Call, principal storage.Principal, msg storage.Message, c clip, download bool) error {
	if call.Request().Method == http.MethodHead {
		return nil
	}
	action := storage.AuditMessagePlayed
	if download {
		action = storage.AuditMessageDownloaded
	}
	return e.deps.Records.AuditListening(ctx, principal, msg, action, c.form)
}

// redirectToClip leads from an address that names no clip to one that does.
func (e *Endpoints) redirectToClip(messageID string, c clip, download bool) *rest.Stream {
	q := c.query()
	if download {
		q.Set(paramDownload, "true")
	}
	to := path(e.deps.PublicURL.Base, messageID) + "?" + q.Encode()
	return &rest.Stream{Body: func(ctx huma.Context) {
		ctx.SetHeader("Location", to)
		ctx.SetHeader("Cache-Control", "no-store")
		ctx.SetStatus(http.StatusTemporaryRedirect)
	}}
}

// choosePart says which part of a clip to send, and with which status.
func choosePart(header http.Header, c clip) (span, int, error) {
	whole := span{length: c.bytes}
	if !rangeHolds(header.Get("If-Range"), c.etag(), c.modified) {
		return whole, http.StatusOK, nil
	}
	part, ok, err := parseRange(header.Get("Range"), c.bytes)
	if err != nil {
		return span{}, 0, problem.Range.Because(err).WithHeader("Content-Range", "bytes */"+strconv.FormatInt(c.bytes, 10))
	}
	if !ok {
		return whole, http.StatusOK, nil
	}
	return part, http.StatusPartialContent, nil
}

// streamClip opens the clip before the answer begins, while an error can still be
// answered, and sends it.
func (e *Endpoints) streamClip(ctx context.Context, call *rest.Call, c clip, part span, status int) (*rest.Stream, error) {
	header := call.Response().Header()
	begin := func(ctx huma.Context) {
		if status == http.StatusPartialContent {
			header.Set("Content-Range", part.contentRange(c.bytes))
		}
		header.Set("Content-Type", c.mediaType)
		header.Set("Content-Length", strconv.FormatInt(part.length, 10))
		ctx.SetStatus(status)
	}
	if call.Request().Method == http.MethodHead {
		return &rest.Stream{Body: begin}, nil
	}
	body, err := e.deps.Objects.GetRange(ctx, c.key, part.offset, part.length)
	if err != nil {
		return nil, openError(err)
	}
	return &rest.Stream{Body: func(ctx huma.Context) {
		defer body.Close()
		begin(ctx)
		if err := copyOut(call.Response(), body); err != nil {
			call.Err = fmt.Errorf("send clip: %w", err)
		}
	}}, nil
}

// openError distinguishes a clip that was deleted with its message from a store
// that cannot be reached.
func openError(err error) error {
	if errors.Is(err, storage.ErrNotFound) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("open clip: %w", err)
	}
	return problem.Unavailable.Because(fmt.Errorf("open clip: %w", err)).WithHeader("Retry-After", "10")
}

// GetAudioURL gives out an address that plays a message without a credential.
func (e *Endpoints) GetAudioURL() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-audio-url", Scope: storage.ScopeRead, Summary: "Create a signed audio URL",
		Description: "For players that send neither header nor cookie. It plays this one message, for a short time and no longer than the token or session that asks holds: whether you may hear the message is checked anew at each use.",
		Problems:    []problem.Kind{problem.NotFound, problem.NoRendition, problem.Validation}, Example: audioURLExample(),
	}, e.getAudioURL)
}

func (e *Endpoints) getAudioURL(ctx context.Context, principal storage.Principal, in *audioURLInput) (*audioURLOutput, error) {
	msg, err := e.deps.Records.Message(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	clip, err := clipOf(msg, in.Format)
	if err != nil {
		return nil, err
	}
	expires := storage.Now().Add(e.signer.life).Truncate(time.Second)
	address := e.deps.PublicURL.JoinPath(path("", in.ID))
	address.RawQuery = e.signer.sign(principal.CredentialID, in.ID, clip.query(), expires).Encode()
	return &audioURLOutput{Body: AudioURL{URL: address.String(), ExpiresAt: expires}}, nil
}

func audioURLExample() AudioURL {
	return AudioURL{
		URL: "https://hark.example.org/v1/messages/" + example.MessageID + "/audio?as=" + example.TokenID +
			"&expires=1772358300&format=rendition&signature=q7mG3Zk1w0b8m2h5m0m5d3l7Yw9c1r4t6v8x0z2B4D6&v=1f5a9c02e7b44d38",
		ExpiresAt: example.Time(900),
	}
}
