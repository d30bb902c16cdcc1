package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"hark/transcribe"
)

var (
	errGone  = errors.New("not found")
	errBusy  = errors.New("busy")
	errStale = errors.New("stale")
	errAway  = errors.New("database is away")
)

// memory is a ledger for one job, with the guard that a real one has: what an
// attempt saves after another began, or after the message was deleted or the
// job ended, is refused.
type memory struct {
	mu         sync.Mutex
	task       Task
	leaseUntil time.Time
	deleted    bool
	ended      bool // ready, or failed for good
	calls      []string
	away       map[string]int // calls by this name that fail before one works

	sound      *Sound
	rendition  *Rendition
	transcript *transcribe.Transcript
	reason     string
	retryAfter time.Duration
}

func (m *memory) call(name string) error {
	if m.away[name] > 0 {
		m.away[name]--
		return errAway
	}
	m.calls = append(m.calls, name)
	return nil
}

// guarded runs save when the attempt still counts.
func (m *memory) guarded(name string, task Task, save func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call(name); err != nil {
		return err
	}
	if m.deleted || m.ended || task.Attempt != m.task.Attempt {
		return errStale
	}
	save()
	return nil
}

func (m *memory) BeginJob(_ context.Context, jobID, _ string, lease time.Duration) (Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call("begin"); err != nil {
		return Task{}, err
	}
	switch {
	case m.deleted || m.ended || jobID != m.task.JobID:
		return Task{}, errGone
	case time.Now().Before(m.leaseUntil):
		return Task{}, errBusy
	}
	m.task.Attempt++
	m.leaseUntil = time.Now().Add(lease)
	m.task.HaveSound, m.task.HaveRendition = m.sound != nil, m.rendition != nil
	return m.task, nil
}

func (m *memory) RenewLease(_ context.Context, task Task, lease time.Duration) error {
	return m.guarded("renew", task, func() { m.leaseUntil = time.Now().Add(lease) })
}

func (m *memory) SaveSound(_ context.Context, task Task, sound Sound) error {
	return m.guarded("sound", task, func() { m.sound = &sound })
}

func (m *memory) SaveRendition(_ context.Context, task Task, r Rendition) error {
	return m.guarded("rendition", task, func() { m.rendition = &r })
}

func (m *memory) SaveTranscript(_ context.Context, task Task, t *transcribe.Transcript) error {
	return m.guarded("transcript", task, func() { m.transcript, m.ended = t, true })
}

func (m *memory) FinishJob(_ context.Context, task Task) error {
	return m.guarded("finish", task, func() { m.ended = true })
}

func (m *memory) FailJob(_ context.Context, task Task, reason string, retryAfter time.Duration) error {
	return m.guarded("fail", task, func() {
		m.reason, m.retryAfter, m.leaseUntil = reason, retryAfter, time.Time{}
		m.ended = retryAfter < 0
	})
}

func (m *memory) ReleaseJob(_ context.Context, task Task) error {
	return m.guarded("release", task, func() { m.leaseUntil, m.task.Attempt = time.Time{}, m.task.Attempt-1 })
}

// did returns the calls that got through, without renewals.
func (m *memory) did() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.calls), func(c string) bool { return c == "renew" })
}

func (m *memory) remove() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deleted = true
}

// shelf is an object store in memory.
type shelf struct {
	mu      sync.Mutex
	objects map[string][]byte
	putErrs int // puts that fail before one works
}

func (s *shelf) Get(_ context.Context, key string) (io.ReadCloser, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, 0, errGone
	}
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

func (s *shelf) Put(_ context.Context, key, _ string, r io.Reader, size int64) (int64, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.putErrs > 0 {
		s.putErrs--
		return 0, errAway
	}
	if int64(len(b)) != size {
		return 0, io.ErrUnexpectedEOF
	}
	s.objects[key] = b
	return size, nil
}
