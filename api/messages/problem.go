package messages

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"hark/api/intake"
	"hark/api/limit"
	"hark/api/problem"
	"hark/media"
)

var intakeErrors = problem.Sentinels{
	{Err: intake.ErrIncomplete, Kind: problem.Incomplete},
	{Err: intake.ErrMalformedForm, Kind: problem.BadForm},
	{Err: intake.ErrTooSlow, Kind: problem.TooSlow},
	{Err: intake.ErrTooManyUploads, Kind: problem.TooManyUploads, RetryAfter: "5"},
	{Err: intake.ErrSaturated, Kind: problem.Saturated, RetryAfter: "5"},
	{Err: intake.ErrUnavailable, Kind: problem.Unavailable, RetryAfter: "10"},
}

// Problem says what an error of package intake is to a caller.
func Problem(err error) *problem.Problem {
	var field *intake.FieldError
	if errors.As(err, &field) {
		return problem.Invalid(field.Field, field.Problem, err)
	}
	var quota *intake.QuotaError
	if errors.As(err, &quota) {
		return quotaProblem(quota)
	}
	return intakeErrors.Find(err)
}

// quotaProblem says which quota is used up, and when to try again.
func quotaProblem(e *intake.QuotaError) *problem.Problem {
	var p *problem.Problem
	switch {
	case e.Quota == intake.StoredBytes && e.Left > 0:
		p = problem.Quota.Saying(fmt.Sprintf("This workspace has %s left of its %s of storage, less than the recording needs. Delete recordings or ask an owner or the operator for more. Nothing of this one was saved.", media.FormatBytes(e.Left), media.FormatBytes(e.Limit)), e)
	case e.Quota == intake.StoredBytes:
		p = problem.Quota.Saying(fmt.Sprintf("This workspace has used its %s of storage. Delete recordings or ask an owner or the operator for more. Nothing of this one was saved.", media.FormatBytes(e.Limit)), e)
	case e.Quota == intake.BytesPerDay && e.Left > 0:
		p = problem.RateLimited.Saying(fmt.Sprintf("You have %s left of your upload limit of %s per day, less than the recording needs. Try again after midnight UTC, in %s.", media.FormatBytes(e.Left), media.FormatBytes(e.Limit), limit.InWords(e.Retry)), e)
	case e.Quota == intake.BytesPerDay:
		p = problem.RateLimited.Saying(fmt.Sprintf("You have reached the upload limit of %s per day. Try again after midnight UTC, in %s.", media.FormatBytes(e.Limit), limit.InWords(e.Retry)), e)
	default:
		p = problem.RateLimited.Saying(fmt.Sprintf("%d of your recordings are waiting to be processed, the maximum per person. Try again when some are done.", e.Limit), e)
	}
	p.Limit = string(e.Quota)
	if e.Retry > 0 {
		p = p.WithHeader("Retry-After", strconv.Itoa(int(e.Retry/time.Second)))
	}
	return p
}
