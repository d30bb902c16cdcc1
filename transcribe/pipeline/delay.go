package pipeline

import (
	"errors"
	"math/rand/v2"
	"time"
)

// maxWanted bounds how long an error may ask to wait.
const maxWanted = time.Hour

// delay is how long to wait after an attempt (1 for the first) that failed:
// anything between a tenth of a bound and the bound, which doubles with each
// attempt. So jobs that failed together do not come back together ("full
// jitter"), nor at once.
func (w *Worker) delay(attempt int) time.Duration {
	bound := w.cfg.RetryBase
	for range attempt - 1 {
		if bound *= 2; bound >= w.cfg.RetryMax {
			break
		}
	}
	bound = min(bound, w.cfg.RetryMax)
	least := bound / 10
	return least + rand.N(bound-least+1)
}

// wantedDelay is how long an error asks to wait, such as that of a remote
// engine that is told to come back later; 0 when it asks for nothing.
func wantedDelay(err error) time.Duration {
	var polite interface{ RetryAfter() time.Duration }
	if errors.As(err, &polite) {
		return min(polite.RetryAfter(), maxWanted)
	}
	return 0
}
