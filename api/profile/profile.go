// Package profile answers what people show of themselves beside their name: a picture, and
// how their name is pronounced.
//
// Both are made anew of what is sent, by packages picture and short; nothing of a file is
// passed on. They lie in the object store, each under a key of its own that is never used
// again, so that an address with a version always has the same bytes. The object is put
// first and recorded then; where it could not be, it is removed, and what was there before
// is purged when another is recorded. Who may know of somebody may see and hear both.
package profile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hark/api/intake"
	"hark/api/limit"
	"hark/api/people"
	"hark/api/problem"
	"hark/api/rest"
	"hark/media"
	"hark/media/admission"
	"hark/media/picture"
	"hark/media/render"
	"hark/media/short"
	"hark/storage"
)

// Records is what the calls ask of storage.
type Records interface {
	KnownUser(ctx context.Context, principal storage.Principal, userID string) (storage.User, error)
	SetUserObject(ctx context.Context, principal storage.Principal, userID string, kind storage.ObjectKind, key string) (storage.User, error)
}

// Objects is where pictures and pronunciations are kept.
type Objects interface {
	Put(ctx context.Context, key, mediaType string, r io.Reader, size int64) (int64, error)
	Get(ctx context.Context, key string) (io.ReadCloser, int64, error)
	Delete(ctx context.Context, keys ...string) error
}

// Sounds makes renditions of short recordings.
type Sounds interface {
	Make(ctx context.Context, body io.Reader) (*render.Rendition, error)
	Limits() short.Limits
}

// PronunciationLimits bound how a name is pronounced: any form that Hark knows fits.
var PronunciationLimits = short.Limits{Bytes: 2 << 20, Duration: 5 * time.Second}

// Deps are the parts that [Endpoints] work with. All are required but Sounds.
type Deps struct {
	Records Records
	Objects Objects
	Sounds  Sounds // nil where none can be made
	// Body is the body of a request, which ends when nothing comes for too long.
	Body func(w http.ResponseWriter, req *http.Request) io.Reader
}

// Endpoints answer the calls about pictures and pronunciations.
type Endpoints struct {
	deps Deps
	gate *admission.Gate
}

// What is made at once on a node, of which each picture may take 400 MB, and how long others
// wait for that.
const (
	atOnce   = 1
	waiting  = 64
	patience = 15 * time.Second
)

// How long what goes on may take when who sends has gone.
const (
	recordTimeout = 30 * time.Second
	removeTimeout = 10 * time.Second
)

// New makes [Endpoints].
func New(deps Deps) *Endpoints {
	return &Endpoints{deps, admission.New(admission.Limits{Places: atOnce, PerKey: atOnce, Waiting: waiting, Patience: patience})}
}

type (
	userOutput  struct{ Body people.User }
	objectInput struct {
		ID      string `path:"id" doc:"Id of the user"`
		Version string `query:"v" maxLength:"64" doc:"As in the address that the user has; without it, the answer is not to be kept" example:"1f5a9c02e7b44d38"`
		Range   string `header:"Range" doc:"A part of it" example:"bytes=0-1023"`
	}
	userInput struct {
		ID string `path:"id" doc:"Id of the user"`
	}
)

// raw describes a body that is not JSON.
func raw(description string, types ...string) func(*huma.Operation, huma.Registry) {
	return func(op *huma.Operation, _ huma.Registry) {
		content := map[string]*huma.MediaType{}
		for _, t := range types {
			content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.RequestBody = &huma.RequestBody{Required: true, Description: description, Content: content}
	}
}

// bytesOf describes answers of bytes.
func bytesOf(types ...string) func(*huma.Operation, huma.Registry) {
	return func(op *huma.Operation, _ huma.Registry) {
		content := map[string]*huma.MediaType{}
		for _, t := range types {
			content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses["200"] = &huma.Response{Description: "The whole", Content: content}
		op.Responses["206"] = &huma.Response{Description: "The part asked for", Content: content}
		op.Responses["304"] = &huma.Response{Description: "Your copy is still good"}
	}
}

var uploadProblems = []problem.Kind{problem.Forbidden, problem.Incomplete, problem.TooSlow, problem.TooLarge, problem.OverBudget, problem.Saturated, problem.Unavailable, problem.NoSpace}

// pictureBody describes the body of calls that set a picture.
var pictureBody = raw(fmt.Sprintf("The picture, up to %d bytes and %d pixels, known by its bytes.", picture.MaxBytes, picture.MaxPixels), "image/jpeg", "image/png", "image/webp", "image/gif")

// SetPicture takes in a picture of who asks.
func (e *Endpoints) SetPicture() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "set-picture", Cost: limit.Pictures, Scope: storage.ScopeWrite, Summary: "Set your picture",
		Description: fmt.Sprintf("Its middle is cut to a square of %d × %d pixels, turned as its EXIF data says; of one that moves, the first frame. Nothing else of the file is kept.", picture.Side, picture.Side),
		Problems:    append([]problem.Kind{problem.NotPicture}, uploadProblems...), Example: people.UserExample(),
		Document: pictureBody,
	}, e.setPicture)
}

