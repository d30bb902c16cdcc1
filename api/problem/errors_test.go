package problem

import (
	"fmt"
	"net/http"
	"testing"

	"hark/storage"
)

// TestStorageErrors tells a caller whether to come again.
func TestStorageErrors(t *testing.T) {
	for err, want := range map[error]struct {
		status     int
		retryAfter string
		field      string
	}{
		storage.ErrUnreachable: {http.StatusServiceUnavailable, "10", ""},
		storage.ErrInvalid:     {http.StatusUnprocessableEntity, "", ""},
		&storage.InvalidError{Field: "kind", Problem: "must be another"}: {http.StatusUnprocessableEntity, "", "body.kind"},
	} {
		p := From(fmt.Errorf("accept message: %w", err))
		if p.Status != want.status || p.headers.Get("Retry-After") != want.retryAfter {
			t.Errorf("%v: status %d, Retry-After %q", err, p.Status, p.headers.Get("Retry-After"))
		}
		if want.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != want.field) {
			t.Errorf("%v: %+v", err, p.Errors)
		}
	}
}
