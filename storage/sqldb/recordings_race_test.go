package sqldb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"hark/storage"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
)

// atOnce runs all calls at once and returns their errors in order.
func atOnce(calls ...func() error) []error {
	errs := make([]error, len(calls))
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i, call := range calls {
		wg.Go(func() {
			<-begin
			errs[i] = call()
		})
	}
	close(begin)
	wg.Wait()
	return errs
}

func TestOneOfManyClaims(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 5 {
			r := newRecording(h.room, "dead")
			r.Lease = 0
			m := must(h.BeginRecording(t.Context(), h.ada, r))(t)
			var claims []func() error
			for i := range 6 {
				claims = append(claims, func() error {
					_, err := h.ClaimRecording(t.Context(), m.ID, "dead", fmt.Sprint("n", i), time.Minute)
					return err
				})
			}
			won := 0
			for _, err := range atOnce(claims...) {
				if err == nil {
					won++
				} else {
					wantErr(t, err, storage.ErrBusy)
				}
			}
			if won != 1 {
				t.Errorf("%d claims won", won)
			}
		}
	})
}

func TestFinishAgainstClaim(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 10 {
			r := newRecording(h.room, "slow")
			r.Lease = 0
			m := must(h.BeginRecording(t.Context(), h.ada, r))(t)
			errs := atOnce(
				func() error {
					_, err := h.FinishRecording(t.Context(), finished(m, "slow", "mine"))
					return err
				},
				func() error {
					_, err := h.ClaimRecording(t.Context(), m.ID, "slow", "fast", time.Minute)
					return err
				})
			state := h.state(m.ID).State
			switch {
			case errs[0] == nil && errors.Is(errs[1], storage.ErrNotFound) && state == storage.Ready:
			case errors.Is(errs[0], storage.ErrStale) && errs[1] == nil && state == storage.Recording:
				h.finish(finished(m, "fast", "theirs"))
			default:
				t.Fatalf("finish: %v, claim: %v, state %s", errs[0], errs[1], state)
			}
		}
		if found := len(h.said("mine")) + len(h.said("theirs")); found != 10 {
			t.Errorf("%d are found", found)
		}
	})
}

func TestFinishAgainstDelete(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 10 {
			m := h.speak("n1")
			errs := atOnce(
				func() error {
					_, err := h.FinishRecording(t.Context(), finished(m, "n1", "vanishing words"))
					return err
				},
				func() error { return h.DeleteMessage(t.Context(), h.ada, m.ID) },
				func() error {
					_, err := h.RenewRecordings(t.Context(), "n1", time.Minute)
					return err
				})
			h.check(errs[1])
			h.check(errs[2])
			if errs[0] != nil {
				wantErr(t, errs[0], storage.ErrNotFound)
			}
			if queued := must(h.ObjectsToDelete(t.Context(), 100))(t); !contains(queued, storage.MessagePrefix(m.WorkspaceID, m.ID)) {
				t.Error("the original is not queued for deletion")
			}
		}
		if rows := must(h.IndexRows(t.Context()))(t); rows != 0 {
			t.Errorf("%d messages are left in the index", rows)
		}
		if words, _ := must2(h.LexiconRows(t.Context()))(t); words != 0 {
			t.Errorf("%d words are left in the lexicon", words)
		}
	})
}

func TestFinishTwiceAtOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		m := h.speak("n1")
		finish := func() error {
			got, err := h.FinishRecording(t.Context(), finished(m, "n1", "once"))
			if err == nil && (got.State != storage.Ready || got.TranscriptVersion != 1) {
				err = fmt.Errorf("message %+v", got)
			}
			return err
		}
		for _, err := range atOnce(finish, finish, finish) {
			h.check(err)
		}
		if said := h.said("once"); len(said) != 1 {
			t.Errorf("found %v", said)
		}
	})
}

// Renewing holds the rows of many workspaces and conversations in no order
// that a deletion keeps to.
func TestRenewAgainstDeleteConversation(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		h := newHarness(t, db)
		for range 5 {
			room := h.conversation(h.ada)
			for range 20 {
				must(h.BeginRecording(t.Context(), h.ada, newRecording(room, "n1")))(t)
			}
			renew := func() error {
				_, err := h.RenewRecordings(t.Context(), "n1", time.Minute)
				return err
			}
			for _, err := range atOnce(renew, renew, func() error { return h.DeleteConversation(t.Context(), h.ada, room.ID) }) {
				h.check(err)
			}
		}
		if held := must(h.RenewRecordings(t.Context(), "n1", time.Minute))(t); len(held) != 0 {
			t.Errorf("held %v", held)
		}
	})
}