func (e *Endpoints) setPicture(ctx context.Context, principal storage.Principal, _ *struct{}) (*userOutput, error) {
	return e.makePicture(ctx, principal, storage.User{ID: principal.UserID})
}

// SetTheirPicture takes in a picture of an integration.
func (e *Endpoints) SetTheirPicture() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "set-user-picture", Cost: limit.Pictures, Scope: storage.ScopeAdmin, Summary: "Set an integration's picture",
		Description: "Your own or, as an owner or an admin, that of an integration; it is made anew as your own is.",
		Problems:    append([]problem.Kind{problem.NotPicture, problem.NotFound}, uploadProblems...), Example: people.UserExample(),
		Document: pictureBody,
	}, e.setTheirPicture)
}

func (e *Endpoints) setTheirPicture(ctx context.Context, principal storage.Principal, in *userInput) (*userOutput, error) {
	user, err := e.deps.Records.KnownUser(ctx, principal, in.ID)
	if err != nil {
		return nil, err
	}
	return e.makePicture(ctx, principal, user)
}

// makePicture makes a picture of the body of the call, and gives it to a user.
func (e *Endpoints) makePicture(ctx context.Context, principal storage.Principal, user storage.User) (*userOutput, error) {
	if !storage.MaySetPicture(principal, user) { // before anything of it is read
		return nil, storage.ErrForbidden
	}
	body, err := e.body(ctx, picture.MaxBytes, media.Refuse(media.TooLarge, nil, "The picture is larger than the %s that can be taken. Send a smaller copy.", media.FormatBytes(picture.MaxBytes)))
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(io.LimitReader(body, picture.MaxBytes+1))
	if err != nil {
		return nil, intake.ReadError(err)
	}
	leave, err := e.enter(ctx, principal)
	if err != nil {
		return nil, err
	}
	made, err := picture.Make(ctx, file)
	leave()
	if err != nil {
		return nil, err
	}
	key := storage.NewPictureKey(principal.WorkspaceID, user.ID, made.PNG)
	return e.keep(ctx, principal, user.ID, storage.PictureObject, key, bytes.NewReader(made.Bytes), int64(len(made.Bytes)))
}

// SetPronunciation takes in how the name of who asks is pronounced.
func (e *Endpoints) SetPronunciation() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "set-pronunciation", Cost: limit.Pictures, Scope: storage.ScopeWrite, Summary: "Set how your name is pronounced",
		Description: "A recording of your name, in any form that Hark knows by its bytes; others can play it.",
		Problems:    append([]problem.Kind{problem.EmptyClip, problem.NotAudio, problem.Damaged, problem.TooLong}, uploadProblems...), Example: people.UserExample(),
		Document: raw(fmt.Sprintf("The recording, up to %d bytes and %s of sound.", PronunciationLimits.Bytes, PronunciationLimits.Duration), "audio/*", "application/octet-stream"),
	}, e.setPronunciation)
}

