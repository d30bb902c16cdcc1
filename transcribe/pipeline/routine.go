package pipeline

import "hark/storage/work"

// routine is guarded work in a goroutine of its own.
type routine struct {
	done chan struct{}
	err  error // valid once done is closed
}

// start runs fn. The caller waits for it.
func start(fn func() error) *routine {
	r := &routine{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = work.Guard(fn)
	}()
	return r
}

// wait returns fn's error once it has ended. It may be called by several.
func (r *routine) wait() error {
	<-r.done
	return r.err
}

// isDone reports whether fn has ended.
func (r *routine) isDone() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
