package live

import (
	"errors"

	"hark/api/problem"
	"hark/api/recorder"
	"hark/media/whip"
)

var liveErrors = problem.Sentinels{
	{Err: recorder.ErrOff, Kind: problem.LiveOff},
	{Err: recorder.ErrTooMany, Kind: problem.TooManyRecordings, RetryAfter: "5"},
	{Err: recorder.ErrSaturated, Kind: problem.Saturated, RetryAfter: "5"},
	{Err: recorder.ErrClosing, Kind: problem.Unavailable, RetryAfter: "10"},
	{Err: whip.ErrNoAddress, Kind: problem.Unavailable, RetryAfter: "10"},
	{Err: whip.ErrClosed, Kind: problem.NotFound},
	{Err: whip.ErrPrecondition, Kind: problem.PreconditionFailed},
	{Err: whip.ErrPreconditionMissing, Kind: problem.PreconditionRequired},
	{Err: whip.ErrTooMany, Kind: problem.TooManyChanges, RetryAfter: "10"},
}

// Problem says what is wrong with a live recording, or with what a WHIP client
// sent.
func Problem(err error) *problem.Problem {
	var offer *whip.OfferError
	if errors.As(err, &offer) {
		if offer.Kind == whip.Unacceptable {
			return problem.OfferNotAcceptable.Saying(offer.Message, err)
		}
		return problem.BadOffer.Saying(offer.Message, err)
	}
	var fragment *whip.FragmentError
	if errors.As(err, &fragment) {
		if fragment.Malformed {
			return problem.BadRequest.Saying(fragment.Message, err)
		}
		return problem.Validation.Saying(fragment.Message, err)
	}
	return liveErrors.Find(err)
}
