package api

import (
	"context"
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"hark/api/intake"
	"hark/api/recorder"
	"hark/media"
	"hark/media/whip"
	"hark/storage"
)

// statusClientGone is logged for a caller who left; nobody reads the answer.
const statusClientGone = 499

// sentinels says which kind of problem an error is.
var sentinels = []struct {
	err        error
	kind       kind
	retryAfter string // seconds; empty where trying again does not help
}{
	{storage.ErrNotFound, kindNotFound, ""},
	{storage.ErrForbidden, kindForbidden, ""},
	{storage.ErrKeyReused, kindKeyReused, ""},
	{storage.ErrKeySpent, kindKeySpent, ""},
	{storage.ErrConflict, kindConflict, ""},
	{storage.ErrInvalid, kindValidation, ""},
	{storage.ErrBadCursor, kindBadCursor, ""},
	{intake.ErrIncomplete, kindIncomplete, ""},
	{intake.ErrMalformedForm, kindBadForm, ""},
	{intake.ErrTooSlow, kindTooSlow, ""},
	{intake.ErrTooManyUploads, kindTooManyUploads, "5"},
	{intake.ErrSaturated, kindSaturated, "5"},
	{storage.ErrNoSpace, kindNoSpace, "60"}, // before what it is wrapped in
	{intake.ErrUnavailable, kindUnavailable, "10"},
	{storage.ErrUnreachable, kindUnavailable, "10"},
	{recorder.ErrOff, kindLiveOff, ""},
	{recorder.ErrTooMany, kindTooManyRecordings, "5"},
	{recorder.ErrSaturated, kindSaturated, "5"},
	{recorder.ErrClosing, kindUnavailable, "10"},
	{whip.ErrNoAddress, kindUnavailable, "10"},
	{whip.ErrClosed, kindNotFound, ""},
	{whip.ErrPrecondition, kindPreconditionFailed, ""},
	{whip.ErrPreconditionMissing, kindPreconditionRequired, ""},
	{whip.ErrTooMany, kindTooManyChanges, "10"},
	{context.DeadlineExceeded, kindUnavailable, "10"},
}

// refusals says which kind of problem a refused clip is.
var refusals = map[media.Kind]kind{
	media.Empty:       kindEmptyClip,
	media.NotAudio:    kindNotAudio,
	media.Unsupported: kindNotAudio,
	media.Damaged:     kindDamaged,
	media.TooLarge:    kindTooLarge,
	media.TooLong:     kindTooLong,
	media.OverBudget:  kindOverBudget,
}

// problemOf is the one place where errors become HTTP.
func problemOf(err error) *Problem {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem
	}
	if refusal, ok := media.AsRefusal(err); ok {
		return refusals[refusal.Kind].orInternal().saying(refusal.Reason, err)
	}
	var field *intake.FieldError
	if errors.As(err, &field) {
		return invalid(field.Field, field.Problem, err)
	}
	var value *storage.InvalidError
	if errors.As(err, &value) {
		return invalid("body."+value.Field, value.Problem, err)
	}
	if p := whipProblem(err); p != nil {
		return p
	}
	if errors.Is(err, storage.ErrInvalidQuery) {
		p := kindInvalidQuery.because(err)
		p.Errors = []FieldProblem{{Field: "query.q", Message: kindInvalidQuery.detail}}
		return p
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			p := s.kind.because(err)
			p.MessageID = messageThere(err)
			if s.retryAfter != "" {
				p = p.with("Retry-After", s.retryAfter)
			}
			return p
		}
	}
	return foreignProblem(err)
}

// messageThere is the message that an idempotency key has made before; empty
// where that is not the problem.
func messageThere(err error) string {
	var reused *storage.KeyReusedError
	if errors.As(err, &reused) {
		return reused.MessageID
	}
	return ""
}

// whipProblem says what is wrong with what a WHIP client sent, or is nil.
func whipProblem(err error) *Problem {
	var offer *whip.OfferError
	if errors.As(err, &offer) {
		if offer.Kind == whip.Unacceptable {
			return kindOfferNotAcceptable.saying(offer.Message, err)
		}
		return kindBadOffer.saying(offer.Message, err)
	}
	var fragment *whip.FragmentError
	if errors.As(err, &fragment) {
		if fragment.Malformed {
			return kindBadRequest.saying(fragment.Message, err)
		}
		return kindValidation.saying(fragment.Message, err)
	}
	return nil
}

// foreignProblem handles what does not come from Hark's own code.
func foreignProblem(err error) *Problem {
	if errors.Is(err, context.Canceled) {
		p := kindIncomplete.because(err)
		p.Status = statusClientGone
		return p
	}
	var routed *echo.HTTPError
	if errors.As(err, &routed) {
		return kindOfStatus(routed.Code).because(err)
	}
	var checked *huma.ErrorModel
	if errors.As(err, &checked) {
		return checkedProblem(checked)
	}
	return kindInternal.because(err)
}

// checkedProblem puts huma's verdict on a request into our form.
func checkedProblem(m *huma.ErrorModel) *Problem {
	k := kindOfStatus(m.Status)
	if k.status >= 500 {
		return k.because(m)
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
	p := k.because(m)
	p.Errors = fields
	switch {
	case len(said) > 0:
		p.Detail = strings.Join(said, "; ") + "."
	case k.code == kindBadRequest.code && m.Detail != "":
		p.Detail = "The request cannot be understood: " + m.Detail + "."
	}
	return p
}

// orInternal guards against a kind that is not in a table.
func (k kind) orInternal() kind {
	if k.status == 0 {
		return kindInternal
	}
	return k
}
