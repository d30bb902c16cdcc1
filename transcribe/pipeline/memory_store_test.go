package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"hark/media/transcript"
	"hark/storage"
)

var errAway = errors.New("database is away")

// memory is a database for one job, with the guard that a real one has: what an
// attempt saves after another began, or after the message was deleted or the
// job ended, is refused.
type memory struct {
	mu         sync.Mutex
	task       storage.Task
	leaseUntil time.Time
	deleted    bool
	ended      bool // ready, or failed for good
	calls      []string
	away       map[string]int // calls by this name that fail before one works

	sound      *storage.Sound
	rendition  *storage.Rendition
	transcript *transcript.Transcript
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
func (m *memory) guarded(name string, job storage.Job, save func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call(name); err != nil {
		return err
	}
	if m.deleted || m.ended || job.Attempt != m.task.Attempt {
		return storage.ErrStale
	}
	save()
	return nil
}

func (m *memory) BeginJob(_ context.Context, kind storage.JobKind, id, _ string, lease time.Duration) (storage.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.call("begin"); err != nil {
		return storage.Job{}, err
	}
	switch {
	case m.deleted || m.ended || id != m.task.ID || kind != storage.Transcribe:
		return storage.Job{}, storage.ErrNotFound
	case time.Now().Before(m.leaseUntil):
		return storage.Job{}, storage.ErrBusy
	}
	m.task.Attempt++
	m.task.Try++
	m.leaseUntil = time.Now().Add(lease)
	return m.task.Job, nil
}

func (m *memory) Task(_ context.Context, job storage.Job) (task storage.Task, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.deleted || m.ended || job.Attempt != m.task.Attempt {
		return task, storage.ErrStale
	}
	m.task.HaveSound, m.task.HaveRendition = m.sound != nil, m.rendition != nil
	return m.task, nil
}

func (m *memory) RenewLease(_ context.Context, job storage.Job, lease time.Duration) error {
	return m.guarded("renew", job, func() { m.leaseUntil = time.Now().Add(lease) })
}

func (m *memory) SaveSound(_ context.Context, task storage.Task, sound storage.Sound) error {
	return m.guarded("sound", task.Job, func() { m.sound = &sound })
}

func (m *memory) SaveRendition(_ context.Context, task storage.Task, r storage.Rendition) error {
	return m.guarded("rendition", task.Job, func() { m.rendition = &r })
}

func (m *memory) SaveTranscript(_ context.Context, task storage.Task, t *transcript.Transcript) error {
	return m.guarded("transcript", task.Job, func() { m.transcript, m.ended = t, true })
}

func (m *memory) FinishJob(_ context.Context, job storage.Job) error {
	return m.guarded("finish", job, func() { m.ended = true })
}

func (m *memory) FailJob(_ context.Context, job storage.Job, reason string, retryAfter time.Duration) error {
	return m.guarded("fail", job, func() {
		m.reason, m.retryAfter, m.leaseUntil = reason, retryAfter, time.Time{}
		m.ended = retryAfter < 0
	})
}

func (m *memory) ReleaseJob(_ context.Context, job storage.Job) error {
	return m.guarded("release", job, func() { m.leaseUntil, m.task.Try = time.Time{}, m.task.Try-1 })
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

// objectStore is an object store in memory.
type objectStore struct {
	mu      sync.Mutex
	objects map[string][]byte
	putErrs int // puts that fail before one works
}

func (s *objectStore) Get(_ context.Context, key string) (io.ReadCloser, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.objects[key]
	if !ok {
		return nil, 0, storage.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

func (s *objectStore) Put(_ context.Context, key, _ string, r io.Reader, size int64) (int64, error) {
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
