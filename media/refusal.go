package media

import (
	"errors"
	"fmt"
	"time"
)

// Kind classifies why a clip is refused, so that the API can choose a status
// and a person can choose what to do next.
type Kind string

// The kinds of refusal.
const (
	Empty       Kind = "empty"       // no bytes at all
	NotPicture  Kind = "not_picture" // bytes of something that is no picture, or one that cannot be opened
	NotAudio    Kind = "not_audio"   // bytes of something that is not sound, or not a known format
	Unsupported Kind = "unsupported" // sound, but in an encoding that Hark does not decode
	Damaged     Kind = "damaged"     // a known format, but cut off or broken so that nothing can be heard
	TooLarge    Kind = "too_large"   // more bytes than [Limits].MaxBytes
	TooLong     Kind = "too_long"    // more sound than [Limits].MaxDuration
	OverBudget  Kind = "over_budget" // decoding it took more time or memory than a clip may take
)

// Refusal is the error for a clip that Hark will not or cannot take. Trying
// the same bytes again cannot succeed.
type Refusal struct {
	Kind   Kind
	Reason string // one sentence for the sender: what is wrong and what to do
	Cause  error  // the private cause, for the log; may be nil
}

// Error joins the reason and the private cause; show people Reason alone.
func (r *Refusal) Error() string {
	if r.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", r.Kind, r.Reason, r.Cause)
	}
	return fmt.Sprintf("%s: %s", r.Kind, r.Reason)
}

// Unwrap returns the private cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// Refuse makes a [Refusal]. cause may be nil.
func Refuse(kind Kind, cause error, format string, args ...any) error {
	return &Refusal{Kind: kind, Reason: fmt.Sprintf(format, args...), Cause: cause}
}

// AsRefusal finds a [Refusal] in err's chain.
func AsRefusal(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}

// RefuseTooLarge is the refusal of a clip of more than limit bytes.
func RefuseTooLarge(limit int64) error {
	return Refuse(TooLarge, nil, "The recording is larger than the %s that can be taken. Send it in parts, or compressed.", FormatBytes(limit))
}

// RefuseTooLong is the refusal of a clip that goes on past limit.
func RefuseTooLong(limit time.Duration) error {
	return Refuse(TooLong, nil, "The recording is longer than the %s that can be taken. Send it in parts.", FormatDuration(limit))
}
