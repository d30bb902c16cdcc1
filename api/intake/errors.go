package intake

import (
	"errors"
	"fmt"
)

// The sentinels of this package: what a sender, or the moment, did wrong.
var (
	ErrIncomplete     = errors.New("body ended before it was complete")
	ErrTooSlow        = errors.New("body came too slowly")
	ErrMalformedForm  = errors.New("multipart form is malformed")
	ErrTooManyUploads = errors.New("user is sending too many clips at once")
	ErrSaturated      = errors.New("node is receiving as many clips as it can")
	ErrUnavailable    = errors.New("object store is unreachable")
)

// FieldError is a field of [Meta] that cannot be taken.
type FieldError struct {
	Field   string // as the sender names it
	Problem string // for the sender: what is wrong with it
}

// Error names the field and the problem.
func (e *FieldError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }
