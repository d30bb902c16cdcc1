package pipeline

import (
	"context"
	"time"

	"hark/media/backoff"
	"hark/storage/work"
)

const (
	saveTries   = 5
	renderTries = 2
)

// persistPauses are between the tries of a step.
var persistPauses = backoff.Policy{First: 250 * time.Millisecond, Most: 4 * time.Second}

// persist runs a step up to so many times, so that a moment's trouble of the
// database, the store or the encoder does not cost work that took minutes. An
// attempt that is over is not tried again.
func (a *attempt) persist(ctx context.Context, tries int, step func() error) error {
	for try := 1; ; try++ {
		err := work.Guard(step)
		if err == nil || try >= tries || work.Over(err) {
			return err
		}
		a.log.WarnContext(ctx, "pipeline step failed, retrying", "try", try, "error", err)
		if err := backoff.Sleep(ctx, persistPauses.After(try)); err != nil {
			return err
		}
	}
}
