package transcribe

import (
	"errors"
	"testing"
)

func TestFailure(t *testing.T) {
	cause := errors.New("no such file")
	err := Fail(cause, "The model %s is missing.", "base")
	var f *PermanentError
	if !errors.Is(err, ErrPermanent) || !errors.Is(err, cause) || !errors.As(err, &f) || f.Reason != "The model base is missing." {
		t.Errorf("got %v", err)
	}
	if !errors.Is(Fail(nil, "no"), ErrPermanent) {
		t.Error("a failure without a cause is not permanent")
	}
}