func (e *Endpoints) setPronunciation(ctx context.Context, principal storage.Principal, _ *struct{}) (*userOutput, error) {
	if e.deps.Sounds == nil {
		return nil, problem.Unavailable.Saying("This server cannot take recordings of names.", nil)
	}
	if !storage.MayRename(principal, principal.UserID) {
		return nil, storage.ErrForbidden
	}
	body, err := e.body(ctx, PronunciationLimits.Bytes, media.Refuse(media.TooLarge, nil, "The recording is larger than the %s that can be taken. Record a shorter one.", media.FormatBytes(PronunciationLimits.Bytes)))
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(io.LimitReader(body, PronunciationLimits.Bytes+1))
	if err != nil {
		return nil, intake.ReadError(err)
	}
	leave, err := e.enter(ctx, principal)
	if err != nil {
		return nil, err
	}
	made, err := e.deps.Sounds.Make(ctx, bytes.NewReader(file))
	leave()
	if _, refused := media.AsRefusal(err); err != nil && !refused && ctx.Err() == nil {
		return nil, problem.Unavailable.Because(fmt.Errorf("make pronunciation: %w", err)).WithHeader("Retry-After", "60")
	}
	if err != nil {
		return nil, err
	}
	defer made.Close() //nolint:errcheck // a scratch file
	return e.keep(ctx, principal, principal.UserID, storage.PronunciationObject, storage.NewPronunciationKey(principal.WorkspaceID, principal.UserID), made.File, made.Bytes)
}

// body is the body of the call, unless it is declared to be too long.
func (e *Endpoints) body(ctx context.Context, most int64, tooLarge error) (io.Reader, error) {
	call := rest.CallFrom(ctx)
	if call.Request().ContentLength > most {
		return nil, tooLarge
	}
	return e.deps.Body(call.Response(), call.Request()), nil
}

// enter waits for the turn of who asks.
func (e *Endpoints) enter(ctx context.Context, principal storage.Principal) (leave func(), err error) {
	leave, err = e.gate.Enter(ctx, principal.UserID, 0)
	if errors.Is(err, admission.ErrFull) || errors.Is(err, admission.ErrKeyFull) {
		return nil, fmt.Errorf("%w: %w", intake.ErrSaturated, err)
	}
	return leave, err
}

// keep puts an object and records that a user has it. From there on it goes on though
// they are gone. Where nothing was recorded, the object is removed; where that is not
// known, the sweep finds out.
func (e *Endpoints) keep(ctx context.Context, principal storage.Principal, userID string, kind storage.ObjectKind, key string, r io.Reader, size int64) (*userOutput, error) {
	if _, err := e.deps.Objects.Put(ctx, key, storage.UserMediaType(key), r, size); err != nil {
		e.remove(ctx, key)
		if errors.Is(err, storage.ErrNoSpace) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", intake.ErrUnavailable, err)
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	user, err := e.deps.Records.SetUserObject(recording, principal, userID, kind, key)
	if err != nil {
		if !errors.Is(err, storage.ErrUnreachable) && recording.Err() == nil {
			e.remove(ctx, key)
		}
		return nil, err
	}
	return &userOutput{people.View(user)}, nil
}

// remove removes an object that nobody has; the sweep does where this fails.
func (e *Endpoints) remove(ctx context.Context, key string) {
	removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
	defer cancel()
	_ = e.deps.Objects.Delete(removing, key)
}

// RemoveMyPicture takes away the picture of who asks.
func (e *Endpoints) RemoveMyPicture() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "remove-picture", Cost: limit.Renames, Scope: storage.ScopeWrite, Summary: "Remove your picture", Problems: []problem.Kind{problem.Forbidden},
	}, e.removeMine(storage.PictureObject))
}

// RemoveMyPronunciation takes away how the name of who asks is pronounced.
func (e *Endpoints) RemoveMyPronunciation() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "remove-pronunciation", Cost: limit.Renames, Scope: storage.ScopeWrite, Summary: "Remove how your name is pronounced", Problems: []problem.Kind{problem.Forbidden},
	}, e.removeMine(storage.PronunciationObject))
}

func (e *Endpoints) removeMine(kind storage.ObjectKind) func(context.Context, storage.Principal, *struct{}) (*struct{}, error) {
	return func(ctx context.Context, principal storage.Principal, _ *struct{}) (*struct{}, error) {
		_, err := e.deps.Records.SetUserObject(ctx, principal, principal.UserID, kind, "")
		return nil, err
	}
}

