package listen

import "time"

// The pauses after failures of accept: the first, and the longest.
const (
	firstPause = 5 * time.Millisecond
	maxPause   = time.Second
)

// backoff is the pause between tries, which doubles. For one goroutine.
type backoff struct{ next time.Duration }

// wait pauses, and reports false when done ends meanwhile.
func (b *backoff) wait(done <-chan struct{}) bool {
	b.next = min(max(2*b.next, firstPause), maxPause)
	timer := time.NewTimer(b.next)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}

func (b *backoff) reset() { b.next = 0 }
