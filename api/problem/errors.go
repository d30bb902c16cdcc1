package problem

import (
	"context"
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"hark/media"
	"hark/storage"
)

// statusClientGone is logged for a caller who left; nobody reads the answer.
const statusClientGone = 499

// Rule makes a problem of an error that it knows; of any other it returns nil.
type Rule func(error) *Problem

// Sentinel says which kind of problem an error is.
type Sentinel struct {
	Err        error
	Kind       Kind
	RetryAfter string // seconds; empty where trying again does not help
}

// Sentinels are looked through in their order.
type Sentinels []Sentinel

// Find is a [Rule].
func (all Sentinels) Find(err error) *Problem {
	for _, s := range all {
		if !errors.Is(err, s.Err) {
			continue
		}
		p := s.Kind.Because(err)
		if s.RetryAfter != "" {
			p = p.WithHeader("Retry-After", s.RetryAfter)
		}
		return p
	}
	return nil
}

var storageErrors = Sentinels{
	{storage.ErrNotFound, NotFound, ""},
	{storage.ErrForbidden, Forbidden, ""},
	{storage.ErrKeyReused, KeyReused, ""},
	{storage.ErrKeySpent, KeySpent, ""},
	{storage.ErrLastOwner, LastOwner, ""}, // which is an ErrConflict
	{storage.ErrLastWayIn, LastWayIn, ""},
	{storage.ErrConflict, Conflict, ""},
	{storage.ErrRecording, StillRecording, ""},
	{storage.ErrSent, AlreadySent, ""},
	{storage.ErrTooLate, TooLate, ""},
	{storage.ErrStepUp, StepUp, ""},
	{storage.ErrInvalid, Validation, ""},
	{storage.ErrBadCursor, BadCursor, ""},
	{storage.ErrNoSpace, NoSpace, "60"},
	{storage.ErrUnreachable, Unavailable, "10"},
}

// refusals says which kind of problem a refused clip is.
var refusals = map[media.Kind]Kind{
	media.Empty:       EmptyClip,
	media.NotAudio:    NotAudio,
	media.NotPicture:  NotPicture,
	media.Unsupported: NotAudio,
	media.Damaged:     Damaged,
	media.TooLarge:    TooLarge,
	media.TooLong:     TooLong,
	media.OverBudget:  OverBudget,
}

// From is the one place where errors become HTTP. The rules are asked after what
// storage says, which packages wrap in errors of their own.
func From(err error, rules ...Rule) *Problem {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem
	}
	if refusal, ok := media.AsRefusal(err); ok {
		return refusals[refusal.Kind].orInternal().Saying(refusal.Reason, err)
	}
	if p := fromStorage(err); p != nil {
		return p
	}
	for _, rule := range rules {
		if p := rule(err); p != nil {
			return p
		}
	}
	return fromLibraries(err)
}

func fromStorage(err error) *Problem {
	var forbidden *storage.ForbiddenError
	if errors.As(err, &forbidden) {
		return Forbidden.Saying(forbidden.Reason, err)
	}
	var value *storage.InvalidError
	if errors.As(err, &value) {
		return Invalid("body."+value.Field, value.Problem, err)
	}
	if errors.Is(err, storage.ErrInvalidQuery) {
		p := InvalidQuery.Because(err)
		p.Errors = []FieldProblem{{Field: "query.q", Message: InvalidQuery.Detail}}
		return p
	}
	if errors.Is(err, storage.ErrSignedOut) {
		return BadCredential("invalid_token", err)
	}
	p := storageErrors.Find(err)
	var reused *storage.KeyReusedError
	if p != nil && errors.As(err, &reused) {
		p.MessageID = reused.MessageID
	}
	return p
}

// fromLibraries handles what does not come from Hark's own code.
func fromLibraries(err error) *Problem {
	if errors.Is(err, context.DeadlineExceeded) {
		return Unavailable.Because(err).WithHeader("Retry-After", "10")
	}
	if errors.Is(err, context.Canceled) {
		p := Incomplete.Because(err)
		p.Status = statusClientGone
		return p
	}
	var routed *echo.HTTPError
	if errors.As(err, &routed) {
		return ofStatus(routed.Code).Because(err)
	}
	var checked *huma.ErrorModel
	if errors.As(err, &checked) {
		return fromChecks(checked)
	}
	return Internal.Because(err)
}

// fromChecks puts huma's verdict on a request into our form.
func fromChecks(m *huma.ErrorModel) *Problem {
	k := ofStatus(m.Status)
	if k.Status >= 500 {
		return k.Because(m)
	}
	var fields []FieldProblem
	var said []string
	for _, e := range m.Errors {
		if e == nil {
			continue
		}
		fields = append(fields, FieldProblem{Field: e.Location, Message: e.Message})
		said = append(said, strings.TrimPrefix(e.Location+": "+e.Message, ": "))
	}
	p := k.Because(m)
	p.Errors = fields
	switch {
	case len(said) > 0:
		p.Detail = strings.Join(said, "; ") + "."
	case k.Code == BadRequest.Code && m.Detail != "":
		p.Detail = "The request cannot be understood: " + m.Detail + "."
	}
	return p
}

// orInternal guards against a kind that is not in a table.
func (k Kind) orInternal() Kind {
	if k.Status == 0 {
		return Internal
	}
	return k
}