// RemovePicture takes away a user's picture.
func (e *Endpoints) RemovePicture() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "remove-user-picture", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Remove a user's picture",
		Description: "Your own or, as an owner or an admin, that of somebody whose role is not above yours.", Problems: []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.removeTheirs(storage.PictureObject))
}

// RemovePronunciation takes away how a user's name is pronounced.
func (e *Endpoints) RemovePronunciation() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "remove-user-pronunciation", Cost: limit.Members, Scope: storage.ScopeAdmin, Summary: "Remove how a user's name is pronounced",
		Description: "Your own or, as an owner or an admin, that of somebody whose role is not above yours.", Problems: []problem.Kind{problem.Forbidden, problem.NotFound},
	}, e.removeTheirs(storage.PronunciationObject))
}

func (e *Endpoints) removeTheirs(kind storage.ObjectKind) func(context.Context, storage.Principal, *userInput) (*struct{}, error) {
	return func(ctx context.Context, principal storage.Principal, in *userInput) (*struct{}, error) {
		_, err := e.deps.Records.SetUserObject(ctx, principal, in.ID, kind, "")
		return nil, err
	}
}

const objectDescription = "An address with a version always has the same bytes; one whose version is no more is answered 410. Whom you may not know of is not there."

// GetPicture answers a user's picture.
func (e *Endpoints) GetPicture() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-user-picture", Scope: storage.ScopeRead, Summary: "Get a user's picture", Description: objectDescription,
		Problems: []problem.Kind{problem.NotFound, problem.RepresentationGone, problem.Unavailable}, Document: bytesOf("image/jpeg", "image/png"),
	}, e.get(func(u storage.User) string { return u.PictureKey }))
}

// GetPronunciation answers how a user's name is pronounced.
func (e *Endpoints) GetPronunciation() rest.Endpoint {
	return rest.Handle(rest.Operation{
		ID: "get-user-pronunciation", Scope: storage.ScopeRead, Summary: "Get how a user's name is pronounced", Description: objectDescription,
		Problems: []problem.Kind{problem.NotFound, problem.RepresentationGone, problem.Unavailable}, Document: bytesOf(render.MediaType),
	}, e.get(func(u storage.User) string { return u.PronunciationKey }))
}

// maxObject bounds what is read of an object: more than any that is made.
const maxObject = 1 << 20

func (e *Endpoints) get(of func(storage.User) string) func(context.Context, storage.Principal, *objectInput) (*rest.Stream, error) {
	return func(ctx context.Context, principal storage.Principal, in *objectInput) (*rest.Stream, error) {
		user, err := e.deps.Records.KnownUser(ctx, principal, in.ID)
		if err != nil {
			return nil, err
		}
		key := of(user)
		if key == "" {
			return nil, problem.NotFound.Because(nil)
		}
		version := storage.KeyVersion(key)
		if in.Version != "" && in.Version != version {
			return nil, problem.RepresentationGone.Because(nil)
		}
		file, err := e.read(ctx, key)
		if err != nil {
			return nil, err
		}
		call := rest.CallFrom(ctx)
		setHeaders(call.Response().Header(), key, version, in.Version != "")
		return &rest.Stream{Body: func(huma.Context) {
			http.ServeContent(call.Response(), call.Request(), "", time.Time{}, bytes.NewReader(file))
		}}, nil
	}
}

// read reads an object. One that was replaced meanwhile is not there.
func (e *Endpoints) read(ctx context.Context, key string) ([]byte, error) {
	body, _, err := e.deps.Objects.Get(ctx, key)
	var file []byte
	if err == nil {
		defer body.Close()
		file, err = io.ReadAll(io.LimitReader(body, maxObject))
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) && ctx.Err() == nil {
		err = problem.Unavailable.Because(fmt.Errorf("open object of user: %w", err)).WithHeader("Retry-After", "10")
	}
	return file, err
}

// setHeaders sets what goes with the bytes. Somebody sent what they were made of: no
// browser may take them for a page, or run them.
func setHeaders(header http.Header, key, version string, versioned bool) {
	header.Set("Content-Type", storage.UserMediaType(key))
	header.Set("Content-Disposition", "inline")
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("ETag", `"`+version+`"`)
	header.Set("Vary", "Authorization, Cookie")
	header.Set("Cache-Control", "private, no-cache")
	if versioned {
		header.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
}
