package transcribe

import (
	"errors"
	"fmt"
)

// ErrPermanent marks a failure that trying again cannot mend, such as a model
// that is missing or a key that a remote engine refuses.
var ErrPermanent = errors.New("transcription cannot succeed")

// ErrClosed is what calls get that come to an engine after Close, or are under
// way then.
var ErrClosed = errors.New("the engine is closed")

// PermanentError is a permanent failure that knows what to tell people. It
// wraps [ErrPermanent]; an engine may also wrap ErrPermanent by itself, and
// people then read something general.
type PermanentError struct {
	Reason string // one sentence or two for people: what is wrong and what to do
	Cause  error  // the private cause, for the log; may be nil
}

// Fail makes a [PermanentError]. cause may be nil.
func Fail(cause error, format string, args ...any) error {
	return &PermanentError{Reason: fmt.Sprintf(format, args...), Cause: cause}
}

// Error joins the reason and the private cause; show people Reason alone.
func (f *PermanentError) Error() string {
	if f.Cause != nil {
		return fmt.Sprintf("%s: %v", f.Reason, f.Cause)
	}
	return f.Reason
}

// Unwrap returns ErrPermanent and the private cause.
func (f *PermanentError) Unwrap() []error {
	if f.Cause == nil {
		return []error{ErrPermanent}
	}
	return []error{ErrPermanent, f.Cause}
}
