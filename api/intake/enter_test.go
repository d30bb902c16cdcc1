package intake

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestEnter(t *testing.T) {
	in, err := New(Deps{}, Config{PerUser: 1, PerNode: 2, Patience: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	enter := func(ctx context.Context, userID string, want error) {
		t.Helper()
		if _, err := in.enter(ctx, userID); !errors.Is(err, want) {
			t.Errorf("%s got %v, want %v", userID, err, want)
		}
	}
	enter(t.Context(), "a", nil)
	enter(t.Context(), "a", ErrTooManyUploads)
	enter(t.Context(), "b", nil)
	enter(t.Context(), "c", ErrSaturated)
	if n := in.gate.InUse(); n != 2 {
		t.Errorf("%d in flight, want 2", n)
	}

	patient, err := New(Deps{}, Config{PerUser: 1, PerNode: 1, Patience: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := patient.enter(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	in = patient
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	enter(gone, "b", ErrIncomplete)
}
