package local

import (
	"context"
	"slices"
	"sync"

	"hark/transcribe"
)

// pool shares a number of slots, each a core's worth of recognising, among
// all clips. Work of the more urgent class goes first; within a class the
// clip goes first that has had the least, counted from when it came, so that
// clips advance side by side whatever their lengths.
type pool struct {
	slots int

	mu      sync.Mutex
	wake    *sync.Cond // work has come, or the pool closes
	waiting []*job
	running []*job
	closed  bool
	workers sync.WaitGroup
}

// share is what one clip has had of the pool, guarded by the pool's mutex.
type share struct {
	priority transcribe.Priority
	used     int64 // samples given to work so far, counted from the least of the others when it came
}

// job is one piece of work. done is closed when it ran, or was given up with err.
type job struct {
	ctx    context.Context //nolint:containedctx // a job waits in a queue, and must know whether it is still wanted
	share  *share
	cost   int64
	run    func(context.Context)
	onDone func() // called when done was closed; may be nil, must not block
	yield  func() // ends it early, for more urgent work; nil when it must not be
	err    error
	done   chan struct{}
}

// end closes done.
func (j *job) end() {
	close(j.done)
	if j.onDone != nil {
		j.onDone()
	}
}

func newPool(slots int) *pool {
	p := &pool{slots: slots}
	p.wake = sync.NewCond(&p.mu)
	for range slots {
		p.workers.Go(p.work)
	}
	return p
}

// submit queues work that costs so many samples. It does not wait.
func (p *pool) submit(ctx context.Context, s *share, cost int64, run func(context.Context)) *job {
	j := &job{ctx: ctx, share: s, cost: cost, run: run}
	p.queue(j)
	return j
}

// queue queues a job of which all but done is set. When it is more urgent than
// one that runs and may be ended early, and no slot is free, that one is.
func (p *pool) queue(j *job) {
	j.done = make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		j.err = transcribe.ErrClosed
		j.end()
		return
	}
	p.catchUp(j.share)
	p.waiting = append(p.waiting, j)
	p.wake.Signal()
	p.makeRoom(j)
}

// makeRoom ends a running job early, if none ends anyway.
func (p *pool) makeRoom(j *job) {
	ends := func(r *job) bool { return r.ctx.Err() != nil }
	if len(p.running) < p.slots || slices.ContainsFunc(p.running, ends) {
		return
	}
	i := slices.IndexFunc(p.running, func(r *job) bool { return r.yield != nil && r.share.priority > j.share.priority })
	if i >= 0 {
		p.running[i].yield()
	}
}

// catchUp gives a clip that had nothing waiting a place beside the others, so
// that neither a newcomer nor one that was idle may make up for lost time.
func (p *pool) catchUp(s *share) {
	least := int64(-1)
	for _, j := range p.waiting {
		if j.share == s {
			return
		}
		if j.share.priority == s.priority && (least < 0 || j.share.used < least) {
			least = j.share.used
		}
	}
	s.used = max(s.used, least)
}

// forget drops the waiting work of a clip. Work that runs goes on until it
// notices that its context has ended.
func (p *pool) forget(s *share, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.waiting[:0]
	for _, j := range p.waiting {
		if j.share == s {
			j.err = err
			j.end()
		} else {
			kept = append(kept, j)
		}
	}
	clear(p.waiting[len(kept):])
	p.waiting = kept
}

func (p *pool) work() {
	for {
		j := p.next()
		if j == nil {
			return
		}
		if j.err = context.Cause(j.ctx); j.err == nil {
			j.run(j.ctx)
		}
		p.ran(j)
	}
}

// next waits for work and takes the first in turn; nil when the pool closes.
func (p *pool) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) == 0 && !p.closed {
		p.wake.Wait()
	}
	if p.closed {
		return nil
	}
	first := 0
	for i, j := range p.waiting {
		if j.before(p.waiting[first]) {
			first = i
		}
	}
	j := p.waiting[first]
	p.waiting = append(p.waiting[:first], p.waiting[first+1:]...)
	j.share.used += j.cost
	p.running = append(p.running, j)
	return j
}

// ran ends a job that was taken.
func (p *pool) ran(j *job) {
	p.mu.Lock()
	i := slices.Index(p.running, j)
	p.running = slices.Delete(p.running, i, i+1)
	p.mu.Unlock()
	j.end()
}

// withdraw takes work back that has not begun, and says whether it could.
func (p *pool) withdraw(j *job, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, j)
	if i < 0 {
		return false
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	j.err = err
	j.end()
	return true
}

// waits says whether work of a priority, or of a more urgent one, is waiting.
func (p *pool) waits(priority transcribe.Priority) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.waiting, func(j *job) bool { return j.share.priority <= priority })
}

func (j *job) before(k *job) bool {
	if j.share.priority != k.share.priority {
		return j.share.priority < k.share.priority
	}
	return j.share.used < k.share.used
}

// close gives up what is waiting and waits for what runs.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, j := range p.waiting {
		j.err = transcribe.ErrClosed
		j.end()
	}
	p.waiting = nil
	p.wake.Broadcast()
	p.mu.Unlock()
	p.workers.Wait()
}
