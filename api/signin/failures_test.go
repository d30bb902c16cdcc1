package signin

import (
	"log/slog"
	"testing"

	"golang.org/x/time/rate"

	"hark/storage"
	"hark/storage/storagetest"
)

// Who tries links without end fills no log: how many were left out is in the next
// entry.
func TestFailuresAreBounded(t *testing.T) {
	db := storagetest.New(t)
	owner, _, err := db.Bootstrap(t.Context(), "Hark", "Olga")
	if err != nil {
		t.Fatal(err)
	}
	e := &Endpoints{deps: Deps{Records: db, Logger: slog.New(slog.DiscardHandler)}, failures: newFailures()}
	e.failures.recorded.SetLimit(0)
	guess := func() {
		e.auditFailure(t.Context(), storage.FailedSignIn{Method: "link", Code: "hark_guessed", Reason: "unknown"})
	}
	for range failuresBurst + 5 {
		guess()
	}
	e.failures.recorded.SetLimit(rate.Inf)
	guess()
	failed, _, err := db.Audit(t.Context(), owner, storage.AuditFilter{Action: storage.AuditSignInFailed}, storage.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(failed) != failuresBurst+1 || failed[0].Details["left_out"] != "5" || failed[1].Details["left_out"] != "" {
		t.Errorf("%d are recorded, the last is %+v", len(failed), failed[0])
	}
}
