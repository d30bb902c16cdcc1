// Package backoff says how long to wait before what failed is tried again.
//
// The bound of a wait doubles with each failure, up to a longest. A wait is
// drawn at random from the upper half of its bound ("equal jitter"), so that
// those who failed together do not come back together, nor at once.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Policy bounds the waits. Its zero value waits not at all. It may be used by
// many at once.
type Policy struct {
	First time.Duration // bound of the wait after the first failure
	Most  time.Duration // bound of all waits; 0 means First
}

// Bound returns the longest that [Policy.After] may answer after so many
// failures in a row; the first is 1.
func (p Policy) Bound(failures int) time.Duration {
	most := max(p.First, p.Most)
	bound := p.First
	for range failures - 1 {
		if bound *= 2; bound >= most || bound <= 0 {
			return most
		}
	}
	return bound
}

// After returns how long to wait after so many failures in a row.
func (p Policy) After(failures int) time.Duration {
	bound := p.Bound(failures)
	return bound/2 + rand.N(bound-bound/2+1)
}

// Sleep waits, unless ctx ends before: then it returns ctx's cause, at once.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
