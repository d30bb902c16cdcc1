package pipeline

import (
	"context"
	"time"
)

const (
	saveTries    = 5
	renderTries  = 2
	persistPause = 250 * time.Millisecond // before the second try; it doubles with each
)

// persist runs a step up to so many times, so that a moment's trouble of the
// database, the store or the encoder does not cost work that took minutes. An
// attempt that is over is not tried again.
func (a *attempt) persist(ctx context.Context, tries int, step func() error) error {
	for try := 1; ; try++ {
		err := guard(step)
		if err == nil || try >= tries || a.isOver(err) {
			return err
		}
		a.log.WarnContext(ctx, "will try this step again", "try", try, "error", err)
		select {
		case <-time.After(persistPause << (try - 1)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
